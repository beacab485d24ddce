/** A tenth of a second's requests may come at once; more than that was never refused only because it came late. */
const BURST_SECONDS = 0.1;

interface Bucket {
  readonly perSecond: number;
  level: number;
  atMs: number;
}

/**
 * Lets through so many requests a second for each host, whoever asks, as Lambda does for a function that reserves
 * concurrency: the emulation of what LocalStack does not do. A bucket of tokens, filled evenly.
 */
export class RequestGate {
  readonly #buckets = new Map<string, Bucket>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Undefined: no limit any more. */
  limit(host: string, perSecond: number | undefined): void {
    if (perSecond === undefined) this.#buckets.delete(host);
    else this.#buckets.set(host, { perSecond, level: perSecond * BURST_SECONDS, atMs: this.#nowMs() });
  }

  admits(host: string): boolean {
    const bucket = this.#buckets.get(host);
    if (bucket === undefined) return true;
    const nowMs = this.#nowMs();
    const filled = bucket.level + ((nowMs - bucket.atMs) / 1_000) * bucket.perSecond;
    bucket.level = Math.min(filled, bucket.perSecond * BURST_SECONDS);
    bucket.atMs = nowMs;
    if (bucket.level < 1) return false;
    bucket.level -= 1;
    return true;
  }
}
