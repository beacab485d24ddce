/**
 * What a flood of the switch endpoint does to a latch whose primary looks healthy, so that the switch alone holds
 * traffic. Lambda refuses what is too much, whoever asks; a checker that is refused three times in a row no longer
 * sees the marker, and three answers in a row show it again. The check turns back only when 82 % of the checkers do
 * not see it (`lib/route53`, whose model these limits are from).
 */

/** "maximum request rate per second (RPS) is equivalent to 10 times the configured reserved concurrency" (Lambda function URLs, AWS Lambda Developer Guide). */
export const REQUESTS_PER_UNIT = 10;

/** With this share of all requests let through, the latch has never ended in an hour, in thousands of runs. */
const HOLDS_FROM = 0.6;
/** With less than this, it has ended within five minutes in every run but a few in a thousand. */
const ENDS_BELOW = 0.3;

export interface Flood {
  /** Units of concurrency that the function reserves. */
  readonly reserved: number;
  /** All that ask, the checkers among them. */
  readonly requestsPerSecond: number;
}

/** The share of the requests that Lambda lets through. [inferred] It is the same for all who ask. */
export const shareLetThrough = ({ reserved, requestsPerSecond }: Flood): number =>
  requestsPerSecond <= 0 ? 1 : Math.min(1, (reserved * REQUESTS_PER_UNIT) / requestsPerSecond);

export type LatchInFlood = 'holds' | 'may end' | 'ends';

export function latchIn(flood: Flood): LatchInFlood {
  const share = shareLetThrough(flood);
  if (share >= HOLDS_FROM) return 'holds';
  return share < ENDS_BELOW ? 'ends' : 'may end';
}

/** The largest flood that a latch holds through. */
export const heldFlood = (reserved: number): number =>
  Math.floor((reserved * REQUESTS_PER_UNIT) / HOLDS_FROM);
