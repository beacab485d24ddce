import { describe, expect, test } from 'vitest';
import { failingRoundsToVote } from '../../lib/config/budget.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { leastInput, problemsOf } from './inputs.ts';

const witnesses = ['us-east-2', 'eu-west-1'];
const fiveObservers = {
  primary: 'us-east-1',
  standby: 'us-west-2',
  witnesses: [...witnesses, 'eu-west-2', 'eu-north-1'],
};
const config = (values: Partial<ConfigInput>): ConfigInput => ({ ...leastInput, ...values });
const cells = (count: number, group?: string): Pick<ConfigInput, 'cells'> => ({
  cells: Array.from({ length: count }, (_, n) => ({
    name: `c${n}`,
    stream: `s${n}`,
    ...(group && { group }),
  })),
});

describe('roles', () => {
  test.each([
    [
      'the standby',
      { primary: 'us-east-1', standby: 'us-east-1', witnesses },
      'regions.standby',
      'regions.primary',
    ],
    [
      'a witness',
      { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-1', 'eu-west-1'] },
      'regions.witnesses[0]',
      'regions.primary',
    ],
    [
      'two witnesses',
      { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['eu-west-1', 'eu-west-1'] },
      'regions.witnesses[1]',
      'regions.witnesses[0]',
    ],
  ])('%s cannot share a region with another role', (_what, regions, path, owner) => {
    expect(problemsOf(config({ regions }))).toEqual([
      { path, problem: expect.stringContaining(`is ${owner} already`), fix: expect.stringMatching(/own/) },
    ]);
  });
});

describe('quorum', () => {
  test.each([
    ['1 of 3', 1, undefined, 'one sick observer would move traffic'],
    ['3 of 3', 3, undefined, 'one dead observer would block every evacuation'],
    ['4 of 3', 4, undefined, 'one dead observer would block every evacuation'],
    ['1 of 5', 1, fiveObservers, 'one sick observer would move traffic'],
    ['5 of 5', 5, fiveObservers, 'one dead observer would block every evacuation'],
  ])('%s votes are refused', (_what, votesToEvacuate, regions, effect) => {
    expect(problemsOf(config({ policy: { votesToEvacuate }, regions }))).toEqual([
      {
        path: 'policy.votesToEvacuate',
        problem: expect.stringContaining(effect),
        fix: expect.stringMatching(regions === undefined ? /^Write 2,/ : /^Write a number from 2 to 4,/),
      },
    ]);
  });

  test.each([
    [2, undefined],
    [2, fiveObservers],
    [3, fiveObservers],
    [4, fiveObservers],
  ])('%d votes are accepted when no single observer decides or blocks', (votesToEvacuate, regions) => {
    expect(problemsOf(config({ policy: { votesToEvacuate }, regions }))).toEqual([]);
  });
});

describe('evidence', () => {
  test('an impaired region must fail more than a healthy one', () => {
    const policy = { baselineFailureRate: 0.05, impairedFailureRate: 0.05 };
    expect(problemsOf(config({ policy }))).toEqual([
      {
        path: 'policy.impairedFailureRate',
        problem: '0.05 is not above policy.baselineFailureRate 0.05',
        fix: expect.stringMatching(/^Raise this value/),
      },
    ]);
  });

  test('one failed round of probes is never an outage, whatever the policy', () => {
    const policy = {
      ...{ baselineFailureRate: 0.000_001, impairedFailureRate: 0.99, minimumGain: 0.05, putsPerRound: 10 },
      ...{ falseAlarmsPerYear: 1_000, blipMs: 0 },
    };
    expect(problemsOf(config({ policy }))).toEqual([]);
    expect(failingRoundsToVote(parseConfig(config({ policy }), 'test').policy)).toBeGreaterThanOrEqual(2);
  });
});

describe('timing of an observer', () => {
  test('a put and its read-back fit into a tick', () => {
    expect(problemsOf(config({ policy: { probeTimeoutMs: 2_500 } }))).toEqual([]);
    expect(problemsOf(config({ policy: { probeTimeoutMs: 2_501 } }))).toEqual([
      {
        path: 'policy.probeTimeoutMs',
        problem: expect.stringContaining('may take 5002 ms, longer than policy.tickMs 5000'),
        fix: 'Lower this value to 2500, or raise policy.tickMs to 5002.',
      },
    ]);
  });

  test('the observers together do not exhaust the reads of the canary shard', () => {
    const policy = { tickMs: 1_199, probeTimeoutMs: 500 };
    expect(problemsOf(config({ policy }))).toEqual([
      {
        path: 'policy.tickMs',
        problem: expect.stringContaining('with 3 observers'),
        fix: expect.stringMatching(/^Raise this value to 1200/),
      },
    ]);
    expect(problemsOf(config({ policy: { ...policy, tickMs: 1_200 } }))).toEqual([]);
    expect(problemsOf(config({ policy: { ...policy, tickMs: 1_200 }, regions: fiveObservers }))).toHaveLength(
      1,
    );
  });

  test('a vote outlives the seam between two runs', () => {
    expect(problemsOf(config({ policy: { voteTtlMs: 19_000 } }))).toEqual([]);
    expect(problemsOf(config({ policy: { voteTtlMs: 18_999 } }))).toEqual([
      {
        path: 'policy.voteTtlMs',
        problem: expect.stringContaining('between two runs'),
        fix: 'Raise this value to 19000 or more.',
      },
    ]);
  });
});

describe('recovery time', () => {
  test('the defaults keep 46 s, and no less can be asked of them', () => {
    expect(problemsOf(config({ delivery: { rtoMs: 46_000 } }))).toEqual([]);
    expect(problemsOf(config({ delivery: { rtoMs: 45_999 } }))).toEqual([
      {
        path: 'delivery.rtoMs',
        problem:
          '45999 ms cannot be kept: evidence 19000 + seam 5000 + hold 0 + vote checks 10000 + dns propagation 5000 + dns ttl 5000 + producer poll 2000 = 46000 ms',
        fix: 'Raise this value to 46000 or more, or lower (largest part first) policy.blipMs, policy.tickMs, delivery.dnsTtlSeconds, delivery.producerPollMs.',
      },
    ]);
  });

  test('each part counts, and the fix names the largest first', () => {
    const [found] = problemsOf(
      config({ policy: { holdMs: 25_000 }, delivery: { healthCheckIntervalSeconds: 30 } }),
    );
    expect(found?.problem).toContain('hold 25000 + vote checks 30000');
    expect(found?.fix).toContain('healthCheckIntervalSeconds, policy.holdMs, policy.blipMs');
  });
});

describe('health checks', () => {
  test('196 switches, 3 votes and a quorum are the usual 200', () => {
    expect(problemsOf(config(cells(196)))).toEqual([]);
    expect(problemsOf(config(cells(197)))).toEqual([
      {
        path: 'healthCheckQuota',
        problem: expect.stringContaining('201 health checks are needed (3 votes, 1 quorum, 197 switches)'),
        fix: expect.stringMatching(/write the new quota here; else .* same group/),
      },
    ]);
  });

  test('a stated quota, or a shared switch, makes room', () => {
    expect(problemsOf(config({ ...cells(197), healthCheckQuota: 201 }))).toEqual([]);
    expect(problemsOf(config(cells(197, 'all')))).toEqual([]);
    expect(problemsOf(config({ ...cells(197), healthCheckQuota: 200 }))).toHaveLength(1);
  });
});

test('every broken relation is reported at once', () => {
  const broken = config({
    regions: { primary: 'us-east-1', standby: 'us-east-1', witnesses },
    policy: { votesToEvacuate: 1, probeTimeoutMs: 3_000, voteTtlMs: 5_000 },
    delivery: { rtoMs: 10_000 },
    healthCheckQuota: 2,
  });
  expect(problemsOf(broken).map(({ path }) => path)).toEqual([
    'regions.standby',
    'policy.votesToEvacuate',
    'policy.probeTimeoutMs',
    'policy.voteTtlMs',
    'delivery.rtoMs',
    'healthCheckQuota',
  ]);
});

describe('the cell for drills', () => {
  const two = [
    { name: 'orders', stream: 'orders' },
    { name: 'drill', stream: 'drill' },
  ];

  test('is accepted when it is one of the cells and its switch is its own', () => {
    expect(problemsOf(config({ cells: two, drill: { cell: 'drill' } }))).toEqual([]);
  });

  test('has to exist, and a near name is offered', () => {
    expect(problemsOf(config({ cells: two, drill: { cell: 'dril' } }))).toEqual([
      { path: 'drill.cell', problem: 'there is no cell dril', fix: 'Did you mean drill?' },
    ]);
    const [problem] = problemsOf(config({ cells: two, drill: { cell: 'rehearsals' } }));
    expect(problem?.fix).toBe('Add a cell of that name to cells.');
  });

  test('never moves a cell that carries traffic: it shares its group with none', () => {
    const cells = two.map((cell) => ({ ...cell, group: 'all' }));
    const [problem] = problemsOf(config({ cells, drill: { cell: 'drill' } }));
    expect(problem?.path).toBe('drill.cell');
    expect(problem?.problem).toMatch(/^drill shares the switch of group all with orders/);
    expect(problem?.fix).toBe('Give the drill cell a group of its own, or leave its group out.');
  });

  test('may not be shared with a cell whose group has its name', () => {
    const cells = [{ name: 'orders', stream: 'orders', group: 'drill' }, ...two.slice(1)];
    expect(problemsOf(config({ cells, drill: { cell: 'drill' } }))).toHaveLength(1);
  });
});

describe('the days after which a drill is overdue', () => {
  const drilled = (schedule: 'weekly' | 'off', drillOverdueDays: number) =>
    config({ drill: { cell: 'orders', schedule }, monitoring: { drillOverdueDays } });

  test('are more than there are between two weekly drills, or the alarm would fire while all is well', () => {
    expect(problemsOf(drilled('weekly', 8))).toEqual([]);
    expect(problemsOf(drilled('weekly', 7))).toMatchObject([
      { path: 'monitoring.drillOverdueDays', fix: 'Write 8 or more, or leave this key out.' },
    ]);
    expect(problemsOf(drilled('off', 1))).toEqual([]);
  });

  test('are not given where no drill could ever silence the alarm', () => {
    expect(problemsOf(config({ monitoring: { drillOverdueDays: 8 } }))).toMatchObject([
      { path: 'monitoring.drillOverdueDays', fix: 'Name a cell in drill.cell, or leave this key out.' },
    ]);
  });
});

test('producers may move a cell only where they have a table to report in', () => {
  const policy = { beacons: 'move' } as const;
  expect(problemsOf(config({ policy }))).toMatchObject([
    { path: 'policy.beacons', fix: 'Write beacons: true at the top level as well.' },
  ]);
  expect(problemsOf(config({ policy, beacons: true }))).toEqual([]);
});
