import { roundsToDown } from '../../lambda/core/evidence.ts';
import { modelSettings } from '../../lambda/core/observation.ts';
import type { Delivery, Policy } from '../../lambda/core/policy.ts';
import { roundsToLargeGain } from '../../lambda/core/severity.ts';

export interface BudgetPart {
  readonly part: string;
  readonly ms: number;
  /** The setting that makes this part smaller; absent when there is none, or when it is at its minimum. */
  readonly lower?: string;
}

export interface RtoBudget {
  readonly parts: readonly BudgetPart[];
  readonly totalMs: number;
}

/** Rounds of failed puts alone that make an observer vote: the worst case of detection. */
export const failingRoundsToVote = (policy: Policy): number =>
  Math.max(roundsToDown(modelSettings('kinesisWrite', policy)), roundsToLargeGain(policy));

/** A probe round puts and then reads back, each under its own time-out. */
export const CALLS_PER_ROUND = 2;

/**
 * Time from a checker's finding to a changed DNS answer, through the calculated check. AWS publishes no
 * figure; this figure is inferred, with some margin, from failovers timed end to end.
 */
const DNS_PROPAGATION_MS = 5_000;

/**
 * Worst case from the start of a total failure to the last producer's move, part by part. Each part is an upper bound:
 *
 * - evidence: the failure begins just after a round, so each round needed costs a whole tick, and the last one may run
 *   into both of its time-outs.
 * - seam: where one run of an observer takes over from another, a round in progress is lost.
 * - vote checks: Route 53's checkers are uncoordinated, so within one interval each checker has asked once,
 *   and the 18 % that decide have asked sooner ("How Amazon Route 53 determines whether a health check is
 *   healthy").
 * - dns ttl and producer poll: a resolver asked just before the change, and a producer just before that answer expired.
 */
export function rtoBudget(policy: Policy, delivery: Delivery): RtoBudget {
  const evidenceMs = failingRoundsToVote(policy) * policy.tickMs + CALLS_PER_ROUND * policy.probeTimeoutMs;
  const ridesOutBlips = failingRoundsToVote(policy) > failingRoundsToVote({ ...policy, blipMs: 0 });
  const parts: readonly BudgetPart[] = [
    { part: 'evidence', ms: evidenceMs, lower: ridesOutBlips ? 'policy.blipMs' : 'policy.tickMs' },
    { part: 'seam', ms: policy.tickMs, lower: 'policy.tickMs' },
    { part: 'hold', ms: policy.holdMs, ...(policy.holdMs > 0 && { lower: 'policy.holdMs' }) },
    {
      part: 'vote checks',
      ms: delivery.healthCheckIntervalSeconds * 1_000,
      ...(delivery.healthCheckIntervalSeconds > 10 && { lower: 'delivery.healthCheckIntervalSeconds' }),
    },
    { part: 'dns propagation', ms: DNS_PROPAGATION_MS },
    { part: 'dns ttl', ms: delivery.dnsTtlSeconds * 1_000, lower: 'delivery.dnsTtlSeconds' },
    { part: 'producer poll', ms: delivery.producerPollMs, lower: 'delivery.producerPollMs' },
  ];
  return { parts, totalMs: parts.reduce((sum, { ms }) => sum + ms, 0) };
}
