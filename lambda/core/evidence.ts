import { errorClasses, type ProbeOutcome } from './probe.ts';

/**
 * Sequential evidence for one signal: Page's CUSUM over the log-likelihood ratio of success and failure (E.
 * S. Page, "Continuous inspection schemes", Biometrika 41, 1954), with the alarm threshold from Lorden's
 * bound (G. Lorden, "Procedures for reacting to a change in distribution", Ann. Math. Stat. 42, 1971): the
 * mean time between false alarms is at least e^h samples, so h = ln(samples a year / false alarms allowed a
 * year).
 *
 * After an alarm the same test runs in the other direction, healthy against impaired, from zero to the same
 * h. One success weighs far less than one failure, so clearing is slower than raising, and every further
 * failure sets it back.
 */
export interface EvidenceModel {
  /** Weight of a failure: added while there is no alarm, subtracted while there is one. */
  readonly failureWeight: number;
  /** Weight of a success: subtracted while there is no alarm, added while there is one. */
  readonly successWeight: number;
  /** The score that raises the alarm, and the score of recovery that clears it. */
  readonly threshold: number;
  /** The failures must span at least this time; shorter failures are a blip. */
  readonly sustainMs: number;
  /** Evidence older than this does not count. */
  readonly staleAfterMs: number;
}

/** `suspect` is shown but never acted on; `unknown` is neither up nor down. */
export type SignalLevel = 'up' | 'suspect' | 'down' | 'unknown';

/**
 * The evidence for one signal. Serialisable, so that a cold start or a second instance continues where the
 * last one stopped.
 */
export interface SignalEvidence {
  /** Score of impairment while there is no alarm, of recovery while there is one. From 0 to the threshold. */
  readonly score: number;
  readonly alarmed: boolean;
  /**
   * Time of the first failure in the current sequence of close failures. Epoch milliseconds, as all times.
   */
  readonly sinceMs: number;
  /** The last failure; null = none yet. */
  readonly failedAtMs: number | null;
  /** The last success; null = none yet. A signal that never worked is not up. */
  readonly okAtMs: number | null;
  readonly sampledAtMs: number;
}

export interface ModelSettings {
  /** Failing fraction of a healthy region (null hypothesis). */
  readonly baselineRate: number;
  /**
   * Failing fraction to be found quickly (alternative). A smaller fraction is found too if it is nearer to
   * this than to the baseline.
   */
  readonly impairedRate: number;
  readonly falseAlarmsPerYear: number;
  /** Time between two rounds of this signal. */
  readonly periodMs: number;
  /** Samples a round brings. */
  readonly samplesPerRound: number;
  readonly sustainMs: number;
}

const YEAR_MS = 365.25 * 24 * 3_600_000;
/** Missing rounds after which a signal is unknown. */
const STALE_AFTER_ROUNDS = 4;
/**
 * Share of the period by which a round may come early and still count as a full period after the one before.
 */
const CADENCE_TOLERANCE = 0.05;
/** Suspicion needs more than one failure's weight: a single failed probe is not suspicious. */
const SUSPECT_FAILURES = 1.5;
/**
 * Failures that are further apart than this multiple of `sustainMs` are two blips, not one sustained failure.
 * For a signal that is sampled more rarely, failures within the life of its evidence belong together.
 */
const APART_SUSTAINS = 2.5;

/** Derives weights and threshold; nothing in them is tuned by hand. */
export function evidenceModel(settings: ModelSettings): EvidenceModel {
  const { baselineRate: p0, impairedRate: p1, periodMs, samplesPerRound } = settings;
  return {
    failureWeight: Math.log(p1 / p0),
    successWeight: Math.log((1 - p0) / (1 - p1)),
    threshold: Math.log(((YEAR_MS / periodMs) * samplesPerRound) / settings.falseAlarmsPerYear),
    ...modelTimes({ sustainMs: settings.sustainMs, periodMs }),
  };
}

/** The times of a test whose rounds come once a period, in ms. */
export function modelTimes({
  sustainMs,
  periodMs,
}: {
  readonly sustainMs: number;
  readonly periodMs: number;
}): Pick<EvidenceModel, 'sustainMs' | 'staleAfterMs'> {
  return {
    sustainMs: Math.max(0, sustainMs - CADENCE_TOLERANCE * periodMs),
    staleAfterMs: STALE_AFTER_ROUNDS * periodMs,
  };
}

/** Rounds of failures alone that bring a healthy signal down: the worst case of detection. */
export function roundsToDown(settings: ModelSettings): number {
  const { failureWeight, threshold, sustainMs } = evidenceModel(settings);
  const byScore = Math.ceil(threshold / failureWeight / settings.samplesPerRound);
  return Math.max(byScore, Math.ceil(sustainMs / settings.periodMs) + 1);
}

/** Rounds of successes alone that clear an alarm. */
export function roundsToClear(settings: ModelSettings): number {
  const { successWeight, threshold } = evidenceModel(settings);
  return Math.ceil(threshold / successWeight / settings.samplesPerRound);
}

export interface Samples {
  readonly outcomes: readonly ProbeOutcome[];
  /** When the round began. */
  readonly atMs: number;
}

/** Adds one round's samples. Failures that say nothing about the region leave the evidence as it was, and let it age. */
export function addSamples(
  previous: SignalEvidence | undefined,
  { outcomes, atMs }: Samples,
  model: EvidenceModel,
): SignalEvidence | undefined {
  let evidence = previous;
  for (const outcome of outcomes) {
    if (!outcome.ok && !errorClasses[outcome.errorClass].evidence) continue;
    if (outcome.ok && changesNothing(evidence, atMs)) continue;
    evidence = addSample(evidence, { failed: !outcome.ok, atMs }, model);
  }
  return evidence;
}

/** Whether one more success at this time leaves the evidence as it is: most samples are of this kind. */
export const changesNothing = (evidence: SignalEvidence | undefined, atMs: number): boolean =>
  evidence !== undefined &&
  evidence.okAtMs === atMs &&
  evidence.sampledAtMs === atMs &&
  evidence.score === 0 &&
  !evidence.alarmed;

export interface Sample {
  readonly failed: boolean;
  readonly atMs: number;
  /** The score that a failure may raise an alarm's score to, at most. Default: no limit. */
  readonly ceiling?: number;
}

/** Adds one sample that counts. */
export function addSample(
  previous: SignalEvidence | undefined,
  { failed, atMs, ceiling = Number.POSITIVE_INFINITY }: Sample,
  model: EvidenceModel,
): SignalEvidence {
  const before = carriedOver(previous, atMs, model);
  const failedAtMs = failed ? atMs : before.failedAtMs;
  const okAtMs = failed ? before.okAtMs : atMs;
  let { score, alarmed, sinceMs } = before;
  if (alarmed) {
    score = Math.max(0, score + (failed ? -model.failureWeight : model.successWeight));
    if (score >= model.threshold) {
      score = 0;
      alarmed = false;
      sinceMs = atMs;
    }
  } else if (failed) {
    if (!continues(before, atMs, model)) sinceMs = atMs;
    const sustained = atMs - sinceMs >= model.sustainMs;
    const most = Math.min(ceiling, capOf(model, sustained));
    score = Math.max(score, Math.min(most, score + model.failureWeight));
    alarmed = sustained && score >= model.threshold;
    if (alarmed) score = 0;
  } else {
    score = Math.max(0, score - model.successWeight);
  }
  return { score, alarmed, sinceMs, failedAtMs, okAtMs, sampledAtMs: atMs };
}

/** Whether a failure now belongs to the failures before it. */
function continues(before: SignalEvidence, atMs: number, model: EvidenceModel): boolean {
  if (before.score === 0 || before.failedAtMs === null) return false;
  return atMs - before.failedAtMs <= Math.max(APART_SUSTAINS * model.sustainMs, model.staleAfterMs);
}

/**
 * Upper limit of the score. Failures that are not sustained stay below the threshold by more than one
 * failure's weight, however many they are. Otherwise a blip would leave the test so near its alarm that one
 * stray failure within the next minute raised it.
 */
function capOf({ threshold, failureWeight }: EvidenceModel, sustained: boolean): number {
  return sustained ? threshold : Math.max(failureWeight, threshold - SUSPECT_FAILURES * failureWeight);
}

const nothingYet = { score: 0, alarmed: false, failedAtMs: null, okAtMs: null } as const;

/**
 * The evidence that survives a gap in the samples. A suspicion does not; an alarm does, because otherwise one
 * lucky probe after a gap would clear it.
 */
function carriedOver(
  previous: SignalEvidence | undefined,
  atMs: number,
  model: EvidenceModel,
): SignalEvidence {
  if (previous === undefined) return { ...nothingYet, sinceMs: atMs, sampledAtMs: atMs };
  const fresh = Math.abs(atMs - previous.sampledAtMs) <= model.staleAfterMs;
  if (!fresh && !previous.alarmed) return { ...nothingYet, sinceMs: atMs, sampledAtMs: atMs };
  const inOrder = previous.sinceMs <= atMs && (previous.failedAtMs ?? atMs) <= atMs;
  if (fresh && inOrder) return previous;
  // After the clock stepped back, the failures begin now: with a beginning in the future they would never be
  // sustained.
  return {
    ...previous,
    score: fresh ? previous.score : 0,
    sinceMs: Math.min(previous.sinceMs, atMs),
    failedAtMs: previous.failedAtMs === null ? null : Math.min(previous.failedAtMs, atMs),
  };
}

/**
 * The present level of a signal. Missing, aged or future evidence is `unknown`. A signal that has not worked
 * lately is not up, even if it has failed too rarely to be anything else.
 */
export function levelOf(
  evidence: SignalEvidence | undefined,
  model: EvidenceModel,
  nowMs: number,
): SignalLevel {
  if (evidence === undefined) return 'unknown';
  if (Math.abs(nowMs - evidence.sampledAtMs) > model.staleAfterMs) return 'unknown';
  if (evidence.alarmed) return 'down';
  if (evidence.score > SUSPECT_FAILURES * model.failureWeight) return 'suspect';
  const worked = evidence.okAtMs !== null && Math.abs(nowMs - evidence.okAtMs) <= model.staleAfterMs;
  return worked ? 'up' : 'unknown';
}

/** A success within so many periods shows that a signal works, however often it fails. */
const WORKED_LATELY_ROUNDS = 3;

/** Whether a signal has worked lately, whatever its level: what fails in part still works in part. */
export function workedLately(
  evidence: SignalEvidence | undefined,
  { staleAfterMs }: EvidenceModel,
  nowMs: number,
): boolean {
  if (evidence === undefined || evidence.okAtMs === null) return false;
  const limitMs = (staleAfterMs / STALE_AFTER_ROUNDS) * WORKED_LATELY_ROUNDS;
  return Math.abs(nowMs - evidence.okAtMs) <= limitMs;
}
