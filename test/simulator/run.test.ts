import { describe, expect, test, vi } from 'vitest';
import { loadScenario } from '../../lib/scenario/load.ts';
import { defaultFleet } from '../../lib/scenario/sources.ts';
import { shortfalls } from '../../lib/simulator/judge.ts';
import { runScenario } from '../../lib/simulator/run.ts';
import type { SimulationOptions, SimulationResult, TraceEvent } from '../../lib/simulator/types.ts';
import { deployed, fault, MINUTE_MS, scenarioOf } from './deployed.ts';

/** Hours of an outage take half a second each on an idle machine, and test files share it. */
vi.setConfig({ testTimeout: 60_000 });

type Changes = Partial<Omit<SimulationOptions, 'scenario' | 'seed'>>;

async function runs(
  name: string,
  seeds: number,
  changes: Changes = {},
): Promise<readonly SimulationResult[]> {
  const scenario = await loadScenario(name);
  return Array.from({ length: seeds }, (_, seed) =>
    runScenario({ system: deployed, scenario, seed, ...changes }),
  );
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? Number.NaN;

describe('outages that happened', () => {
  test('2020: fails over within 20 s of the onset at the 95th percentile, of 40 seeds', async () => {
    const decided = await runs('2020-kinesis', 40, { until: 'decided' });

    expect(
      percentile(
        decided.map(({ decideMs }) => decideMs ?? Number.POSITIVE_INFINITY),
        0.95,
      ),
    ).toBeLessThanOrEqual(20_000);
  });

  test('2020: DNS moves once, within a minute, and does not return in 18 hours', async () => {
    for (const result of await runs('2020-kinesis', 2)) {
      expect(result).toMatchObject({
        verdict: 'failover',
        diagnosis: 'KinesisWriteImpaired',
        flips: 1,
        returnMs: null,
        violations: [],
      });
      expect(result.flipMs).toBeLessThan(40_000);
      expect(result.rtoMs).toBeLessThan(60_000);
    }
  });

  test.each(['2021-network', '2023-lambda', '2024-kinesis', '2025-dynamodb'])('%s: holds', async (name) => {
    for (const result of await runs(name, 2)) {
      expect(result).toMatchObject({ verdict: 'hold', votesCast: 0, flips: 0, violations: [] });
    }
  });

  test('2025 with failing puts: fails over once and never returns between the dips, with or without a conductor', async () => {
    for (const conductor of ['alive', 'dead'] as const) {
      for (const result of await runs('2025-dynamodb-puts', 2, { conductor })) {
        expect(result).toMatchObject({ verdict: 'failover', flips: 1, returnMs: null, violations: [] });
      }
    }
  });

  test('no noise of the usual kind changes what is decided', async () => {
    const [moved] = await runs('2020-kinesis', 1, { noise: 'usual' });
    const [held] = await runs('2024-kinesis', 1, { noise: 'usual' });

    expect(moved).toMatchObject({ verdict: 'failover', flips: 1, returnMs: null, violations: [] });
    expect(held).toMatchObject({ verdict: 'hold', violations: [] });
  });
});

describe('what is no outage', () => {
  test.each(['blip-10s', 'one-sided-partition', 'standby-impaired', 'throttling-storm'])(
    '%s: holds',
    async (name) => {
      for (const result of await runs(name, 5))
        expect(result).toMatchObject({ verdict: 'hold', flips: 0, violations: [] });
    },
  );

  test('an observer that is alone votes, and takes its vote back', async () => {
    const cutOff = scenarioOf(10 * MINUTE_MS, [
      fault({ untilMs: MINUTE_MS, where: { region: 'primary' }, seenFrom: ['us-east-2'] }),
    ]);
    const lines: TraceEvent[] = [];

    const result = runScenario({
      system: deployed,
      scenario: cutOff,
      seed: 1,
      trace: (line) => lines.push(line),
    });

    expect(result).toMatchObject({ verdict: 'hold', votesCast: 1 });
    expect(lines.filter(({ what }) => what === 'vote').map(({ text }) => text)).toEqual([
      'us-east-2 stores EVACUATE',
      'us-east-2 stores HOLD',
    ]);
  });
});

describe('workloads', () => {
  const scenarios = [
    'one-stream',
    'one-stream-beacons',
    'beacons-move',
    'beacons-alone',
    'canary-only',
    'canary-and-streams',
    'half-the-streams',
    'liars-minority',
    'liars-majority',
    'liars-silent',
    'standby-stream-dead',
    'stream-degraded',
    'stream-one-observer',
    'stream-refused',
  ];

  test.each(scenarios)('%s: comes to what it expects', async (name) => {
    const scenario = await loadScenario(name);
    for (let seed = 1; seed <= 2; seed++) {
      const result = runScenario({ system: deployed, scenario, seed });
      expect(shortfalls(result, scenario), `seed ${seed}`).toEqual([]);
      expect(result.cellFailovers).toBe(scenario.expect.cells?.length ?? 0);
    }
  });

  test.each(['one-stream-beacons', 'liars-silent', 'stream-degraded', 'canary-only'])(
    '%s: a run that walks through every round is the same as one that skips',
    async (name) => {
      const scenario = await loadScenario(name);
      const traces = [true, false].map((skip) => {
        const lines: TraceEvent[] = [];
        const trace = (line: TraceEvent) => void lines.push(line);
        const result = runScenario({ system: deployed, scenario, seed: 3, noise: 'usual', skip, trace });
        return { result, lines };
      });

      expect(traces[0]).toEqual(traces[1]);
      expect(traces[0]?.lines.length).toBeGreaterThan(0);
    },
  );

  test('the observer in the standby hears of what the others alone see', () => {
    const faults = [
      fault({
        atMs: 5 * MINUTE_MS,
        where: { region: 'primary', service: 'kinesis', streams: ['orders'] },
        seenFrom: ['witness'],
      }),
    ];
    const scenario = {
      ...scenarioOf(10 * MINUTE_MS, faults),
      producers: { ...defaultFleet, beacons: false, probe: 'always' as const, cells: {} },
    };

    const result = runScenario({ system: deployed, scenario, seed: 1 });

    expect(result).toMatchObject({ cells: { orders: 'standby', clicks: 'primary' }, cellFailovers: 1 });
    expect(result.decideMs).toBeLessThan(MINUTE_MS);
  });
});

describe('cells', () => {
  const outage = scenarioOf(20 * MINUTE_MS, [fault({ untilMs: 5 * MINUTE_MS })]);
  const cells = ['orders', 'clicks', 'events'].map((name) => ({
    name,
    group: name === 'orders' ? name : 'rest',
    probe: 'never' as const,
  }));

  test('all move with their region, once, whichever switch holds them', () => {
    const lines: string[] = [];
    const trace = ({ what, text }: TraceEvent) => what === 'latch' && lines.push(text);

    const result = runScenario({ system: { ...deployed, cells }, scenario: outage, seed: 1, trace });

    expect(result).toMatchObject({
      verdict: 'failover',
      flips: 1,
      cells: { orders: 'standby', clicks: 'standby', events: 'standby' },
      cellFailovers: 0,
      violations: [],
    });
    expect(result.rtoMs).toBeLessThan(60_000);
    expect(lines).toEqual([
      'the conductor sets the switch of orders to STANDBY',
      'the conductor sets the switch of rest to STANDBY',
    ]);
  });

  test('producers whose own stream fails in the standby do not settle there', () => {
    const dead = fault({ where: { region: 'standby', service: 'kinesis', streams: ['clicks'] } });
    const scenario = scenarioOf(20 * MINUTE_MS, [...outage.faults, dead]);

    expect(runScenario({ system: { ...deployed, cells }, scenario, seed: 1 })).toMatchObject({
      verdict: 'failover',
      rtoMs: null,
    });
  });
});

describe('operators', () => {
  const outage = scenarioOf(20 * MINUTE_MS, [fault({ untilMs: 5 * MINUTE_MS })]);

  test('a pause holds an evacuation back for as long as it lasts', () => {
    const actions = [{ kind: 'pause', atMs: -MINUTE_MS, forMs: 3 * MINUTE_MS }] as const;

    const result = runScenario({ system: deployed, scenario: outage, seed: 1, actions });

    expect(result.verdict).toBe('failover');
    expect(result.decideMs).toBeGreaterThanOrEqual(2 * MINUTE_MS);
  });

  test('a damaged control item holds it back as well', () => {
    const actions = [{ kind: 'unreadable', atMs: -MINUTE_MS, forMs: 3 * MINUTE_MS }] as const;

    expect(
      runScenario({ system: deployed, scenario: outage, seed: 1, actions }).decideMs,
    ).toBeGreaterThanOrEqual(2 * MINUTE_MS);
  });

  test('traffic returns when an operator releases the switch, and not before', () => {
    const quick = { ...deployed, policy: { ...deployed.policy, recoveryMs: 2 * MINUTE_MS } };
    const actions = [{ kind: 'release', atMs: 15 * MINUTE_MS }] as const;

    const result = runScenario({ system: quick, scenario: outage, seed: 1, actions });

    expect(result).toMatchObject({ verdict: 'failover', flips: 2, violations: [] });
    expect(result.returnMs).toBeGreaterThan(15 * MINUTE_MS);
  });
});

describe('determinism', () => {
  const traced = (seed: number): readonly unknown[] => {
    const lines: unknown[] = [];
    const scenario = scenarioOf(20 * MINUTE_MS, [fault({ untilMs: 5 * MINUTE_MS, rate: 0.5 })]);
    const result = runScenario({
      system: deployed,
      scenario,
      seed,
      noise: 'usual',
      trace: (line) => lines.push(line),
    });
    return [result, ...lines];
  };

  test('the same seed gives the same run, step by step', () => {
    expect(traced(7)).toEqual(traced(7));
  });

  test('another seed gives another', () => {
    expect(traced(7)).not.toEqual(traced(8));
  });

  test('a run that walks through every round is the same as one that skips', async () => {
    const scenario = await loadScenario('2023-lambda');
    const traces = [true, false].map((skip) => {
      const lines: TraceEvent[] = [];
      const result = runScenario({
        system: deployed,
        scenario,
        seed: 3,
        noise: 'usual',
        skip,
        trace: (line) => lines.push(line),
      });
      return { result, lines };
    });

    expect(traces[0]).toEqual(traces[1]);
  });
});
