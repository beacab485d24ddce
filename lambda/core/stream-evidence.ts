import { countDoubtful, type DoubtfulRounds, LIMIT_ROUNDS } from './blame.ts';
import { type EvidenceModel, modelTimes, type SignalEvidence } from './evidence.ts';
import type { Policy } from './policy.ts';
import type { ErrorClass, ProbeOutcome } from './probe.ts';
import { type PutOperation, putOperations } from './put-plan.ts';
import { type Puts, putsOf } from './put-window.ts';
import {
  addPuts,
  addRoundToTest,
  gainModel,
  type PutHistory,
  type PutRound,
  wellStandby,
} from './severity.ts';

/** The marked records that one round put into the two streams of a cell. */
export interface StreamOutcomes {
  readonly cell: string;
  readonly primary: readonly ProbeOutcome[];
  /** Empty while nothing is suspected of the cell. */
  readonly standby: readonly ProbeOutcome[];
}

/** What an observer remembers of a cell's streams: of those that it has probed lately, or accuses. */
export interface StreamEvidence {
  /** When the cell's stream was last probed. */
  readonly atMs: number;
  readonly primary?: PutHistory | undefined;
  readonly standby?: PutHistory | undefined;
  /** Page's test of the gain over the cell's own stream in the standby (severity.ts). */
  readonly test?: SignalEvidence | undefined;
  /** The same test of the puts of one operation alone: one that fails for itself fails for those who use it. */
  readonly byOperation?: Readonly<Partial<Record<PutOperation, SignalEvidence>>> | undefined;
  /** The switch of the cell held it in the standby when it was last read. */
  readonly isHeld?: boolean | undefined;
  /** Rounds in a row with errors that say nothing about a region, by role and class. */
  readonly doubtful: DoubtfulRounds;
  /** When the stream was last known to be well. */
  readonly wellAtMs?: number | undefined;
}

/** Rounds whose puts say how a stream is now. */
const RECENT_ROUNDS = 6;
/**
 * A test of some hundreds of cells' streams in turn may come back to one only after half a minute: what it showed
 * holds for a minute.
 */
export const STREAM_LIFE_MS = 60_000;
/** Puts, at least, of which nearly all were taken, for a stream to be known to work. */
const WELL_PUTS = 8;

export const noStream: StreamEvidence = { atMs: 0, doubtful: {} };

/** Adds a round. */
export function addStreamRound(
  before: StreamEvidence,
  { outcomes, atMs }: { readonly outcomes: StreamOutcomes; readonly atMs: number },
  policy: Policy,
): StreamEvidence {
  if (outcomes.standby.length === 0 && outcomes.primary.every(({ ok }) => ok) && isAtRest(before)) {
    const primary = addPuts(before.primary, { puts: outcomes.primary, atMs }, policy, STREAM_LIFE_MS);
    const next = { ...before, atMs, primary };
    // Puts that change nothing in a full window leave it as well as it was.
    const staysWell = before.wellAtMs === before.atMs && primary.window === before.primary?.window;
    return staysWell ? { ...next, wellAtMs: atMs } : notingWell(next, policy);
  }
  const round = (puts: readonly ProbeOutcome[]) => ({ puts, atMs });
  const standby =
    outcomes.standby.length === 0
      ? before.standby
      : addPuts(before.standby, round(outcomes.standby), policy, STREAM_LIFE_MS);
  // A standby in which nothing has failed counts as well, however few its puts: it is asked from the first failure on,
  // and a move needs a success there besides.
  const fails = isRecent(standby, atMs) && putsOf(standby?.window ?? '').failed > 0;
  const model = gainModel(fails ? standby : wellStandby(policy), policy);
  const after: StreamEvidence = {
    ...before,
    atMs,
    primary: addPuts(before.primary, round(outcomes.primary), policy, STREAM_LIFE_MS),
    standby,
    ...(model === undefined ? {} : testsAfter(before, { puts: outcomes.primary, atMs }, { model, policy })),
    doubtful: countDoubtful(before.doubtful, {
      primary: outcomes.primary,
      ...(outcomes.standby.length === 0 ? {} : { standby: outcomes.standby }),
    }),
  };
  return notingWell(after, policy);
}

/** The operation of the n-th put of a round to a stream of the primary: they take turns. */
export const streamOperation = (n: number): PutOperation =>
  putOperations[n % putOperations.length] ?? 'PutRecords';

/** As for any suspicion: more than one failure. */
const LEAST_FAILURES = 1.5;

type Tests = Pick<StreamEvidence, 'test' | 'byOperation'>;

function testsAfter(
  { test, byOperation }: Tests,
  { puts, atMs }: PutRound,
  context: { readonly model: EvidenceModel; readonly policy: Policy },
): Tests {
  const together = addRoundToTest(test, { puts, atMs }, context);
  // A lone failure, which the puts together have outweighed, is nothing for its operation either.
  const least = isCalm(together) ? LEAST_FAILURES * context.model.failureWeight : 0;
  const each = putOperations.flatMap((operation) => {
    const own = puts.filter((_, n) => streamOperation(n) === operation);
    const next = addRoundToTest(byOperation?.[operation], { puts: own, atMs }, context);
    return next === undefined || isCalm(next) || (!next.alarmed && next.score < least)
      ? []
      : [[operation, next] as const];
  });
  return {
    test: together,
    byOperation: each.length === 0 ? undefined : Object.fromEntries(each),
  };
}

const isCalm = (test: SignalEvidence | undefined): boolean =>
  test === undefined || (test.score === 0 && !test.alarmed);

/** Every test of the stream. */
const testsOf = ({ test, byOperation }: Tests): readonly (SignalEvidence | undefined)[] =>
  byOperation === undefined ? [test] : [test, ...Object.values(byOperation)];

/** The largest score of any test that has no alarm yet: how near the stream is to one. */
export const nearness = (evidence: StreamEvidence): number =>
  Math.max(...testsOf(evidence).map((test) => (test === undefined || test.alarmed ? 0 : test.score)));
export const isAlarmed = (evidence: StreamEvidence): boolean =>
  evidence.test?.alarmed === true ||
  (evidence.byOperation !== undefined && testsOf(evidence).some((test) => test?.alarmed));

/** Nothing fails, and nothing has lately: successes change nothing but the time. */
const isAtRest = ({ test, byOperation, doubtful }: StreamEvidence): boolean =>
  isCalm(test) && byOperation === undefined && isEmpty(doubtful);

function isEmpty(rounds: DoubtfulRounds): boolean {
  for (const _ in rounds) return false;
  return true;
}

/** Notes that the stream is well, if what was just added shows it. */
export const notingWell = (evidence: StreamEvidence, policy: Policy): StreamEvidence =>
  streamLevel(evidence, policy, evidence.atMs) === 'well'
    ? { ...evidence, wellAtMs: evidence.atMs }
    : evidence;

export interface SpeakingContext {
  readonly policy: Policy;
  readonly nowMs: number;
  /** Since when the canary has failed without a break; undefined: it does not. */
  readonly canaryFailsSinceMs?: number | undefined;
}

/** An outage may begin in the middle of a round, after the puts to one stream and before those to the other. */
const SAME_ONSET_TICKS = 1.5;

/**
 * Whether a stream speaks for the primary: it is well, or it was so within a minute and what fails there now may be a
 * blip. Else any blip would, while the canary is dead, look like an outage of the region.
 */
export function speaksForPrimary(
  evidence: StreamEvidence,
  { policy, nowMs, canaryFailsSinceMs = Number.NEGATIVE_INFINITY }: SpeakingContext,
): boolean {
  const { wellAtMs, test } = evidence;
  if (wellAtMs === evidence.atMs && nowMs === wellAtMs) return true;
  const level = streamLevel(evidence, policy, nowMs);
  if (level === 'well') return true;
  if (level !== 'suspect' || wellAtMs === undefined || test === undefined) return false;
  // What begins with the failures of the canary is no blip beside a dead canary: it is what the canary sees.
  if (test.sinceMs - canaryFailsSinceMs <= SAME_ONSET_TICKS * policy.tickMs) return false;
  const { sustainMs } = modelTimes({ sustainMs: policy.blipMs, periodMs: policy.tickMs });
  return nowMs - wellAtMs <= STREAM_LIFE_MS && (test.failedAtMs ?? 0) - test.sinceMs < sustainMs;
}

/**
 * How a stream is. `impaired`: far more of its records are refused than in the cell's stream of the standby. `suspect`:
 * something fails. `well`: it demonstrably takes records. `refused`: it tells nothing, because it does not accept this
 * observer's records for reasons that are nobody's outage. `unknown`: nothing is known.
 */
export type StreamLevel = 'impaired' | 'suspect' | 'well' | 'refused' | 'unknown';

export function streamLevel(evidence: StreamEvidence, policy: Policy, nowMs: number): StreamLevel {
  if (Math.abs(nowMs - evidence.atMs) > STREAM_LIFE_MS) return 'unknown';
  if (isAlarmed(evidence)) return 'impaired';
  if (refusalIn(evidence, 'primary') !== undefined) return 'refused';
  const { failed, counted } = recentPuts(evidence.primary);
  if (failed > policy.minimumGain * WELL_SHARE * counted) return 'suspect';
  if (counted >= WELL_PUTS) return 'well';
  return failed > 0 ? 'suspect' : 'unknown';
}
/** Share of the minimum gain up to which a stream works well enough to speak against a canary that fails. */
const WELL_SHARE = 0.5;

export const recentPuts = (history: PutHistory | undefined): Puts =>
  history === undefined ? { failed: 0, counted: 0 } : putsOf(history.window, RECENT_ROUNDS);

/** Whether a stream has failed lately, so that it has to be looked at again, and harder. */
export const isUneasy = ({ test, byOperation }: StreamEvidence): boolean =>
  !isCalm(test) || byOperation !== undefined;

/** Why a stream takes none of this observer's records although nothing is broken; undefined when it is not so. */
export function refusalIn({ doubtful }: StreamEvidence, role: 'primary' | 'standby'): ErrorClass | undefined {
  const found = Object.entries(doubtful).find(
    ([key, rounds]) => key.startsWith(`${role} `) && rounds >= LIMIT_ROUNDS,
  );
  return found?.[0].slice(role.length + 1) as ErrorClass | undefined;
}

/** Whether the cell's stream in the standby has taken a record lately. */
export function standbyTakes({ standby }: StreamEvidence, nowMs: number): boolean {
  if (!isRecent(standby, nowMs)) return false;
  const { failed, counted } = putsOf(standby?.window ?? '', STANDBY_ROUNDS);
  return counted > failed;
}
const STANDBY_ROUNDS = 3;

const isRecent = (history: PutHistory | undefined, nowMs: number): boolean =>
  history !== undefined && Math.abs(nowMs - history.atMs) <= STREAM_LIFE_MS;
