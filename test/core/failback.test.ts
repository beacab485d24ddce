import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ObserverReport, observerReport, watchPrimary } from '../../lambda/core/conductor-observers.ts';
import {
  type FailbackFacts,
  failbackGuards,
  failbackPossibleFromMs,
  failbackRefusals,
  groupsToTakeBack,
  releasePlan,
  stageCount,
} from '../../lambda/core/failback.ts';

const NOW = 1_800_000_000_000;
const report = (region: string, more: Partial<ObserverReport> = {}): ObserverReport => ({
  region,
  fresh: true,
  vote: 'HOLD',
  diagnosis: 'Healthy',
  decidedAtMs: NOW,
  healthySinceMs: NOW - 900_000,
  ...more,
});
const reports = [report('us-west-2'), report('us-east-2'), report('eu-west-1')];
const facts: FailbackFacts = {
  nowMs: NOW,
  policy: { recoveryMs: 900_000, votesToEvacuate: 2 },
  epoch: 3,
  newestEpoch: 3,
  control: {},
  reports,
  standby: 'us-west-2',
  groups: ['orders'],
  primaryShortfalls: [],
  undrained: [],
};
const rules = (changes: Partial<FailbackFacts>): readonly string[] =>
  failbackRefusals({ ...facts, ...changes }).map(({ rule }) => rule);

describe('a failback is refused', () => {
  it('by nothing when the primary has recovered', () => {
    expect(rules({})).toEqual([]);
  });

  it.each<[string, Partial<FailbackFacts>]>([
    ['newer-epoch', { newestEpoch: 4 }],
    ['pause', { control: { pause: { owner: 'ada', reason: 'no', untilMs: NOW + 1 } } }],
    ['pause', { control: 'unreadable' }],
    [
      'votes',
      {
        reports: [
          report('us-west-2'),
          report('us-east-2', { vote: 'EVACUATE' }),
          report('eu-west-1', { vote: 'EVACUATE' }),
        ],
      },
    ],
    ['recovery', { reports: [report('us-west-2'), report('us-east-2', { healthySinceMs: NOW - 1 })] }],
    ['recovery', { reports: [report('us-west-2'), report('us-east-2', { fresh: false })] }],
    ['canary', { reports: [report('us-west-2', { healthySinceMs: null }), ...reports.slice(1)] }],
    ['canary', { reports: reports.slice(1) }],
    ['capacity', { primaryShortfalls: ['orders: too small'] }],
    ['drain', { undrained: ['orders'] }],
  ])('by the rule %s', (rule, changes) => {
    expect(rules(changes)).toEqual([rule]);
  });

  it('by rules that are each in the table once', () => {
    const names = failbackGuards.map(({ rule }) => rule);
    expect(new Set(names).size).toBe(names.length);
  });

  it('until K observers have seen it healthy for long enough, and says when that will be', () => {
    const later = [report('us-west-2'), report('us-east-2', { healthySinceMs: NOW - 600_000 })];
    expect(failbackRefusals({ ...facts, reports: later })[0]?.untilMs).toBe(NOW + 300_000);
  });

  it('not by one observer that votes to leave while the others see the primary healthy: it may be cut off', () => {
    const cutOff = report('eu-west-1', {
      vote: 'EVACUATE',
      diagnosis: 'RegionUnreachable',
      healthySinceMs: null,
    });
    expect(rules({ reports: [...reports.slice(0, 2), cutOff] })).toEqual([]);
  });

  it('not by a pause that has run out', () => {
    expect(rules({ control: { pause: { owner: 'ada', reason: 'no', untilMs: NOW } } })).toEqual([]);
  });
});

describe('a failback is possible', () => {
  const fromMs = (changes: Partial<FailbackFacts>): number | null =>
    failbackPossibleFromMs(failbackRefusals({ ...facts, ...changes }), changes.nowMs ?? NOW);

  it('now, when no guard refuses', () => {
    expect(fromMs({})).toBe(NOW);
  });

  it('when the vote of an observer that waits for the recovery ends, and not before it says so', () => {
    const voting = (phase: string) =>
      reports.map((one) => ({ ...one, vote: 'EVACUATE' as const, phase, healthySinceMs: NOW - 300_000 }));
    expect(fromMs({ reports: voting('evacuated') })).toBe(NOW + 600_000);
    expect(fromMs({ reports: voting('evacuating') })).toBeNull();
    expect(fromMs({ reports: voting('a phase of another version') })).toBeNull();
  });

  it('never, as far as one can tell, while a guard refuses that does not give way by itself', () => {
    const pause = { owner: 'ada', reason: 'no', untilMs: NOW + 1 };
    expect(fromMs({ control: { pause } })).toBe(NOW + 1);
    expect(fromMs({ control: { pause }, primaryShortfalls: ['orders: too small'] })).toBeNull();
    expect(fromMs({ control: 'unreadable' })).toBeNull();
  });

  it('exactly from then on, if the world stays as it is', () => {
    const ms = fc.integer({ min: -2_000_000, max: 900_000 });
    const observer = fc.record({
      fresh: fc.boolean(),
      vote: fc.constantFrom('HOLD', 'EVACUATE'),
      phase: fc.constantFrom('evacuated', 'evacuating', 'recovered'),
      healthySinceMs: fc.option(
        ms.map((before) => NOW - Math.abs(before)),
        { nil: null },
      ),
    });
    const until = ms.map((after) => NOW + after);
    const world = fc.record({
      pause: fc.option(until, { nil: undefined }),
      observers: fc.array(observer, { minLength: 3, maxLength: 3 }),
      votesToEvacuate: fc.constantFrom(1, 2, 3),
    });
    let [known, unknown] = [0, 0];
    fc.assert(
      fc.property(world, ({ pause, observers, votesToEvacuate }) => {
        const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
        /** What an observer that has recovered does with its vote, said once more. */
        const at = (nowMs: number): FailbackFacts => ({
          ...facts,
          nowMs,
          policy: { ...facts.policy, votesToEvacuate },
          control: pause === undefined ? {} : { pause: { owner: 'ada', reason: 'no', untilMs: pause } },
          reports: observers.map((one, n) => {
            const ends =
              one.phase === 'evacuated' &&
              one.healthySinceMs !== null &&
              nowMs - one.healthySinceMs >= facts.policy.recoveryMs;
            return report(regions[n] ?? '', {
              ...one,
              vote: one.vote === 'EVACUATE' && !ends ? 'EVACUATE' : 'HOLD',
            } as Partial<ObserverReport>);
          }),
        });
        const from = failbackPossibleFromMs(failbackRefusals(at(NOW)), NOW);
        if (from === null) {
          unknown++;
          expect(failbackRefusals(at(NOW + 10_000_000))).not.toEqual([]);
          return;
        }
        known++;
        expect(failbackRefusals(at(from))).toEqual([]);
        if (from > NOW) expect(failbackRefusals(at(from - 1))).not.toEqual([]);
      }),
    );
    expect(Math.min(known, unknown)).toBeGreaterThan(0);
  });

  it.each([
    [1, 25, 1],
    [4, 25, 4],
    [100, 25, 4],
    [3, 10, 7],
    [0, 50, 1],
    [1_000, 1, 100],
  ])('in stages: %i groups at %i %% are back after %i', (total, percent, stages) => {
    expect(stageCount({ total, percent })).toBe(stages);
  });
});

describe('while a failback runs, the primary', () => {
  const watch = (...list: readonly ObserverReport[]): string =>
    watchPrimary({ reports: list, groups: ['orders'], votesToEvacuate: 2 }).verdict;

  const voting = (region: string) => report(region, { vote: 'EVACUATE', diagnosis: 'RegionUnreachable' });
  const accusing = (region: string) => report(region, { diagnosis: 'KinesisWriteImpaired' });

  const accusingCell = (region: string, cell: string) =>
    report(region, {
      diagnosis: 'StreamImpaired',
      cells: [
        {
          ...{ cell, group: cell, kind: 'impaired', sinceMs: NOW, reason: '6 of 6' },
          refusals: [{ rule: 'in-standby', reason: 'moved' }],
        },
      ],
    });

  it('fails again for a cell whose own stream K observers accuse, and holds for one of them', () => {
    const orders = ['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => accusingCell(region, 'orders'));
    expect(watch(...orders)).toBe('take-back');
    expect(watch(...orders.slice(0, 1), ...reports.slice(1))).toBe('hold');
    expect(rules({ reports: orders })).toEqual(['streams']);
    expect(rules({ reports: [...orders.slice(0, 1), ...reports.slice(1)] })).toEqual([]);
  });

  it('is well enough for a cell when only the stream of another one fails', () => {
    const clicks = ['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => accusingCell(region, 'clicks'));
    expect(watch(...clicks)).toBe('go');
    expect(rules({ reports: clicks })).toEqual([]);
  });

  it('fails again when K observers vote to leave it, or name what would make them', () => {
    expect(watch(report('us-west-2'), voting('us-east-2'), voting('eu-west-1'))).toBe('take-back');
    expect(watch(report('us-west-2'), accusing('us-east-2'), voting('eu-west-1'))).toBe('take-back');
  });

  it('is not known to be well while one accuses it, and that one is a minority where K see it healthy', () => {
    const look = (...list: readonly ObserverReport[]) =>
      watchPrimary({ reports: list, groups: ['orders'], votesToEvacuate: 2 });
    expect(look(...reports.slice(1), voting('us-west-2'))).toEqual({
      verdict: 'hold',
      reason: 'us-west-2 sees RegionUnreachable, and votes EVACUATE; 2 others see the primary healthy',
      minority: true,
    });
    expect(look(report('us-east-2'), accusing('us-west-2'))).toMatchObject({
      verdict: 'hold',
      minority: false,
    });
  });

  it.each(['StandbyUnfit', 'StandbyDegraded', 'CloudWatchBlind', 'Recovering', 'ProbesRefused'])(
    'is well when K see it healthy, even if they say %s: a standby that fails is a reason to go back',
    (diagnosis) => {
      expect(watch(...reports.map((one) => ({ ...one, diagnosis })))).toBe('go');
    },
  );

  it('is well when K see it healthy, whatever else in the region is not', () => {
    expect(watch(...reports)).toBe('go');
    expect(watch(...reports.slice(1).map((one) => ({ ...one, diagnosis: 'CloudWatchBlind' })))).toBe('go');
  });

  it('is not known when observers are silent, stale or unsure: nothing moves', () => {
    expect(watch()).toBe('hold');
    expect(
      watch(report('us-west-2'), report('us-east-2', { fresh: false, diagnosis: 'KinesisWriteImpaired' })),
    ).toBe('hold');
    expect(watch(report('us-west-2'), report('us-east-2', { diagnosis: 'Undetermined' }))).toBe('hold');
  });

  it('is reported by an item only while that item lives', () => {
    const item = {
      vote: 'EVACUATE',
      diagnosis: 'X',
      decidedAtMs: NOW,
      expiresAtMs: NOW + 30_000,
      healthySinceMs: null,
    };
    expect(observerReport('r', item, NOW + 29_999)).toMatchObject({ fresh: true, vote: 'EVACUATE' });
    expect(observerReport('r', item, NOW + 30_000)).toMatchObject({ fresh: false, vote: 'HOLD' });
    expect(observerReport('r', {}, NOW)).toBeUndefined();
  });
});

describe('a stage', () => {
  const groups = Array.from({ length: 17 }, (_, n) => `g${n}`);
  const held = groups.map((group) => ({ group, position: 'STANDBY' as const, epoch: 1 }));

  it('releases its share once, however often it is repeated, and all stages together release everything', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (percent) => {
        let switches: { group: string; position: 'PRIMARY' | 'STANDBY'; epoch: number }[] = held;
        for (let stage = 0; stage < Math.ceil(100 / percent); stage++) {
          const plan = releasePlan({ groups, switches, epoch: 2, percent, stage });
          const back = new Set(plan.release);
          expect(plan.total).toBe(17);
          switches = switches.map((one) =>
            back.has(one.group) ? { ...one, position: 'PRIMARY', epoch: 2 } : one,
          );
          expect(releasePlan({ groups, switches, epoch: 2, percent, stage }).release).toEqual([]);
        }
        expect(switches.every(({ position }) => position === 'PRIMARY')).toBe(true);
        expect(groupsToTakeBack(switches, 2)).toEqual(groups);
      }),
    );
  });

  it('does not touch a group that was never evacuated, or that a newer act has set', () => {
    const switches = [
      { group: 'g0', position: 'STANDBY' as const, epoch: 3 },
      { group: 'g1', position: 'PRIMARY' as const, epoch: 1 },
      { group: 'g2', position: 'STANDBY' as const, epoch: 1 },
    ];
    const plan = releasePlan({ groups, switches, epoch: 2, percent: 100, stage: 0 });
    expect(plan).toEqual({ release: ['g2'], released: 1, total: 1, overruled: 1 });
    expect(groupsToTakeBack(switches, 2)).toEqual([]);
  });
});
