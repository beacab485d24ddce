import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellBeacons } from '../../lambda/core/beacons.ts';
import { accusingKinds } from '../../lambda/core/cell-findings.ts';
import type { Control } from '../../lambda/core/control.ts';
import { emptyMemory, type Memory, parseMemory, serializeMemory } from '../../lambda/core/memory.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { ErrorClass, ProbeOutcome } from '../../lambda/core/probe.ts';
import { observeRound, type RoundResult, streamsOfRound } from '../../lambda/core/round.ts';
import { lastTurnOf, STREAMS_PER_ROUND, streamsDue } from '../../lambda/core/stream-plan.ts';
import type { GroupSwitch } from '../../lambda/core/streams.ts';
import { sampleOf, type WatchedCell } from '../../lambda/core/watched-cells.ts';
import { policy } from './levels.ts';

const START = 1_800_000_000_000;
/** The window of the puts to the standby: it is known to be well. */
const CALM_ROUNDS = 24;
const ok: ProbeOutcome = { ok: true, latencyMs: 20 };
const failed = (errorClass: ErrorClass = 'server'): ProbeOutcome => ({
  ok: false,
  latencyMs: 20,
  errorClass,
  detail: '',
});
const cell = (name: string, probe: WatchedCell['probe'] = 'always', rest: Partial<WatchedCell> = {}) => ({
  cell: name,
  group: name,
  probe,
  ...rest,
});

/** What befalls a put: to the canary or a cell's stream, in a region. */
type Fate = (put: { readonly stream: string; readonly role: 'primary' | 'standby' }) => ProbeOutcome;

interface World {
  readonly cells: readonly WatchedCell[];
  readonly fate: Fate;
  readonly rounds: number;
  readonly beacons?: readonly CellBeacons[];
  readonly control?: Control;
  readonly switches?: readonly GroupSwitch[];
  readonly policy?: Policy;
  /** Cells that are accused are moved by their switches at once. */
  readonly moves?: true;
}

/** Rounds as an observer makes them: some in which all is well, then those of the world. The memory goes through its text. */
function observe({
  cells,
  fate,
  rounds,
  beacons = [],
  control = {},
  switches: set = [],
  policy: own = policy,
  moves,
}: World) {
  const switches = [...set];
  let memory: Memory = emptyMemory;
  const results: RoundResult[] = [];
  const probed: string[][] = [];
  for (let n = 0; n < rounds + CALM_ROUNDS; n++) {
    const atMs = START + n * own.tickMs;
    const calm = n < CALM_ROUNDS;
    const put = (stream: string, role: 'primary' | 'standby') => (calm ? ok : fate({ stream, role }));
    const said = calm ? [] : beacons;
    const due = streamsOfRound(memory, { cells, beacons: said, switches, policy: own, nowMs: atMs });
    const outcomes = due.map(({ cell: name, firstPuts, morePuts, standbyPuts }) => {
      const first = Array.from({ length: firstPuts }, () => put(name, 'primary'));
      const more = first.some((each) => !each.ok) ? morePuts : 0;
      return {
        cell: name,
        primary: [...first, ...Array.from({ length: more }, () => put(name, 'primary'))],
        standby: Array.from({ length: standbyPuts }, () => put(name, 'standby')),
      };
    });
    const region = (role: 'primary' | 'standby') => ({
      kinesisWrite: Array.from({ length: own.putsPerRound }, () => put('canary', role)),
      kinesisRead: [ok],
      reachability: [ok],
    });
    const result = observeRound(
      memory,
      {
        startedAtMs: atMs,
        nowMs: atMs,
        clockStepMs: 0,
        primary: region('primary'),
        standby: region('standby'),
        control,
        latch: 'open',
        quorum: 'primary',
        streams: {
          cells,
          probed: outcomes,
          lastTurn: lastTurnOf(due),
          beacons: said,
          switches: [...switches],
        },
      },
      own,
    );
    if (moves)
      for (const group of accusedBy(result)) switches.push({ group, position: 'STANDBY', setAtMs: atMs });
    memory = parseMemory(serializeMemory(result.memory));
    results.push(result);
    probed.push(due.map(({ cell: name }) => name));
  }
  return { results, probed: probed.slice(CALM_ROUNDS), last: results.at(-1) as RoundResult, memory };
}

const fails =
  (...streams: readonly string[]): Fate =>
  ({ stream, role }) =>
    role === 'primary' && streams.includes(stream) ? failed() : ok;
const orders = cell('orders');
const clicks = cell('clicks');
const accusedBy = ({ cells }: RoundResult): readonly string[] =>
  cells
    .filter(({ refusals, kind }) => accusingKinds.has(kind) && refusals.length === 0)
    .map(({ cell }) => cell);

describe('a cell whose own stream fails', () => {
  it('is accused after three rounds, alone, while the region is not', () => {
    const { results, last } = observe({ cells: [orders, clicks], fate: fails('orders'), rounds: 3 });
    expect(accusedBy(results.at(-2) as RoundResult)).toEqual([]);
    expect(accusedBy(last)).toEqual(['orders']);
    expect(last.decision).toMatchObject({ vote: 'HOLD', diagnosis: 'StreamImpaired' });
    expect(last.cells[0]).toMatchObject({
      kind: 'impaired',
      sinceMs: START + (CALM_ROUNDS + 2) * policy.tickMs,
    });
  });

  it('keeps the moment of its accusation', () => {
    const { last } = observe({ cells: [orders, clicks], fate: fails('orders'), rounds: 9 });
    expect(last.cells[0]).toMatchObject({
      cell: 'orders',
      sinceMs: START + (CALM_ROUNDS + 2) * policy.tickMs,
    });
  });

  it('is not accused for a blip of two rounds', () => {
    let round = 0;
    const fate: Fate = ({ stream, role }) => {
      if (stream === 'canary' && role === 'primary') round++;
      return role === 'primary' && stream === 'orders' && round < 2 * policy.putsPerRound ? failed() : ok;
    };
    const { results } = observe({ cells: [orders, clicks], fate, rounds: 12 });
    expect(results.flatMap(accusedBy)).toEqual([]);
  });

  const held: readonly (readonly [string, Partial<World>])[] = [
    ['mode', { control: { mode: 'observe' } }],
    ['mode', { cells: [cell('orders', 'always', { mode: 'observe' }), clicks] }],
    ['pause', { control: { pause: { owner: 'me', reason: 'test', untilMs: START + 3_600_000 } } }],
    [
      'pause',
      {
        control: {
          cells: { orders: { pause: { owner: 'me', reason: 'test', untilMs: START + 3_600_000 } } },
        },
      },
    ],
    ['in-standby', { switches: [{ group: 'orders', position: 'STANDBY' }] }],
    ['cooldown', { switches: [{ group: 'orders', position: 'PRIMARY', setAtMs: START - 60_000 }] }],
    [
      'standby-unfit',
      {
        fate: ({ stream, role }) =>
          stream === 'orders' || (role === 'standby' && stream !== 'canary') ? failed() : ok,
      },
    ],
  ];
  for (const [rule, world] of held) {
    it(`does not move when ${rule} refuses, and the accusation is still told`, () => {
      const { last } = observe({ cells: [orders, clicks], fate: fails('orders'), rounds: 4, ...world });
      expect(accusedBy(last)).toEqual([]);
      if (rule === 'standby-unfit') return;
      expect(last.cells[0]?.refusals.map((each) => each.rule)).toContain(rule);
    });
  }

  it('holds the cells that share a switch with one that people have held', () => {
    const shared = [cell('orders', 'always', { group: 'shop' }), cell('clicks', 'always', { group: 'shop' })];
    const pause = { owner: 'me', reason: 'test', untilMs: START + 3_600_000 };
    const control = { cells: { clicks: { pause } } };
    const { last } = observe({ cells: shared, fate: fails('orders'), rounds: 4, control });
    expect(last.cells[0]?.refusals).toMatchObject([
      { rule: 'pause', reason: expect.stringMatching(/^clicks,/) },
    ]);
    const modes = [shared[0] as WatchedCell, { ...(shared[1] as WatchedCell), mode: 'observe' as const }];
    expect(accusedBy(observe({ cells: modes, fate: fails('orders'), rounds: 4 }).last)).toEqual([]);
    expect(accusedBy(observe({ cells: shared, fate: fails('orders'), rounds: 4 }).last)).toEqual(['orders']);
  });

  it('lets another cell move whose own mode is auto', () => {
    const watching = cell('orders', 'always', { mode: 'observe' });
    const cells = [watching, clicks, cell('views'), cell('carts'), cell('mails')];
    const { last } = observe({ cells, fate: fails('orders', 'clicks'), rounds: 4 });
    expect(accusedBy(last)).toEqual(['clicks']);
  });

  it('is not held by the pause of another cell, nor by one of its own that is over', () => {
    const pause = { owner: 'me', reason: 'test', untilMs: START + 3_600_000 };
    const control = { cells: { clicks: { pause }, orders: { pause: { ...pause, untilMs: START } } } };
    const { last } = observe({ cells: [orders, clicks], fate: fails('orders'), rounds: 4, control });
    expect(accusedBy(last)).toEqual(['orders']);
  });

  it('moves in mode approve with a consent for itself, which moves no region', () => {
    const consent = { owner: 'me', reason: 'test', untilMs: START + 3_600_000 };
    const control = { mode: 'approve' as const, cells: { orders: { approval: consent } } };
    const one = observe({
      cells: [orders, clicks, cell('views'), cell('carts'), cell('mails')],
      fate: fails('orders', 'clicks'),
      rounds: 4,
      control,
    });
    expect(accusedBy(one.last)).toEqual(['orders']);
    const all = observe({ cells: [orders], fate: fails('canary', 'orders'), rounds: 6, control });
    expect(all.last.decision.vote).toBe('HOLD');
  });

  it('never moves by a mode above the one of the policy', () => {
    const cells = [cell('orders', 'always', { mode: 'auto' }), clicks];
    const { last } = observe({
      cells,
      fate: fails('orders'),
      rounds: 4,
      policy: { ...policy, mode: 'observe' },
    });
    expect(accusedBy(last)).toEqual([]);
  });

  for (const errorClass of ['access', 'missing', 'validation', 'unclassified', 'throttled'] as const) {
    it(`is not accused for errors of the class ${errorClass}`, () => {
      const fate: Fate = ({ stream, role }) =>
        stream === 'orders' && role === 'primary' ? failed(errorClass) : ok;
      const { last } = observe({ cells: [orders, clicks], fate, rounds: 12 });
      expect(last.decision).toMatchObject({ vote: 'HOLD', diagnosis: 'Healthy' });
      const told = last.cells.map(({ kind, reason }) => `${kind}: ${reason}`);
      if (errorClass === 'throttled') expect(told).toEqual([]);
      else expect(told).toEqual([`refused: the stream refuses this observer’s records: ${errorClass}`]);
    });
  }
});

describe('the streams of the cells, together', () => {
  it('are the region when half of them and more than one fail, although the canary is well', () => {
    const cells = [orders, clicks, cell('views'), cell('carts')];
    const { last } = observe({ cells, fate: fails('orders', 'clicks'), rounds: 4 });
    expect(last.decision).toMatchObject({ vote: 'EVACUATE', diagnosis: 'StreamsImpaired' });
    expect(accusedBy(last)).toEqual([]);
  });

  it('are not the region when fewer fail', () => {
    const cells = [orders, clicks, cell('views'), cell('carts'), cell('mails')];
    const { last } = observe({ cells, fate: fails('orders', 'clicks'), rounds: 6 });
    expect(last.decision.vote).toBe('HOLD');
    expect(accusedBy(last)).toEqual(['orders', 'clicks']);
  });

  it('speak for it where they are many as well', () => {
    const cells = Array.from({ length: 100 }, (_, n) => cell(`cell-${n}`, 'onSuspicion'));
    const { results, last } = observe({ cells, fate: fails('canary'), rounds: 30 });
    expect(results.map(({ decision }) => decision.vote)).not.toContain('EVACUATE');
    expect(last.decision.diagnosis).toBe('CanaryOnly');
  });

  it('are the region where half of very many fail, and single cells where a tenth does', () => {
    const cells = Array.from({ length: 100 }, (_, n) => cell(`cell-${n}`));
    const failing = (share: number): Fate => fails(...cells.slice(0, share * 100).map((each) => each.cell));
    const many = observe({ cells, fate: failing(0.8), rounds: 40 });
    expect(many.results.map(({ decision }) => decision.vote)).toContain('EVACUATE');
    const few = observe({ cells, fate: failing(0.1), rounds: 60 });
    expect(few.results.map(({ decision }) => decision.vote)).not.toContain('EVACUATE');
    expect(new Set(few.results.flatMap(accusedBy)).size).toBe(10);
  });

  for (const probe of ['always', 'onSuspicion'] as const) {
    it(`speak for a primary whose canary fails (${probe})`, () => {
      const cells = [cell('orders', probe), cell('clicks', probe)];
      const { results, last } = observe({ cells, fate: fails('canary'), rounds: 8 });
      expect(results.map(({ decision }) => decision.vote)).not.toContain('EVACUATE');
      expect(last.decision.diagnosis).toBe('CanaryOnly');
    });
  }

  it('do not speak for it when an outage began in the middle of a round, after their own puts', () => {
    let canary = 0;
    let orders = 0;
    const fate: Fate = ({ stream, role }) => {
      if (role === 'standby') return ok;
      if (stream === 'canary') canary++;
      // The two puts of the first round were taken.
      return stream === 'canary' || ++orders > 2 ? failed() : ok;
    };
    const { results } = observe({ cells: [cell('orders'), cell('clicks', 'onSuspicion')], fate, rounds: 4 });
    expect(canary).toBeGreaterThan(0);
    expect(results[CALM_ROUNDS + 2]?.decision).toMatchObject({ vote: 'EVACUATE' });
  });

  it('go on to speak for it through a blip of theirs, and no longer when that lasts', () => {
    const shaken = (rounds: number): Fate => {
      const calls = new Map<string, number>();
      return ({ stream, role }) => {
        const count = (calls.get(stream) ?? 0) + 1;
        calls.set(stream, count);
        if (role === 'standby') return ok;
        // Six rounds in which the canary alone fails; six puts a round to a stream that is watched closely.
        const isFailing = count > 36 && count <= 36 + rounds * 6;
        return stream === 'canary' || isFailing ? failed() : ok;
      };
    };
    const voted = (rounds: number) =>
      observe({ cells: [orders, clicks], fate: shaken(rounds), rounds: 20 }).results.some(
        ({ decision }) => decision.vote === 'EVACUATE',
      );
    expect(voted(1)).toBe(false);
    expect(voted(8)).toBe(true);
  });

  it('leave the decision to the canary where they may not be probed', () => {
    const { last } = observe({ cells: [cell('orders', 'never')], fate: fails('canary'), rounds: 4 });
    expect(last.decision).toMatchObject({ vote: 'EVACUATE', diagnosis: 'KinesisWriteImpaired' });
  });

  it('do not delay the evacuation of a primary in which everything fails', () => {
    const cells = [cell('orders', 'onSuspicion'), cell('clicks', 'onSuspicion')];
    const fate: Fate = ({ role }) => (role === 'primary' ? failed() : ok);
    const { results, last } = observe({ cells, fate, rounds: 6 });
    expect(results[CALM_ROUNDS + 2]?.decision).toMatchObject({
      vote: 'EVACUATE',
      diagnosis: 'KinesisWriteImpaired',
    });
    expect(results.flatMap(accusedBy)).toEqual([]);
    expect(last.cells[0]?.refusals.map(({ rule }) => rule)).toContain('moves-with-region');
  });
});

describe('what producers report', () => {
  const failing: readonly CellBeacons[] = [{ cell: 'orders', sight: 'failing', sources: 40, failing: 30 }];

  it('has the stream probed where that is allowed on suspicion', () => {
    const cells = [cell('orders', 'onSuspicion'), cell('clicks', 'onSuspicion')];
    const { probed, last } = observe({ cells, fate: fails('orders'), rounds: 3, beacons: failing });
    expect(probed[0]).toEqual(['orders']);
    expect(accusedBy(last)).toEqual(['orders']);
  });

  it('moves nothing by itself under `probe`, whatever it says', () => {
    for (const probe of ['always', 'onSuspicion', 'never'] as const) {
      const { results, last } = observe({
        cells: [cell('orders', probe)],
        fate: () => ok,
        rounds: 20,
        beacons: failing,
      });
      expect(results.flatMap(accusedBy)).toEqual([]);
      expect(last.cells[0]).toMatchObject({ kind: 'unproven', sinceMs: expect.any(Number) });
      expect(last.decision.diagnosis).toBe('Healthy');
      expect(last.cells[0]?.reason).toMatch(
        /30 of 40 producers report failures.*spillway failover --cells orders/,
      );
    }
  });

  it('is told even where too few report for a quorum, and nobody may look for himself', () => {
    const few: readonly CellBeacons[] = [
      { cell: 'orders', sight: 'suspicious', sources: 40, failing: 19, reason: 'not more than half' },
    ];
    const told = (probe: WatchedCell['probe']) =>
      observe({ cells: [cell('orders', probe)], fate: () => ok, rounds: 5, beacons: few }).last.cells;
    expect(told('never')).toMatchObject([
      { kind: 'suspected', reason: expect.stringMatching(/19 of 40.*half/) },
    ]);
    expect(told('always')).toEqual([]);
  });

  it('becomes a page after a minute in which no probe has confirmed it, however many cells there are', () => {
    const cells = Array.from({ length: 40 }, (_, n) => cell(`cell-${n}`, 'onSuspicion'));
    const all = cells.map((each) => ({ cell: each.cell, sight: 'failing', sources: 9, failing: 9 }) as const);
    const { last } = observe({ cells, fate: () => ok, rounds: 14, beacons: all });
    expect(new Set(last.cells.map(({ kind }) => kind))).toEqual(new Set(['unproven']));
  });

  it('moves the cell under `move`, and is not heard under `ignore`', () => {
    const world = { cells: [cell('orders', 'never')], fate: () => ok, rounds: 7, beacons: failing };
    const blip = observe({ ...world, rounds: 6, policy: { ...policy, beacons: 'move' } });
    expect(blip.results.flatMap(accusedBy)).toEqual([]);
    const moved = observe({ ...world, policy: { ...policy, beacons: 'move' } });
    expect(accusedBy(moved.last)).toEqual(['orders']);
    const ignored = observe({ ...world, policy: { ...policy, beacons: 'ignore' } });
    expect(ignored.last.cells).toEqual([]);
  });
});

describe('the plan of a round', () => {
  const many = Array.from({ length: 1_000 }, (_, n) => cell(`cell-${n}`));

  it('gives every cell its turn, a few in each round', () => {
    const { probed } = observe({ cells: many.slice(0, 50), fate: () => ok, rounds: 17 });
    expect(Math.max(...probed.map((names) => names.length))).toBeLessThanOrEqual(STREAMS_PER_ROUND);
    expect(new Set(probed.flat()).size).toBe(50);
  });

  it('stays within its bounds whatever is suspected, and lets nobody wait for ever', () => {
    const sights = fc.array(fc.nat(999), { maxLength: 300 });
    fc.assert(
      fc.property(sights, (suspects) => {
        const beacons = suspects.map(
          (n) => ({ cell: `cell-${n}`, sight: 'suspicious', sources: 9, failing: 3 }) as const,
        );
        const input = { cells: many, beacons, canaryFails: false, nowMs: START };
        const due = streamsDue(undefined, input, policy);
        expect(due.length).toBeLessThanOrEqual(STREAMS_PER_ROUND);
        expect(new Set(due.map((each) => each.cell)).size).toBe(due.length);
        expect(due.filter(({ why }) => why === 'turn').length).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  it('finds a single dead stream among many that are probed in turn, and comes back to it', () => {
    const { probed, last } = observe({ cells: many.slice(0, 30), fate: fails('cell-7'), rounds: 12 });
    expect(accusedBy(last)).toEqual(['cell-7']);
    expect(probed.filter((names) => names.includes('cell-7')).length).toBeGreaterThan(4);
  });

  it('brings every one of thirty dead streams of two hundred to its alarm, whether probed always or on suspicion', () => {
    for (const probe of ['always', 'onSuspicion'] as const) {
      const cells = Array.from({ length: 200 }, (_, n) => cell(`cell-${n}`, probe));
      const dead = cells
        .filter((_, n) => n % 7 === 0)
        .slice(0, 30)
        .map((each) => each.cell);
      const beacons = dead.map(
        (name) => ({ cell: name, sight: 'failing', sources: 40, failing: 40 }) as const,
      );
      const { results } = observe({ cells, fate: fails(...dead), rounds: 120, beacons, moves: true });
      expect(new Set(results.flatMap(accusedBy))).toEqual(new Set(dead));
      expect(results.map(({ decision }) => decision.vote)).not.toContain('EVACUATE');
    }
  });

  it('finds a stream in which one operation alone fails, as producers use it', () => {
    const one = cell('orders');
    let n = 0;
    // Puts of a round alternate between the operations, the first is PutRecords.
    const fate: Fate = ({ stream, role }) =>
      stream === 'orders' && role === 'primary' && n++ % 2 === 0 ? failed() : ok;
    const { results } = observe({ cells: [one, clicks], fate, rounds: 8 });
    expect(results.flatMap(accusedBy)).toContain('orders');
  });

  it('probes nothing of a cell that may not be probed', () => {
    const cells = [cell('orders', 'never'), cell('clicks', 'onSuspicion')];
    const { probed } = observe({ cells, fate: fails('canary', 'orders'), rounds: 6 });
    expect(new Set(probed.flat())).toEqual(new Set(['clicks']));
  });

  it('takes a fair sample of very many cells, always the same', () => {
    const sample = sampleOf(many).map((each) => each.cell);
    expect(sample).toHaveLength(24);
    expect(sampleOf([...many].reverse()).map((each) => each.cell)).toEqual(sample);
    const firstHalf = sample.filter((name) => Number(name.slice(5)) < 500).length;
    expect(firstHalf).toBeGreaterThan(5);
    expect(firstHalf).toBeLessThan(19);
  });
});

describe('the memory', () => {
  it('is small, and forgets a stream a minute after it was last probed', () => {
    const cells = [cell('orders', 'onSuspicion'), cell('clicks', 'onSuspicion')];
    let calls = 0;
    const fate: Fate = ({ stream, role }) =>
      stream === 'canary' && role === 'primary' && calls++ < 2 * policy.putsPerRound ? failed() : ok;
    const { results, memory } = observe({ cells, fate, rounds: 40 });
    expect(results.some((each) => each.memory.evidence.streams !== undefined)).toBe(true);
    expect(memory.evidence.streams).toBeUndefined();
    const longest = Math.max(...results.map((each) => serializeMemory(each.memory).length));
    expect(longest).toBeLessThan(4_000);
  });

  it('reads a damaged part as nothing known', () => {
    const text = serializeMemory(observe({ cells: [orders], fate: fails('orders'), rounds: 4 }).memory);
    const damaged = JSON.parse(text);
    damaged.evidence.streams.cells.orders = { atMs: 'yesterday' };
    damaged.accusedCells = 7;
    const parsed = parseMemory(JSON.stringify(damaged));
    expect(parsed.evidence.streams?.cells).toEqual({});
    expect(parsed.accusedCells).toEqual({});
    expect(parsed.decision.phase).toBe('steady');
  });
});
