/** Waits and bounds of a drain, in milliseconds unless named otherwise. Tests shorten them; users have no need to. */
export interface DrainLimits {
  /** Longest wait for the answer to one request. */
  readonly requestTimeoutMs: number;
  /**
   * Pause between two GetRecords calls on one shard: Kinesis allows 5 a second, and other consumers need some
   * of them.
   */
  readonly readIntervalMs: number;
  /** A write whose outcome is unknown is in the stream this long after it was abandoned, or never will be. */
  readonly settleMs: number;
  /** Arrival times are approximate and may go back; reading goes on this far beyond the end of the window. */
  readonly graceMs: number;
  /** How far this machine's clock may be from Kinesis's. AWS refuses signatures that are over 5 minutes off. */
  readonly clockMarginMs: number;
  /** How long after it is saved an intent allows attempts; then it is renewed. */
  readonly intentMs: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** Attempts in a row without success before the drain gives up. */
  readonly maxAttempts: number;
  /** Shards read at once. */
  readonly shards: number;
  readonly recordsPerRead: number;
}

export const defaultLimits: DrainLimits = {
  requestTimeoutMs: 10_000,
  readIntervalMs: 250,
  settleMs: 5_000,
  graceMs: 5_000,
  clockMarginMs: 300_000,
  intentMs: 30_000,
  retryBaseMs: 100,
  retryMaxMs: 5_000,
  maxAttempts: 20,
  shards: 8,
  recordsPerRead: 1_000,
};
