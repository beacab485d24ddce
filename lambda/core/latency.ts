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
  let evidence = previous;
  for (const latencyMs of round.latenciesMs) {
    evidence = addLatency(evidence, { latencyMs: Math.max(1, latencyMs), atMs: round.atMs }, model, limits);
  }
  return evidence;
}

function addLatency(
  previous: LatencyEvidence | undefined,
  { latencyMs, atMs }: { readonly latencyMs: number; readonly atMs: number },
  model: EvidenceModel,
  limits: LatencyLimits,
): LatencyEvidence {
  const learnt = previous !== undefined && previous.samples >= LEARNT_SAMPLES;
  const limitMs = Math.max(limits.slowFloorMs, limits.slowFactor * (previous?.quantileMs ?? 0));
  const failed = learnt && latencyMs > limitMs;
  const slow =
    previous !== undefined && !failed && changesNothing(previous.slow, atMs)
      ? previous.slow
      : addSample(previous?.slow, { failed, atMs }, model);
  // Nothing is learnt while the region is slow. Otherwise the slowness would become the new normal, and look
  // healthy.
  if (slow.alarmed && previous !== undefined) return { ...previous, slow };
  return {
    quantileMs: follow(previous, latencyMs),
    samples: Math.min(LEARNT_SAMPLES, (previous?.samples ?? 0) + 1),
    slow,
  };
}

/** The first answers only raise the quantile; then it is followed up and down. */
function follow(previous: LatencyEvidence | undefined, latencyMs: number): number {
  if (previous === undefined) return latencyMs;
  if (previous.samples < LEARNT_SAMPLES) return Math.max(previous.quantileMs, latencyMs);
  const step = latencyMs > previous.quantileMs ? QUANTILE : QUANTILE - 1;
  return previous.quantileMs * Math.exp(GAIN * step);
}
