import type { Policy } from './policy.ts';
import { errorClasses, type ProbeOutcome } from './probe.ts';

/**
 * Sequential evidence for one signal: Page's CUSUM over the log-likelihood ratio of success and failure
 * (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954), with the alarm threshold from Lorden's bound
 * (G. Lorden, "Procedures for reacting to a change in distribution", Ann. Math. Stat. 42, 1971): the mean time between
 * false alarms is at least e^h samples, so h = ln(samples a year / false alarms allowed a year).
 */
export interface EvidenceModel {
  readonly failureWeight: number;
  /** Negative: a success takes evidence away. */
  readonly successWeight: number;
  readonly downScore: number;
  /** Evidence older than this is no evidence. */
  readonly staleAfterMs: number;
}

/** `suspect` is shown, never acted upon; `unknown` is neither up nor down. */
export type SignalLevel = 'up' | 'suspect' | 'down' | 'unknown';

/** Serialisable, so that a cold start or a second instance continues where the last one stopped. */
export interface SignalEvidence {
  readonly score: number;
  /** Set at the alarm, cleared only when the score is back at zero: that is the slower threshold for recovery. */
  readonly alarmed: boolean;
  readonly sampledAtMs: number;
}

const YEAR_MS = 365.25 * 24 * 3_600_000;
/** Samples that may be missing before a signal is unknown. */
const STALE_AFTER_SAMPLES = 4;

/** Derives weights and threshold from the policy. `periodMs` is the time between two samples of this signal. */
export function evidenceModel(policy: Policy, periodMs: number): EvidenceModel {
  const { baselineFailureRate: p0, impairedFailureRate: p1 } = policy;
  return {
    failureWeight: Math.log(p1 / p0),
    successWeight: Math.log((1 - p1) / (1 - p0)),
    downScore: Math.log(YEAR_MS / periodMs / policy.falseAlarmsPerYear),
    staleAfterMs: STALE_AFTER_SAMPLES * periodMs,
  };
}

/** Failures in a row that bring a healthy fast signal down; the worst case of detection is this many ticks. */
export function failuresToDown(policy: Policy): number {
  const model = evidenceModel(policy, policy.tickMs);
  return Math.ceil(model.downScore / model.failureWeight);
}

export interface Sample {
  readonly outcome: ProbeOutcome;
  readonly atMs: number;
}

/** Adds one sample. A failure that says nothing about the region leaves the evidence as it was, and lets it age. */
export function addSample(
  previous: SignalEvidence | undefined,
  sample: Sample,
  model: EvidenceModel,
): SignalEvidence | undefined {
  const { outcome, atMs } = sample;
  if (!outcome.ok && !errorClasses[outcome.errorClass].evidence) return previous;
  const wasAlarmed = previous?.alarmed === true;
  const fresh = previous !== undefined && atMs - previous.sampledAtMs <= model.staleAfterMs;
  // A suspicion does not outlive a gap in the samples; an alarm does, or one lucky probe after a gap would clear it.
  const before = fresh || wasAlarmed ? (previous?.score ?? 0) : 0;
  const weight = outcome.ok ? model.successWeight : model.failureWeight;
  // Capped at the threshold, so that the way back is as long after an hour of failure as after a minute.
  const score = Math.min(model.downScore, Math.max(0, before + weight));
  const alarmed = score >= model.downScore || (wasAlarmed && score > 0);
  return { score, alarmed, sampledAtMs: atMs };
}

/** Level of a signal now. Missing or aged evidence is `unknown`, and so is evidence from the future. */
export function levelOf(
  evidence: SignalEvidence | undefined,
  model: EvidenceModel,
  nowMs: number,
): SignalLevel {
  if (evidence === undefined) return 'unknown';
  const ageMs = nowMs - evidence.sampledAtMs;
  if (ageMs > model.staleAfterMs || ageMs < -model.staleAfterMs) return 'unknown';
  if (evidence.alarmed) return 'down';
  return evidence.score > 0 ? 'suspect' : 'up';
}
