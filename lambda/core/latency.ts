import { addSample, changesNothing, type EvidenceModel, type SignalEvidence } from './evidence.ts';

/**
 * Evidence of slow answers, judged by rank. A high quantile of the region's own healthy answers defines what
 * is slow, so no distribution is assumed. The quantile follows the answers by stochastic approximation in the
 * logarithm (H. Robbins, S. Monro, "A stochastic approximation method", Ann. Math. Stat. 22, 1951). In a
 * healthy region an answer exceeds it with probability 1 - q, whatever the distribution; a CUSUM over these
 * exceedances raises the alarm.
 */
export interface LatencyEvidence {
  /** Learnt quantile of healthy answers, in milliseconds. */
  readonly quantileMs: number;
  /** Number of answers learnt from, up to `LEARNT_SAMPLES`. */
  readonly samples: number;
  readonly slow: SignalEvidence;
}

/** The quantile q; 1 - q is the share of healthy answers above it. */
const QUANTILE = 0.99;
export const EXCEEDANCE_RATE = 1 - QUANTILE;
/** Failing fraction that the latency test looks for: a region is slow when most of its answers are slow. */
export const SLOW_RATE = 0.6;
/** With fewer answers than this, the quantile is not known well enough to accuse a region. */
export const LEARNT_SAMPLES = 60;
/** Gain of the approximation: an exceedance raises the quantile by a tenth, an answer below it lowers it by a thousandth. */
const GAIN = 0.1;

export interface LatencyLimits {
  /** An answer is slow above this multiple of the learnt quantile… */
  readonly slowFactor: number;
  /** …and above this many milliseconds: moving is not worth it for an answer that is 5 ms slower. */
  readonly slowFloorMs: number;
}

/** Adds the latencies of one round's successful puts. Failures belong to another signal. */
export function addLatencies(
  previous: LatencyEvidence | undefined,
  round: { readonly latenciesMs: readonly number[]; readonly atMs: number },
  { model, limits }: { readonly model: EvidenceModel; readonly limits: LatencyLimits },
): LatencyEvidence | undefined {
  const { atMs } = round;
  let quantileMs = previous?.quantileMs;
  let samples = previous?.samples ?? 0;
  let slow = previous?.slow;
  for (const measuredMs of round.latenciesMs) {
    const latencyMs = Math.max(1, measuredMs);
    const limitMs = Math.max(limits.slowFloorMs, limits.slowFactor * (quantileMs ?? 0));
    const failed = samples >= LEARNT_SAMPLES && latencyMs > limitMs;
    if (failed || !changesNothing(slow, atMs)) slow = addSample(slow, { failed, atMs }, model);
    // Nothing is learnt while the region is slow. Otherwise the slowness would become the new normal, and look
    // healthy.
    if (slow?.alarmed === true && quantileMs !== undefined) continue;
    quantileMs = follow({ quantileMs, samples }, latencyMs);
    samples = Math.min(LEARNT_SAMPLES, samples + 1);
  }
  return quantileMs === undefined || slow === undefined ? undefined : { quantileMs, samples, slow };
}

/** The first answers only raise the quantile; then it is followed up and down. */
function follow(
  { quantileMs, samples }: { readonly quantileMs: number | undefined; readonly samples: number },
  latencyMs: number,
): number {
  if (quantileMs === undefined) return latencyMs;
  if (samples < LEARNT_SAMPLES) return Math.max(quantileMs, latencyMs);
  const step = latencyMs > quantileMs ? QUANTILE : QUANTILE - 1;
  return quantileMs * Math.exp(GAIN * step);
}
