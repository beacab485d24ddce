import { describe, expect, test, vi } from 'vitest';
import type { Scenario } from '../../lib/scenario/schema.ts';
import { defaultFleet } from '../../lib/scenario/sources.ts';
import { fuzzOne, fuzzSystem } from '../../lib/simulator/fuzz.ts';
import { type InvariantName, invariants } from '../../lib/simulator/invariants.ts';
import { runScenario } from '../../lib/simulator/run.ts';
import type { SimulatedCore, SimulationOptions } from '../../lib/simulator/types.ts';
import {
  anyGain,
  anyProducer,
  anyVote,
  believesProducers,
  blindToStandby,
  blindToStandbyStreams,
  blindToStreams,
  deafToOperators,
  hastyProducers,
  memoryless,
  noCooldown,
  oneAccuser,
  oneVoteTree,
  staleVotes,
  strayTree,
  trustsTheLatch,
} from './broken-cores.ts';
import { fault, MINUTE_MS, scenarioOf } from './deployed.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Mutation {
  readonly invariant: InvariantName;
  readonly what: string;
  readonly breakage: Pick<SimulationOptions, 'core' | 'routing'>;
  /** In which it shows. */
  readonly run: Omit<SimulationOptions, 'system' | 'seed'>;
}

const outage = (fromMin: number, toMin: number, changes: Parameters<typeof fault>[0] = {}) =>
  fault({ atMs: fromMin * MINUTE_MS, untilMs: toMin * MINUTE_MS, ...changes });
const cutOff = (fromMin: number, toMin: number, observer: string) =>
  outage(fromMin, toMin, { where: { region: 'primary' }, seenFrom: [observer] });

const streams = (region: string, ...names: string[]) => ({
  where: { region, service: 'kinesis' as const, streams: names },
});
const lying = (share: number): Scenario => ({
  ...scenarioOf(10 * MINUTE_MS, []),
  producers: { ...defaultFleet, cells: {} },
  lies: [{ atMs: MINUTE_MS, untilMs: 9 * MINUTE_MS, share, says: 'failing' }],
});

const mutations: readonly Mutation[] = [
  {
    invariant: 'quorum',
    what: 'votes that outlive their observer',
    breakage: { core: staleVotes },
    run: {
      scenario: scenarioOf(8 * MINUTE_MS, [cutOff(0, 2, 'us-east-2'), cutOff(4, 8, 'us-west-2')]),
      dead: { region: 'us-east-2', fromMs: 1.5 * MINUTE_MS },
    },
  },
  {
    invariant: 'quorum',
    what: 'a quorum of one, and an observer whose endpoint lies',
    breakage: { routing: oneVoteTree },
    run: { scenario: scenarioOf(5 * MINUTE_MS, [outage(9, 10)]), liar: 'eu-west-1' },
  },
  {
    invariant: 'fit-standby',
    what: 'a decision that does not look at the standby',
    breakage: { core: blindToStandby },
    run: {
      scenario: scenarioOf(5 * MINUTE_MS, [
        outage(0, 5),
        outage(0, 5, { where: { region: 'standby', service: 'kinesis' } }),
      ]),
    },
  },
  {
    invariant: 'worth-it',
    what: 'votes for a failure that retries cure',
    breakage: { core: anyGain },
    run: { scenario: scenarioOf(30 * MINUTE_MS, [outage(0, 30, { rate: 0.06 })]) },
  },
  {
    invariant: 'one-failover',
    what: 'no cooldown',
    breakage: { core: noCooldown },
    run: { scenario: scenarioOf(18 * MINUTE_MS, [outage(0, 3), outage(10.5, 14)]) },
  },
  {
    invariant: 'no-failback',
    what: 'votes that end on recovery though no switch holds',
    breakage: { core: trustsTheLatch },
    run: { scenario: scenarioOf(15 * MINUTE_MS, [outage(0, 3)]), conductor: 'dead' },
  },
  {
    invariant: 'pause',
    what: 'a pause that is not heard',
    breakage: { core: deafToOperators },
    run: {
      scenario: scenarioOf(5 * MINUTE_MS, [outage(0, 5)]),
      actions: [{ kind: 'pause', atMs: -MINUTE_MS, forMs: 10 * MINUTE_MS }],
    },
  },
  {
    invariant: 'pause',
    what: 'a control item that cannot be read, and is taken for none',
    breakage: { core: deafToOperators },
    run: {
      scenario: scenarioOf(5 * MINUTE_MS, [outage(0, 5)]),
      actions: [{ kind: 'unreadable', atMs: -MINUTE_MS, forMs: 10 * MINUTE_MS }],
    },
  },
  {
    invariant: 'no-flapping',
    what: 'votes that follow the outage’s dips',
    breakage: { core: memoryless },
    run: { scenario: scenarioOf(20 * MINUTE_MS, [outage(0, 3), outage(8, 12)]), conductor: 'dead' },
  },
  {
    invariant: 'one-sided',
    what: 'a quorum of one, and an observer that is cut off',
    breakage: { routing: oneVoteTree },
    run: { scenario: scenarioOf(5 * MINUTE_MS, [cutOff(0, 5, 'us-east-2')]) },
  },
  {
    invariant: 'one-sided',
    what: 'votes that are read as accusations, whatever they say',
    breakage: { core: anyVote },
    run: { scenario: scenarioOf(5 * MINUTE_MS, [cutOff(0, 5, 'us-east-2')]) },
  },
  {
    invariant: 'workload-first',
    what: 'a canary that is believed while the streams of the cells are well',
    breakage: { core: blindToStreams },
    run: { scenario: scenarioOf(10 * MINUTE_MS, [outage(1, 9, streams('primary', 'canary'))]) },
  },
  {
    invariant: 'cell-quorum',
    what: 'a single observer that may move a cell',
    breakage: { core: oneAccuser },
    run: {
      scenario: {
        ...scenarioOf(10 * MINUTE_MS, [
          outage(1, 9, { ...streams('primary', 'orders'), seenFrom: ['us-east-2'] }),
        ]),
        producers: { ...defaultFleet, beacons: false, probe: 'always', cells: {} },
      },
    },
  },
  {
    invariant: 'cell-quorum',
    what: 'a majority of liars that is believed where beacons only have streams probed',
    breakage: { core: believesProducers },
    run: { scenario: lying(0.9) },
  },
  {
    invariant: 'cell-quorum',
    what: 'a minority of liars that is taken for a quorum',
    breakage: { core: anyProducer },
    run: { scenario: { ...lying(0.3), policy: { beacons: 'move' } } },
  },
  {
    invariant: 'cell-quorum',
    what: 'producers that are believed before a blip would be over',
    breakage: { core: hastyProducers },
    run: {
      scenario: {
        ...scenarioOf(5 * MINUTE_MS, [
          outage(1, 1 + 8 / 60, { ...streams('primary', 'orders'), seenFrom: ['producers'] }),
        ]),
        producers: { ...defaultFleet, probe: 'never', cells: {} },
        policy: { beacons: 'move' },
      },
    },
  },
  {
    invariant: 'cell-standby',
    what: 'a cell’s stream in the standby that is not looked at',
    breakage: { core: blindToStandbyStreams },
    run: {
      scenario: {
        ...scenarioOf(10 * MINUTE_MS, [
          outage(1, 9, streams('primary', 'orders')),
          outage(1, 9, streams('standby', 'orders')),
        ]),
        producers: { ...defaultFleet, cells: {} },
      },
    },
  },
  {
    invariant: 'one-region',
    what: 'a tree whose standby is nobody’s region',
    breakage: { routing: strayTree },
    run: { scenario: scenarioOf(5 * MINUTE_MS, [outage(0, 5)]) },
  },
];

/** Names of the invariants that a run breaks. */
function broken(run: Omit<SimulationOptions, 'system' | 'seed'>): readonly string[] {
  const { violations } = runScenario({ system: fuzzSystem, seed: 5, ...run });
  return [...new Set(violations.map(({ invariant }) => invariant))];
}

describe('a broken core is noticed', () => {
  test('every invariant has a mutation', () => {
    expect(new Set(mutations.map(({ invariant }) => invariant))).toEqual(
      new Set(invariants.map(({ name }) => name)),
    );
  });

  test.each(mutations)('$invariant: $what', ({ invariant, breakage, run }) => {
    expect(broken(run)).toEqual([]);
    expect(broken({ ...run, ...breakage })).toContain(invariant);
  });
});

describe('random scenarios notice it as well', () => {
  const cases: readonly (readonly [string, InvariantName, SimulatedCore])[] = [
    ['a decision that does not look at the standby', 'fit-standby', blindToStandby],
    ['votes that end on recovery though no switch holds', 'no-failback', trustsTheLatch],
    ['a pause that is not heard', 'pause', deafToOperators],
    ['votes that follow the outage’s dips', 'no-flapping', memoryless],
    ['votes that are read as accusations', 'one-sided', anyVote],
    ['a canary that is believed while the streams are well', 'workload-first', blindToStreams],
    ['liars that are believed', 'cell-quorum', believesProducers],
    ['a single observer that may move a cell', 'cell-quorum', oneAccuser],
    ['a stream in the standby that is not looked at', 'cell-standby', blindToStandbyStreams],
  ];
  const MOST_SEEDS = 150;

  test.each(cases)('%s (%s)', (_, invariant, core) => {
    let seed = 1;
    const found = (): boolean =>
      fuzzOne(seed, core).violations.some((violation) => violation.invariant === invariant);
    while (seed < MOST_SEEDS && !found()) seed++;

    expect(seed).toBeLessThan(MOST_SEEDS);
    expect(fuzzOne(seed).violations).toEqual([]);
  });
});

test('a slice of the random scenarios breaks nothing', () => {
  for (let seed = 1; seed <= 300; seed++)
    expect(fuzzOne(seed), `seed ${seed}`).toMatchObject({ violations: [] });
});

test('the same seed is the same case', () => {
  const traces = [1, 2].map(() => {
    const lines: unknown[] = [];
    fuzzOne(42, undefined, (line) => lines.push(line));
    return lines;
  });

  expect(traces[0]).toEqual(traces[1]);
});
