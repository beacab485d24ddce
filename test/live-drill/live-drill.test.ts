import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DrillResult } from '../../lambda/core/drill.ts';
import { liveDrill, nextCommandFor } from '../../lib/live-drill/live-drill.ts';
import { FakeWorld, NOW_MS, type PortName } from './fake-world.ts';

async function drillIn(world: FakeWorld, signal?: AbortSignal): Promise<DrillResult> {
  const end = await liveDrill(world.plan(signal), world.ports());
  if (end.end === 'refused') throw new Error(`refused: ${JSON.stringify(end.refusals)}`);
  return end.result;
}

const started = (world: FakeWorld): readonly string[] => world.inputs.map(({ action }) => action);

describe('a drill', () => {
  test('goes out and home through the conductor, and says how long each took', async () => {
    const world = new FakeWorld();
    const result = await drillIn(world);
    expect(result).toMatchObject({ ok: true, cell: 'drill', failures: [], records: { lost: 0 } });
    expect(result.records.acknowledged).toBeGreaterThan(300);
    expect(result.records.delivered).toBe(result.records.acknowledged);
    // Latched after a second, and a check of 30 s: looked at twice a second.
    expect(result.latchedMs).toBeGreaterThanOrEqual(1_000);
    expect(result.latchedMs).toBeLessThanOrEqual(1_500);
    expect(result.flipMs).toBeGreaterThanOrEqual(31_000);
    expect(result.flipMs).toBeLessThanOrEqual(31_500);
    expect(result.rtoMs).toBeGreaterThanOrEqual(31_000);
    expect(result.rtoMs).toBeLessThanOrEqual(31_400);
    expect(result.failback.ok).toBe(true);
    expect(result.failback.ms).toBeGreaterThanOrEqual(31_000);
    expect(result.failback.ms).toBeLessThanOrEqual(31_400);
    expect(result.nextCommand).toBeUndefined();
    expect(world.isHome).toBe(true);
    expect(world.stopped).toBe(true);
  });

  test('asks the conductor for its own group alone, first out, then home', async () => {
    const world = new FakeWorld();
    await drillIn(world);
    expect(world.inputs).toMatchObject([
      { action: 'evacuate', trigger: 'asked', epoch: 1, groups: ['drill'], owner: 'drill by ana' },
      { action: 'failback', epoch: 2, groups: ['drill'], percent: 100, pauseSeconds: 60 },
    ]);
    expect(world.inputs.every((input) => input.force === undefined)).toBe(true);
  });

  test('puts on record and publishes what it found', async () => {
    const world = new FakeWorld();
    const result = await drillIn(world);
    expect(world.journal).toEqual([
      {
        atMs: world.nowMs,
        who: 'ana',
        what: 'drill',
        why: expect.stringMatching(/^cell drill passed: RTO 31\.\d s, 0 lost; test$/),
        group: 'drill',
        after: result,
      },
    ]);
    expect(world.published).toEqual([{ DrillSuccess: 1, DrillRto: result.rtoMs }]);
  });

  test('that lost a record has failed, and says how many', async () => {
    const world = new FakeWorld();
    world.lost.add('put-40');
    const result = await drillIn(world);
    expect(result).toMatchObject({ ok: false, records: { lost: 1 }, failback: { ok: true } });
    expect(result.failures).toEqual(['1 acknowledged records are in neither stream']);
    expect(world.published).toMatchObject([{ DrillSuccess: 0 }]);
    expect(world.journal[0]?.why).toMatch(
      /^cell drill failed: RTO 31\.\d s, 1 lost; 1 acknowledged records are in neither stream; test$/,
    );
  });
});

describe('nothing is moved', () => {
  const pause = { owner: 'bo', reason: 'sale', untilMs: NOW_MS + 3_600_000 };

  test('when a guard refuses', async () => {
    const world = new FakeWorld();
    world.facts = () => ({ control: { pause } });
    const end = await liveDrill(world.plan(), world.ports());
    expect(end).toEqual({ end: 'refused', refusals: [{ rule: 'pause', reason: 'paused by bo: sale' }] });
    expect(world.calls).toEqual([]);
  });

  test('when a guard refuses once the producer has settled', async () => {
    const world = new FakeWorld();
    world.facts = (nowMs) => (nowMs === NOW_MS ? {} : { control: { pause } });
    const end = await liveDrill(world.plan(), world.ports());
    expect(end).toMatchObject({ end: 'refused', refusals: [{ rule: 'pause' }] });
    expect(started(world)).toEqual([]);
    expect(world.stopped).toBe(true);
  });

  test('when somebody has begun an act in that very moment', async () => {
    const world = new FakeWorld();
    world.facts = () => ({ newestEpoch: 7 });
    world.epoch = 8;
    const end = await liveDrill(world.plan(), world.ports());
    expect(end).toMatchObject({ end: 'refused', refusals: [{ rule: 'newer-act' }] });
    expect(started(world)).toEqual([]);
  });

  test('when the primary takes none of its puts', async () => {
    const world = new FakeWorld();
    world.puts = false;
    const result = await drillIn(world);
    expect(result.failures[0]).toMatch(/^the drill's producer did not settle in us-east-1/);
    expect(started(world)).toEqual([]);
    expect(result.nextCommand).toBeUndefined();
  });

  test('when no number can be claimed', async () => {
    const world = new FakeWorld();
    world.breaks = (name, n) => name === 'claimEpoch' && n === 1;
    const result = await drillIn(world);
    expect(result.failures).toEqual(['claimEpoch 1 is broken']);
    expect(started(world)).toEqual([]);
  });
});

interface Failure {
  readonly what: string;
  readonly arrange: (world: FakeWorld) => void;
  readonly failure: RegExp;
  /** Default: out, then home. */
  readonly starts?: readonly string[];
}

const break1 =
  (port: PortName, from: number, to = from) =>
  (world: FakeWorld) => {
    world.breaks = (name, n) => name === port && n >= from && n <= to;
  };

describe('the cell comes home', () => {
  const failures: readonly Failure[] = [
    {
      what: 'the conductor cannot be started: its number is fenced by a failback',
      arrange: break1('start', 1),
      failure: /start 1 is broken/,
      starts: ['failback'],
    },
    {
      what: 'the answer to its start is lost, and it runs',
      arrange: (world) => {
        break1('start', 1)(world);
        world.answerLost = true;
      },
      failure: /answer to start 1 is lost/,
    },
    {
      what: 'the conductor ends without having moved anything',
      arrange: (world) => {
        world.endsAs = ({ action }) => (action === 'evacuate' ? 'standby-unfit' : undefined);
      },
      failure: /ended as standby-unfit/,
    },
    {
      what: 'the run cannot be looked at on the way out',
      arrange: break1('runState', 1, 361),
      failure: /move to us-west-2 was not complete within 180/,
    },
    {
      what: 'the switch cannot be read',
      arrange: break1('readPosition', 1, 10_000),
      failure: /move to us-west-2 was not complete/,
    },
    {
      what: 'DNS does not answer on the way out',
      arrange: break1('askSignal', 1, 361),
      failure: /move to us-west-2 was not complete/,
    },
    {
      what: 'its producer stops being acknowledged on the way out',
      arrange: (world) => {
        world.onTime = (sinceMs) => {
          world.puts = sinceMs < 20_000 || sinceMs > 200_000;
        };
      },
      failure: /move to us-west-2 was not complete/,
    },
    {
      what: 'the streams cannot be read back',
      arrange: break1('readBack', 1, 100),
      failure: /could not be read back: readBack 4 is broken/,
    },
    { what: 'the journal fails', arrange: break1('journal', 1), failure: /journal could not be written/ },
    { what: 'CloudWatch fails', arrange: break1('publish', 1), failure: /metrics were not published/ },
    { what: 'the producer does not close', arrange: break1('startProducer', 1), failure: /the producer: / },
  ];

  test.each(failures)('although $what', async ({ arrange, failure, starts = ['evacuate', 'failback'] }) => {
    const world = new FakeWorld();
    arrange(world);
    const result = await drillIn(world);
    expect(result.failures.join('\n')).toMatch(failure);
    expect(result).toMatchObject({ ok: false, failback: { ok: true } });
    expect(started(world)).toEqual(starts);
    expect(world.isHome).toBe(true);
    expect(result.nextCommand).toBeUndefined();
  });

  const mended: readonly { readonly what: string; readonly arrange: (world: FakeWorld) => void }[] = [
    { what: 'no number can be claimed for the way back at first', arrange: break1('claimEpoch', 2) },
    { what: 'the failback cannot be started at first', arrange: break1('start', 2, 4) },
    {
      what: 'the failback is refused at first',
      arrange: (world) => {
        world.endsAs = (_input, n) => (n === 2 || n === 3 ? 'failback-refused' : undefined);
      },
    },
    {
      what: 'an observer votes EVACUATE for a while',
      arrange: (world) => {
        world.facts = (nowMs) => (nowMs > NOW_MS + 40_000 && nowMs < NOW_MS + 80_000 ? oneVote(nowMs) : {});
      },
    },
    {
      what: 'the conductor could not tell anybody, nor give its lease back',
      arrange: (world) => {
        world.saidToEnd = (state) => (state === 'latched' ? 'lease-kept' : 'not-notified');
      },
    },
    { what: 'the failback cannot be looked at for a while', arrange: break1('runState', 80, 150) },
  ];

  test.each(mended)('and the drill succeeds, although $what', async ({ arrange }) => {
    const world = new FakeWorld();
    arrange(world);
    expect(await drillIn(world)).toMatchObject({ ok: true, failures: [] });
    expect(world.isHome).toBe(true);
  });

  test.each([0, 3, 7, 10, 20, 38, 45, 60, 100].map((seconds) => [seconds]))(
    'when it is interrupted after %i s',
    async (seconds) => {
      const world = new FakeWorld();
      const controller = new AbortController();
      world.onTime = (sinceMs) => {
        if (sinceMs >= seconds * 1_000) controller.abort(new Error('interrupted'));
      };
      const result = await drillIn(world, controller.signal);
      expect(world.isHome).toBe(true);
      expect(result.failback.ok).toBe(true);
      // Once it is on its way home, there is nothing left to interrupt.
      expect(result.failures).toEqual(seconds < 40 ? ['the drill was stopped: interrupted'] : []);
    },
  );
});

test('what was put before a cut drill had moved is no homecoming', async () => {
  const world = new FakeWorld();
  const controller = new AbortController();
  world.onTime = (sinceMs) => {
    if (sinceMs >= 20_000) controller.abort(new Error('interrupted'));
  };
  const { failback } = await drillIn(world, controller.signal);
  // Latched at 6 s, so DNS turns at 36 s; released then, it turns back 30 s later.
  expect(failback.ms).toBeGreaterThan(46_000);
  expect(failback.ms).toBeLessThan(52_000);
});

function oneVote(nowMs: number) {
  const common = { fresh: true, decidedAtMs: nowMs, healthySinceMs: NOW_MS - 3_600_000 };
  return {
    reports: [
      { region: 'us-west-2', vote: 'EVACUATE' as const, diagnosis: 'KinesisWriteImpaired', ...common },
      { region: 'us-east-2', vote: 'HOLD' as const, diagnosis: 'Healthy', ...common },
      { region: 'eu-west-1', vote: 'HOLD' as const, diagnosis: 'Healthy', ...common },
    ],
  };
}

describe('what brings it home is said', () => {
  test.each<[string, (world: FakeWorld) => void, RegExp]>([
    [
      'the failback cannot be started at all',
      break1('start', 2, 100),
      /could not be moved back: start \d+ is broken/,
    ],
    [
      'the failback is refused again and again',
      (world) => {
        world.endsAs = ({ action }) => (action === 'failback' ? 'failback-refused' : undefined);
      },
      /could not be moved back: failback-refused/,
    ],
    [
      'a newer act has taken over',
      (world) => {
        world.endsAs = ({ action }) => (action === 'failback' ? 'superseded' : undefined);
      },
      /could not be moved back: superseded/,
    ],
    [
      'DNS does not answer any more',
      (world) => {
        world.breaks = (name) => name === 'askSignal' && world.nowMs > NOW_MS + 60_000;
      },
      /DNS and puts were not back in us-east-1 within/,
    ],
  ])('when %s', async (_what, arrange, failure) => {
    const world = new FakeWorld();
    arrange(world);
    const result = await drillIn(world);
    expect(result).toMatchObject({ ok: false, failback: { ok: false } });
    expect(result.failures.join('\n')).toMatch(failure);
    expect(result.nextCommand).toBe(nextCommandFor('drill'));
    expect(world.journal).toHaveLength(1);
  });

  test('and a newer act is not fought over', async () => {
    const world = new FakeWorld();
    world.endsAs = ({ action }) => (action === 'failback' ? 'superseded' : undefined);
    await drillIn(world);
    expect(started(world)).toEqual(['evacuate', 'failback']);
  });

  test('and no failback is asked for while the primary is accused in earnest', async () => {
    const world = new FakeWorld();
    world.facts = (nowMs) => (nowMs > NOW_MS + 40_000 ? oneVote(nowMs) : {});
    const result = await drillIn(world);
    expect(started(world)).toEqual(['evacuate']);
    expect(world.position).toBe('STANDBY');
    expect(result.failures.join()).toMatch(/the outage may be real: EVACUATE votes come from us-west-2/);
    expect(result.nextCommand).toBe(nextCommandFor('drill'));
  });
});

test('whatever breaks, for however long, and whenever it is interrupted: home, or the command that brings it home', async () => {
  const ports: readonly PortName[] = [
    'askSignal',
    'readPosition',
    'claimEpoch',
    'start',
    'runState',
    'readBack',
  ];
  const breakage = fc.record({
    port: fc.constantFrom(...ports),
    fromMs: fc.integer({ min: 0, max: 150_000 }),
    forMs: fc.integer({ min: 0, max: 200_000 }),
  });
  const inputs = fc.record({
    breakages: fc.array(breakage, { maxLength: 4 }),
    answerLost: fc.boolean(),
    interruptMs: fc.option(fc.integer({ min: 0, max: 120_000 })),
  });
  await fc.assert(
    fc.asyncProperty(inputs, async ({ breakages, answerLost, interruptMs }) => {
      const world = new FakeWorld();
      const controller = new AbortController();
      world.answerLost = answerLost;
      world.onTime = (sinceMs) => {
        if (interruptMs !== null && sinceMs >= interruptMs) controller.abort(new Error('interrupted'));
      };
      world.breaks = (port) => {
        const sinceMs = world.nowMs - NOW_MS;
        return breakages.some((b) => b.port === port && sinceMs >= b.fromMs && sinceMs < b.fromMs + b.forMs);
      };
      const end = await liveDrill(world.plan(controller.signal), world.ports());
      if (end.end === 'refused') return expect(started(world)).toEqual([]);
      if (started(world).includes('evacuate')) {
        expect(started(world).includes('failback') || end.result.nextCommand !== undefined).toBe(true);
      }
      expect(world.isHome || end.result.nextCommand !== undefined).toBe(true);
      expect(world.nowMs - NOW_MS).toBeLessThan(840_000);
    }),
    { numRuns: 100 },
  );
}, 60_000);
