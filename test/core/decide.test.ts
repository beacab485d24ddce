import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Control, type ControlReading, parseControl } from '../../lambda/core/control.ts';
import {
  type DecisionState,
  decide,
  initialDecisionState,
  type Observation,
} from '../../lambda/core/decide.ts';
import { type FailbackFacts, failbackRefusals } from '../../lambda/core/failback.ts';
import { guards } from '../../lambda/core/guards.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { noStreamsSeen } from '../../lambda/core/streams.ts';
import { allUp, conditions, gains, policy, regionLevels, wellSeen } from './levels.ts';

const NOW = 1_800_000_000_000;
const impaired: Observation = {
  ...wellSeen,
  primary: { ...allUp, kinesisWrite: 'down' },
  gain: 'large',
  severe: true,
  control: {},
  latch: 'open',
  quorum: 'primary',
  putFailedAtMs: null,
  accusedCells: 0,
};
const well: Observation = { ...impaired, ...wellSeen };

const at = (
  observation: Observation,
  state: DecisionState = initialDecisionState,
  nowMs = NOW,
  p: Policy = policy,
) => decide({ observation, state, policy: p, nowMs });
const rules = (observation: Observation, p: Policy = policy, state = initialDecisionState) =>
  at(observation, state, NOW, p).refusals.map((refusal) => refusal.rule);
const failback: Omit<FailbackFacts, 'nowMs' | 'reports'> = {
  policy: { recoveryMs: policy.recoveryMs, votesToEvacuate: 1 },
  epoch: 1,
  newestEpoch: 1,
  control: {},
  standby: 'us-west-2',
  groups: ['orders'],
  primaryShortfalls: [],
  undrained: [],
};
const override = { owner: 'ana', reason: 'load test', untilMs: NOW + 60_000 };

describe('decide', () => {
  it('votes to evacuate an impaired primary to a fit standby', () => {
    const decision = at(impaired);
    expect(decision.vote).toBe('EVACUATE');
    expect(decision.diagnosis).toBe('KinesisWriteImpaired');
    expect(decision.state).toMatchObject({ phase: 'evacuating', epoch: 1, voteSinceMs: NOW });
  });

  const refusedBy: readonly [string, Observation, Policy?][] = [
    ['mode', { ...impaired, control: { mode: 'observe' } }],
    ['mode', { ...impaired, control: { mode: 'approve' } }],
    ['mode', impaired, { ...policy, mode: 'observe' }],
    ['pause', { ...impaired, control: { pause: override } }],
    ['pause', { ...impaired, control: 'unreadable' }],
    ['maintenance', { ...impaired, control: { maintenance: { ...override, fromMs: NOW - 1 } } }],
    ['observer-sick', { ...impaired, observer: 'clock-suspect' }],
    ['not-actionable', { ...impaired, primary: { ...allUp, kinesisRead: 'down' } }],
    ['not-actionable', { ...impaired, gain: 'small' }],
    ['not-actionable', { ...impaired, gain: 'one-shard' }],
    ['standby-unfit', { ...impaired, standby: { ...allUp, kinesisWrite: 'unknown' } }],
    ['over-already', { ...impaired, putFailedAtMs: NOW - 30_000 }],
    ['hold-time', impaired, { ...policy, holdMs: 1_000 }],
  ];
  for (const [rule, observation, p] of refusedBy) {
    it(`holds, and names ${rule}, when ${JSON.stringify({ ...observation, ...p }).slice(0, 60)}…`, () => {
      expect(at(observation, initialDecisionState, NOW, p).vote).toBe('HOLD');
      expect(rules(observation, p)).toContain(rule);
    });
  }

  it('starts once an override has expired by itself', () => {
    expect(at({ ...impaired, control: { pause: { ...override, untilMs: NOW } } }).vote).toBe('EVACUATE');
    expect(at({ ...impaired, control: { maintenance: { ...override, fromMs: 0, untilMs: NOW } } }).vote).toBe(
      'EVACUATE',
    );
  });

  it('starts in mode approve with an approval that is still valid, and not with an old one', () => {
    const withApproval = (untilMs: number): Observation => ({
      ...impaired,
      control: { mode: 'approve', approval: { ...override, untilMs } },
    });
    expect(at(withApproval(NOW + 1)).vote).toBe('EVACUATE');
    expect(at(withApproval(NOW)).vote).toBe('HOLD');
  });

  it('waits for the hold time, from when the diagnosis became actionable', () => {
    const p = { ...policy, holdMs: 10_000 };
    const first = at(impaired, initialDecisionState, NOW, p);
    expect(at(impaired, first.state, NOW + 9_999, p).vote).toBe('HOLD');
    expect(at(impaired, first.state, NOW + 10_000, p).vote).toBe('EVACUATE');
    const broken = at(well, first.state, NOW + 5_000, p);
    expect(at(impaired, broken.state, NOW + 10_000, p).vote).toBe('HOLD');
  });

  it('keeps a vote through a pause, a sick observer and an unreadable control item', () => {
    const { state } = at(impaired);
    const changes: readonly Partial<Observation>[] = [
      { control: 'unreadable' },
      { control: { pause: override } },
      { observer: 'clock-suspect' },
      { standby: { ...allUp, kinesisWrite: 'down' } },
    ];
    for (const change of changes) {
      expect(at({ ...impaired, ...change }, state, NOW + 5_000).vote).toBe('EVACUATE');
    }
  });

  it('clears a vote only after the recovery time, and only when the switches hold', () => {
    const renewed = (state: DecisionState, nowMs: number): DecisionState => ({
      ...state,
      decidedAtMs: nowMs - 5_000,
    });
    const moved: Observation = { ...well, quorum: 'standby' };
    const latched: Observation = { ...moved, latch: 'latched' };
    const evacuating = at({ ...impaired, quorum: 'standby' }, at(impaired).state, NOW + 1_000).state;
    const recovering = at(moved, evacuating, NOW + 5_000).state;
    const later = NOW + 5_000 + policy.recoveryMs;
    expect(at(moved, renewed(recovering, later), later).vote).toBe('EVACUATE');
    expect(at({ ...moved, latch: 'unknown' }, renewed(recovering, later), later).vote).toBe('EVACUATE');
    expect(at({ ...moved, latch: 'partial' }, renewed(recovering, later), later).vote).toBe('EVACUATE');
    const evacuated = at(latched, renewed(recovering, later - 5_000), later - 5_000);
    expect(evacuated.vote).toBe('EVACUATE');
    expect(evacuated.state.phase).toBe('evacuated');
    const cleared = at(latched, evacuated.state, later);
    expect(cleared.vote).toBe('HOLD');
    expect(cleared.state).toMatchObject({ phase: 'recovered', clearedAtMs: later });
    expect(rules(impaired, policy, { ...cleared.state, clearedAtMs: NOW - 1 })).toContain('cooldown');
  });

  it('says Recovering until the primary has been healthy for the recovery time', () => {
    const { state } = at(impaired);
    expect(at(well, state, NOW + 10_000).diagnosis).toBe('Recovering');
    expect(at(well, state, NOW + policy.recoveryMs).diagnosis).toBe('Healthy');
  });

  it('takes back a vote that nobody joined, once the primary looks healthy, and needs no cooldown after it', () => {
    const cast = at(impaired).state;
    const ripe = NOW + 2 * policy.voteTtlMs;
    const renewed = { ...cast, decidedAtMs: ripe - 5_000 };
    expect(at(impaired, renewed, ripe).vote).toBe('EVACUATE');
    expect(at(well, { ...cast, decidedAtMs: ripe - 6_000 }, ripe - 1_000).vote).toBe('EVACUATE');
    expect(at({ ...well, quorum: 'unknown' }, renewed, ripe).vote).toBe('EVACUATE');
    expect(at({ ...well, quorum: 'standby' }, renewed, ripe).vote).toBe('EVACUATE');
    const dropped = at(well, renewed, ripe);
    expect(dropped.vote).toBe('HOLD');
    expect(at(impaired, dropped.state, ripe + 5_000).vote).toBe('EVACUATE');
  });

  it('takes back a vote that nobody joined once too little has failed for a long time, though something still does', () => {
    const cast = at(impaired).state;
    const mild: Observation = { ...impaired, gain: 'small' };
    const since = NOW + 60_000;
    const longAfter = since + 10 * policy.voteTtlMs;
    const renewed = (nowMs: number, state = cast): DecisionState => ({
      ...state,
      decidedAtMs: nowMs - 5_000,
    });
    const waiting = at(mild, renewed(since), since).state;
    expect(at(mild, renewed(longAfter - 1, waiting), longAfter - 1).vote).toBe('EVACUATE');
    expect(at({ ...mild, quorum: 'standby' }, renewed(longAfter, waiting), longAfter).vote).toBe('EVACUATE');
    const severeAgain = at(impaired, renewed(since + 5_000, waiting), since + 5_000).state;
    expect(at(mild, renewed(longAfter, severeAgain), longAfter).vote).toBe('EVACUATE');
    const dropped = at(mild, renewed(longAfter, waiting), longAfter);
    expect([dropped.vote, dropped.state.phase]).toEqual(['HOLD', 'suspected']);
    expect(at(impaired, dropped.state, longAfter + 5_000).vote).toBe('EVACUATE');
  });

  it('takes back a vote that nobody joined while reads are refused, and one under which DNS has moved and is back', () => {
    const quiet: Observation = { ...well, primary: { ...allUp, kinesisRead: 'unknown' } };
    const long = 10 * policy.voteTtlMs;
    const renewed = (state: DecisionState, nowMs: number): DecisionState => ({
      ...state,
      decidedAtMs: nowMs - 5_000,
    });
    const cast = at(impaired).state;
    const waiting = at(quiet, renewed(cast, NOW + 60_000), NOW + 60_000).state;
    const later = NOW + 60_000 + long;
    expect(at(quiet, renewed(waiting, later), later).vote).toBe('HOLD');
    const mild: Observation = { ...impaired, gain: 'small' };
    const moved = at({ ...mild, quorum: 'standby' }, renewed(cast, NOW + 60_000), NOW + 60_000).state;
    expect(at({ ...mild, quorum: 'standby' }, renewed(moved, later), later).vote).toBe('EVACUATE');
    const ended = at(mild, renewed(moved, later), later);
    expect([ended.vote, ended.state.clearedAtMs]).toEqual(['HOLD', later]);
  });

  it('is not kept from voting by the end of a vote that lies in the future: that clock was wrong', () => {
    expect(rules(impaired, policy, { ...initialDecisionState, clearedAtMs: NOW + 86_400_000 })).toEqual([]);
  });

  it('keeps a vote under which DNS has moved, even when DNS is back in the primary, until the primary has recovered', () => {
    const moved = at({ ...impaired, quorum: 'standby' }, at(impaired).state, NOW + 20_000).state;
    const back = NOW + 200_000;
    const state = { ...moved, decidedAtMs: back - 5_000 };
    expect(at(well, state, back).vote).toBe('EVACUATE');
    const recovered = at(well, { ...state, healthySinceMs: back - policy.recoveryMs }, back);
    expect(recovered.vote).toBe('HOLD');
    expect(recovered.state.clearedAtMs).toBe(back);
  });

  it('follows an operator who moves the cells by hand, without a vote', () => {
    const byHand = at({ ...well, latch: 'latched' });
    expect(byHand.vote).toBe('HOLD');
    expect(byHand.state.phase).toBe('inStandby');
    expect(at({ ...well, latch: 'partial' }, byHand.state, NOW + 5_000).state.phase).toBe('partlyInStandby');
    expect(at({ ...well, latch: 'partial' }).state.phase).toBe('partlyInStandby');
    expect(at(well, byHand.state, NOW + 5_000).state.phase).toBe('steady');
  });

  it('says that DNS has moved without it, and not that all is steady', () => {
    const moved = at({ ...well, quorum: 'standby' });
    expect([moved.vote, moved.state.phase]).toEqual(['HOLD', 'quorumMoved']);
    expect(at({ ...well, quorum: 'unknown' }, moved.state, NOW + 5_000).state.phase).toBe('quorumMoved');
    expect(at({ ...well, quorum: 'primary' }, moved.state, NOW + 5_000).state.phase).toBe('steady');
  });

  it('calls the primary recovered exactly when the guard of a failback would, whatever came before', () => {
    const round = fc.record({
      primary: fc.constantFrom(allUp, { ...allUp, reachability: 'suspect' } as const, impaired.primary),
      control: fc.constantFrom<ControlReading>({}, { mode: 'observe' }),
      latch: fc.constantFrom('latched', 'partial', 'open', 'unknown'),
      quorum: fc.constantFrom('primary', 'standby', 'unknown'),
      afterMs: fc.constantFrom(5_000, policy.voteTtlMs + 1, policy.recoveryMs / 2, policy.recoveryMs),
    });
    let recovered = 0;
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 12 }), (rounds) => {
        let [state, nowMs] = [initialDecisionState, NOW];
        for (const { afterMs, ...seen } of rounds) {
          nowMs += afterMs;
          const decision = at({ ...well, ...seen } as Observation, state, nowMs);
          state = decision.state;
          if (decision.vote === 'EVACUATE' || seen.latch !== 'latched' || state.phase === 'held') continue;
          const refusals = failbackRefusals({
            ...failback,
            nowMs,
            reports: [
              {
                region: 'us-west-2',
                fresh: true,
                vote: decision.vote,
                diagnosis: decision.diagnosis,
                decidedAtMs: nowMs,
                healthySinceMs: state.healthySinceMs,
              },
            ],
          });
          if (refusals.length === 0) recovered++;
          expect(state.phase).toBe(refusals.length === 0 ? 'recovered' : 'inStandby');
        }
      }),
    );
    expect(recovered).toBeGreaterThan(0);
  });

  it('does not repeat an old vote after an absence, unless the primary is still impaired', () => {
    const { state } = at(impaired);
    const later = NOW + policy.voteTtlMs + 1;
    expect(at(well, state, later).vote).toBe('HOLD');
    expect(at(impaired, state, later).vote).toBe('EVACUATE');
  });

  it('never votes to evacuate anew while any guard refuses, whatever it sees', () => {
    const control: fc.Arbitrary<ControlReading> = fc.oneof(
      fc.constant<ControlReading>('unreadable'),
      fc.record<Partial<Control>>(
        {
          mode: fc.constantFrom('auto', 'approve', 'observe'),
          pause: fc.constant(override),
          maintenance: fc.constant({ ...override, fromMs: 0 }),
        },
        { requiredKeys: [] },
      ) as fc.Arbitrary<ControlReading>,
    );
    const observation: fc.Arbitrary<Observation> = fc.record({
      primary: regionLevels,
      standby: regionLevels,
      gain: fc.constantFrom(...gains),
      severe: fc.boolean(),
      blames: fc.constant([]),
      observer: fc.constantFrom(...conditions),
      control,
      latch: fc.constantFrom('latched', 'partial', 'open', 'unknown'),
      quorum: fc.constantFrom('primary', 'standby', 'unknown'),
      putFailedAtMs: fc.constantFrom(null, NOW, NOW - 60_000),
      streams: fc.constant(noStreamsSeen),
      accusedCells: fc.nat(3),
    });
    fc.assert(
      fc.property(observation, (o) => {
        const decision = at(o);
        expect(decision.vote === 'EVACUATE').toBe(decision.refusals.length === 0);
        if (decision.vote === 'HOLD') return;
        expect(o.control).not.toBe('unreadable');
        expect(o.standby.kinesisWrite).not.toBe('unknown');
        expect(o.primary.kinesisWrite).toBe('down');
        expect(o.gain).toBe('large');
      }),
      { numRuns: 5_000 },
    );
  });

  it('keeps the guards in the documented order', () => {
    expect(guards.map((guard) => guard.rule)).toEqual([
      'mode',
      'pause',
      'maintenance',
      'observer-sick',
      'moves-with-region',
      'in-standby',
      'not-actionable',
      'standby-unfit',
      'over-already',
      'cooldown',
      'hold-time',
    ]);
  });
});

describe('the control item', () => {
  it('means nothing when it does not exist, and is unreadable when it is malformed', () => {
    expect(parseControl(undefined)).toEqual({});
    for (const item of [
      null,
      'pause',
      { mode: 'AUTO' },
      { pause: true },
      { pause: { ...override, owner: '' } },
      { pause: { owner: 'ana', reason: 'forever' } },
    ]) {
      expect(parseControl(item)).toBe('unreadable');
    }
    expect(parseControl({ pk: 'control', sk: 'control', pause: override })).toEqual({ pause: override });
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (item) => void parseControl(item)));
  });
});
