import type { ControlReading } from './control.ts';
import { type DiagnosisCode, diagnose, type Sight } from './diagnosis.ts';
import { type Refusal, refusalsOf } from './guards.ts';
import type { Policy } from './policy.ts';
import type { Latch } from './switch.ts';
import type { Vote } from './vote.ts';

/** What an observer remembers of its own decisions. */
export interface DecisionState {
  readonly vote: Vote;
  /** Counts this observer's evacuations. */
  readonly epoch: number;
  /** Since when the vote has been what it is; null before the first decision. */
  readonly voteSinceMs: number | null;
  readonly actionableSinceMs: number | null;
  /** Since when the primary has looked healthy without a break. */
  readonly healthySinceMs: number | null;
  readonly clearedAtMs: number | null;
  /** When this state was decided. A vote older than its life has lapsed, whatever it was. */
  readonly decidedAtMs: number | null;
}

export const initialDecisionState: DecisionState = {
  vote: 'HOLD',
  epoch: 0,
  voteSinceMs: null,
  actionableSinceMs: null,
  healthySinceMs: null,
  clearedAtMs: null,
  decidedAtMs: null,
};

export interface Observation extends Sight {
  readonly control: ControlReading;
  readonly latch: Latch;
}

export interface DecideInput {
  readonly observation: Observation;
  readonly state: DecisionState;
  readonly policy: Policy;
  readonly nowMs: number;
}

export interface Decision {
  readonly vote: Vote;
  readonly diagnosis: DiagnosisCode;
  /** Why no evacuation starts, or why the one under way does not end; one sentence for the log. */
  readonly comment: string;
  /** Guards that refuse a new evacuation now. */
  readonly refusals: readonly Refusal[];
  readonly state: DecisionState;
}

/** What a step of the vote depends on, besides the vote itself. */
interface VoteConditions {
  readonly refused: boolean;
  readonly recovered: boolean;
  readonly latched: boolean;
  /** The vote was not renewed in time, so the endpoint has been saying HOLD since. */
  readonly lapsed: boolean;
}

interface VoteStep {
  readonly from: Vote;
  readonly when: (conditions: VoteConditions) => boolean;
  readonly to: Vote;
  readonly comment: string;
}

/**
 * The life of a vote; first match wins, and for each vote the last row always matches. A vote once cast is not taken
 * back by a guard: guards stop *new* evacuations, and a vote that wavered would make DNS flap. It clears only when
 * the switches hold traffic in the standby, so clearing it never moves traffic.
 */
export const voteSteps: readonly VoteStep[] = [
  { from: 'HOLD', when: (c) => !c.refused, to: 'EVACUATE', comment: 'no guard refuses: voting to evacuate' },
  { from: 'HOLD', when: () => true, to: 'HOLD', comment: 'holding' },
  {
    from: 'EVACUATE',
    when: (c) => c.lapsed && c.refused,
    to: 'HOLD',
    comment: 'the vote lapsed while this observer was away; voting again would be a new evacuation',
  },
  {
    from: 'EVACUATE',
    when: (c) => c.recovered && c.latched,
    to: 'HOLD',
    comment: 'primary has recovered and the switches hold: the vote clears, traffic stays in the standby',
  },
  {
    from: 'EVACUATE',
    when: (c) => c.recovered,
    to: 'EVACUATE',
    comment: 'primary has recovered, but the switches do not hold yet: clearing the vote would move traffic',
  },
  { from: 'EVACUATE', when: () => true, to: 'EVACUATE', comment: 'evacuated; the primary has not recovered' },
];

/** Pure: the same observation, state, policy and time give the same decision in Lambda, simulator and drill. */
export function decide({ observation, state, policy, nowMs }: DecideInput): Decision {
  const diagnosis = diagnose(observation);
  const actionableSinceMs = diagnosis.actionable ? (state.actionableSinceMs ?? nowMs) : null;
  const healthySinceMs = looksHealthy(observation) ? (state.healthySinceMs ?? nowMs) : null;
  const refusals = refusalsOf({
    nowMs,
    policy,
    control: observation.control,
    diagnosis,
    standby: observation.standby,
    observer: observation.observer,
    actionableSinceMs,
    clearedAtMs: state.clearedAtMs,
  });
  const step = nextStep(state.vote, {
    refused: refusals.length > 0,
    recovered: healthySinceMs !== null && nowMs - healthySinceMs >= policy.recoveryMs,
    latched: observation.latch === 'latched',
    lapsed: state.decidedAtMs !== null && nowMs - state.decidedAtMs > policy.voteTtlMs,
  });
  const changed = step.to !== state.vote;
  return {
    vote: step.to,
    diagnosis: diagnosis.code,
    comment: step.to === 'HOLD' && !changed ? holdComment(refusals) : step.comment,
    refusals,
    state: {
      vote: step.to,
      epoch: changed && step.to === 'EVACUATE' ? state.epoch + 1 : state.epoch,
      voteSinceMs: changed || state.voteSinceMs === null ? nowMs : state.voteSinceMs,
      actionableSinceMs,
      healthySinceMs,
      clearedAtMs: changed && step.to === 'HOLD' ? nowMs : state.clearedAtMs,
      decidedAtMs: nowMs,
    },
  };
}

function nextStep(vote: Vote, conditions: VoteConditions): VoteStep {
  const step = voteSteps.find((row) => row.from === vote && row.when(conditions));
  if (step === undefined) throw new Error(`No row of the vote table starts from ${vote}.`);
  return step;
}

/** Recovery asks for more than the absence of an alarm: writes and reads must both be known to work. */
function looksHealthy({ primary, observer }: Observation): boolean {
  return observer === 'sound' && primary.kinesisWrite === 'up' && primary.kinesisRead === 'up';
}

function holdComment(refusals: readonly Refusal[]): string {
  const first = refusals[0];
  return first === undefined ? 'holding' : `holding: ${first.reason} (${first.rule})`;
}
