import { errorClasses, type ProbeOutcome } from './probe.ts';

/**
 * Sequential evidence for one signal: Page's CUSUM over the log-likelihood ratio of success and failure
 * (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954), with the alarm threshold from Lorden's bound
 * (G. Lorden, "Procedures for reacting to a change in distribution", Ann. Math. Stat. 42, 1971): the mean time between
 * false alarms is at least e^h samples, so h = ln(samples a year / false alarms allowed a year).
 *
 * After an alarm the same test runs the other way, healthy against impaired, from zero and to the same h. One success
 * weighs far less than one failure, so clearing is the slower of the two, and every further failure throws it back.
 */
export interface EvidenceModel {
  /** Added by a failure while there is no alarm, and taken away by one while there is. */
  readonly failureWeight: number;
  /** Taken away by a success while there is no alarm, and added by one while there is. */
  readonly successWeight: number;
  /** Where the score raises the alarm, and where the recovery's score clears it. */
  readonly threshold: number;
  /** The failures must span this long: what is over sooner is a blip. */
  readonly sustainMs: number;
  /** Evidence older than this is no evidence. */
  readonly staleAfterMs: number;
}

/** `suspect` is shown, never acted upon; `unknown` is neither up nor down. */
export type SignalLevel = 'up' | 'suspect' | 'down' | 'unknown';

/** Serialisable, so that a cold start or a second instance continues where the last one stopped. */
export interface SignalEvidence {
  /** Of impairment while there is no alarm, of recovery while there is. From 0 to the threshold. */
  readonly score: number;
  readonly alarmed: boolean;
  /** The first failure of those that follow each other closely enough to be one. Epoch milliseconds, as all times. */
  readonly sinceMs: number;
  /** The last failure; null = none yet. */
  readonly failedAtMs: number | null;
  /** The last success; null = none yet. Only what has worked is up. */
  readonly okAtMs: number | null;
  readonly sampledAtMs: number;
}

export interface ModelSettings {
  /** Failing fraction of a healthy region (null hypothesis). */
  readonly baselineRate: number;
  /** Failing fraction to be found quickly (alternative). Smaller ones are found too, as long as they are nearer to it than to the baseline. */
  readonly impairedRate: number;
  readonly falseAlarmsPerYear: number;
  /** Time between two rounds of this signal. */
  readonly periodMs: number;
  /** Samples a round brings. */
  readonly samplesPerRound: number;
  readonly sustainMs: number;
}

const YEAR_MS = 365.25 * 24 * 3_600_000;
/** Rounds that may be missing before a signal is unknown. */
const STALE_AFTER_ROUNDS = 4;
/** A round may come this much early against the one before it, as a share of the period, and still count as a period later. */
const CADENCE_TOLERANCE = 0.05;
/** More than one failure's worth: a single failed probe is no suspicion. */
const SUSPECT_FAILURES = 1.5;
/**
 * Failures further apart than so many times `sustainMs` are two blips, and not one failure that is sustained. Of a signal
 * that is sampled more rarely than that, those that follow within the life of its evidence belong together.
 */
const APART_SUSTAINS = 2.5;

/** Derives weights and threshold; nothing in them is tuned by hand. */
export function evidenceModel(settings: ModelSettings): EvidenceModel {
  const { baselineRate: p0, impairedRate: p1, periodMs, samplesPerRound } = settings;
  return {
    failureWeight: Math.log(p1 / p0),
    successWeight: Math.log((1 - p0) / (1 - p1)),
    threshold: Math.log(((YEAR_MS / periodMs) * samplesPerRound) / settings.falseAlarmsPerYear),
    sustainMs: Math.max(0, settings.sustainMs - CADENCE_TOLERANCE * periodMs),
    staleAfterMs: STALE_AFTER_ROUNDS * periodMs,
  };
}

/** Rounds of nothing but failures that bring a healthy signal down: the worst case of detection. */
export function roundsToDown(settings: ModelSettings): number {
  const { failureWeight, threshold, sustainMs } = evidenceModel(settings);
  const byScore = Math.ceil(threshold / failureWeight / settings.samplesPerRound);
  return Math.max(byScore, Math.ceil(sustainMs / settings.periodMs) + 1);
}

/** Rounds of nothing but successes that clear an alarm. */
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
    evidence = addSample(evidence, { failed: !outcome.ok, atMs }, model);
  }
  return evidence;
}

/** Adds one sample that counts. */
export function addSample(
  previous: SignalEvidence | undefined,
  { failed, atMs }: { readonly failed: boolean; readonly atMs: number },
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
    score = Math.max(score, Math.min(capOf(model, sustained), score + model.failureWeight));
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
 * What is not sustained stays short of the threshold by more than one failure, however violent it is: or a blip would
 * leave the test so near its alarm that one stray failure within the next minute raised it.
 */
function capOf({ threshold, failureWeight }: EvidenceModel, sustained: boolean): number {
  return sustained ? threshold : Math.max(failureWeight, threshold - SUSPECT_FAILURES * failureWeight);
}

const nothingYet = { score: 0, alarmed: false, failedAtMs: null, okAtMs: null } as const;

/** A suspicion does not outlive a gap in the samples; an alarm does, or one lucky probe after a gap would clear it. */
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
  // After a step back of the clock the excursion begins now: one that "begins" in the future would never be sustained.
  return {
    ...previous,
    score: fresh ? previous.score : 0,
    sinceMs: Math.min(previous.sinceMs, atMs),
    failedAtMs: previous.failedAtMs === null ? null : Math.min(previous.failedAtMs, atMs),
  };
}

/**
 * Level of a signal now. Missing or aged evidence is `unknown`, and so is evidence from the future; a signal that has
 * not worked lately is not up, even if it has not failed often enough to be anything else.
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
