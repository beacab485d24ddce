import type { ControlReading } from './control.ts';
import { type Diagnosis, type DiagnosisCode, diagnose, type Sight } from './diagnosis.ts';
import { type Refusal, refusalsOf } from './guards.ts';
import {
  type Latch,
  type LifeAction,
  type LifeEvent,
  type LifeFacts,
  type Phase,
  type Quorum,
  transition,
  voteOf,
} from './lifecycle.ts';
import { type Policy, recoveredAtMs } from './policy.ts';
import { regionsStreamsFail } from './streams.ts';
import type { Vote } from './vote.ts';

/** An observer's memory of its own decisions. Times are epoch milliseconds; null = not yet, or not now. */
export interface DecisionState {
  readonly phase: Phase;
  /** Counts this observer's evacuations. */
  readonly epoch: number;
  /** Since when the vote has had its value. */
  readonly voteSinceMs: number | null;
  /** Whether DNS has been seen in the standby since this vote began. */
  readonly sawMove: boolean;
  /** Since when the diagnosis has been actionable without a break. */
  readonly actionableSinceMs: number | null;
  /** Since when the primary has looked healthy without a break. */
  readonly healthySinceMs: number | null;
  /** Since when, while this vote stands, the gain has not been large. */
  readonly mildSinceMs: number | null;
  /** When the primary was last seen impaired: writes or reads down. */
  readonly impairedAtMs: number | null;
  /** When the last evacuation of this observer's vote ended. */
  readonly clearedAtMs: number | null;
  /** When this state was decided. A vote older than its life has expired, whatever its value. */
  readonly decidedAtMs: number | null;
}

export const initialDecisionState: DecisionState = {
  phase: 'steady',
  epoch: 0,
  voteSinceMs: null,
  sawMove: false,
  actionableSinceMs: null,
  healthySinceMs: null,
  mildSinceMs: null,
  impairedAtMs: null,
  clearedAtMs: null,
  decidedAtMs: null,
};

export interface Observation extends Omit<Sight, 'recovering'> {
  readonly control: ControlReading;
  readonly latch: Latch;
  readonly quorum: Quorum;
  /** When a put to the primary last failed; null = never. */
  readonly putFailedAtMs: number | null;
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
  /**
   * One sentence for the log: the row of the transition table that was taken, and the first guard that
   * refuses.
   */
  readonly comment: string;
  /** Guards that refuse a new evacuation now. */
  readonly refusals: readonly Refusal[];
  readonly state: DecisionState;
}

/**
 * Decides an observer's vote. Pure: the same observation, state, policy and time give the same decision in
 * Lambda, simulator and drill.
 */
export function decide({ observation, state, policy, nowMs }: DecideInput): Decision {
  const healthySinceMs = looksHealthy(observation) ? (state.healthySinceMs ?? nowMs) : null;
  const impairedAtMs = isImpaired(observation) ? nowMs : state.impairedAtMs;
  const recovering = impairedAtMs !== null && nowMs - impairedAtMs < policy.recoveryMs;
  const diagnosis = diagnose({ ...observation, recovering });
  const actionableSinceMs = diagnosis.actionable ? (state.actionableSinceMs ?? nowMs) : null;
  const refusals = refusalsOf({
    nowMs,
    policy,
    control: observation.control,
    diagnosis,
    standby: observation.standby,
    blames: observation.blames,
    observer: observation.observer,
    putFailedAtMs: observation.putFailedAtMs,
    actionableSinceMs,
    clearedAtMs: state.clearedAtMs,
  });
  const sawMove = state.sawMove || (voteOf(state.phase) === 'EVACUATE' && observation.quorum === 'standby');
  const isMild =
    voteOf(state.phase) === 'EVACUATE' &&
    observation.gain !== 'large' &&
    !regionsStreamsFail(observation.streams);
  const mildSinceMs = isMild ? (state.mildSinceMs ?? nowMs) : null;
  const facts = factsOf({ observation, policy, nowMs, state, sawMove, healthySinceMs, mildSinceMs });
  const event = eventOf({
    diagnosis,
    refused: refusals.length > 0,
    recovered: facts.recovered,
    observation,
  });
  const taken = transition(state.phase, event, facts);
  return {
    vote: voteOf(taken.to),
    diagnosis: diagnosis.code,
    comment: event === 'refusal' ? `${taken.comment}: ${firstReason(refusals)}` : taken.comment,
    refusals,
    state: {
      phase: taken.to,
      ...ended(taken.action, state, nowMs),
      voteSinceMs:
        voteOf(taken.to) === voteOf(state.phase) && state.voteSinceMs !== null ? state.voteSinceMs : nowMs,
      sawMove: sawMove && voteOf(taken.to) === 'EVACUATE',
      actionableSinceMs,
      healthySinceMs,
      mildSinceMs,
      impairedAtMs,
      decidedAtMs: nowMs,
    },
  };
}

/**
 * Lives of a vote for which too little must have failed before a vote that nobody joined ends. Long, because the vote
 * ends without knowing whether another one is about to join it: that would move DNS, and back.
 */
const MILD_LIVES = 10;

interface EventInput {
  readonly diagnosis: Pick<Diagnosis, 'actionable'>;
  readonly refused: boolean;
  readonly recovered: boolean;
  readonly observation: Observation;
}

/** Maps a tick to exactly one event. */
function eventOf({ diagnosis, refused, recovered, observation }: EventInput): LifeEvent {
  if (diagnosis.actionable) return refused ? 'refusal' : 'accusation';
  const { kinesisWrite, kinesisErrors, kinesisRead, reachability } = observation.primary;
  const uneasy =
    regionsStreamsFail(observation.streams) ||
    [kinesisWrite, kinesisErrors, kinesisRead, reachability].some(
      (level) => level === 'suspect' || level === 'down',
    );
  if (uneasy) return 'suspicion';
  return recovered ? 'recovery' : 'quiet';
}

function factsOf({
  observation,
  policy,
  nowMs,
  state,
  sawMove,
  healthySinceMs,
  mildSinceMs,
}: DecideInput & Pick<DecisionState, 'sawMove' | 'healthySinceMs' | 'mildSinceMs'>): LifeFacts {
  return {
    latch: observation.latch,
    quorum: observation.quorum,
    lapsed: state.decidedAtMs !== null && nowMs - state.decidedAtMs > policy.voteTtlMs,
    sawMove,
    // Twice the life of a vote: by then the checkers, DNS and every other observer's vote have long caught
    // up.
    ripe: state.voteSinceMs !== null && nowMs - state.voteSinceMs >= 2 * policy.voteTtlMs,
    healthy: healthySinceMs !== null,
    mild: mildSinceMs !== null && nowMs - mildSinceMs >= MILD_LIVES * policy.voteTtlMs,
    recovered: healthySinceMs !== null && nowMs >= recoveredAtMs(healthySinceMs, policy),
  };
}

function ended(
  action: LifeAction,
  { epoch, clearedAtMs }: DecisionState,
  nowMs: number,
): Pick<DecisionState, 'epoch' | 'clearedAtMs'> {
  switch (action) {
    case 'cast':
      return { epoch: epoch + 1, clearedAtMs };
    case 'withdraw':
      return { epoch, clearedAtMs: nowMs };
    // A dropped vote moved nothing, so nothing has to cool down: this observer is needed in a real outage.
    case 'drop':
    case 'none':
      return { epoch, clearedAtMs };
    default:
      return action satisfies never;
  }
}

/**
 * Whether the primary looks healthy. Recovery needs more than no alarm: writes and reads must both be known
 * to work.
 */
function looksHealthy({ primary, observer, streams }: Observation): boolean {
  if (regionsStreamsFail(streams)) return false;
  const { kinesisWrite, kinesisErrors, kinesisRead } = primary;
  return observer === 'sound' && kinesisWrite === 'up' && kinesisErrors !== 'down' && kinesisRead === 'up';
}

const isImpaired = ({ primary, streams }: Observation): boolean =>
  [primary.kinesisWrite, primary.kinesisErrors, primary.kinesisRead].includes('down') ||
  regionsStreamsFail(streams);

function firstReason(refusals: readonly Refusal[]): string {
  const first = refusals[0];
  return first === undefined ? 'no guard' : `${first.reason} (${first.rule})`;
}
