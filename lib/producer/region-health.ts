/**
 * How many requests one region gets at once. A circuit breaker in the widest sense: additive increase and
 * multiplicative decrease of the requests in flight (Chiu and Jain, "Analysis of the increase and decrease
 * algorithms for congestion avoidance", 1989) from a slow start, and full-jitter pauses while nothing
 * succeeds ("Exponential Backoff and Jitter", AWS Architecture Blog). So a region that recovers is not hit by
 * everything that has been waiting for it.
 */
export interface RegionHealthOptions {
  readonly maxInFlight: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  readonly random: () => number;
}

/** Requests in flight at first, while nothing is known of the region, and after it has failed. */
const SLOW_START = 4;
/** Failures in a row after which requests pause; one alone may be a broken connection. */
const FAILURES_TO_OPEN = 3;
const DECREASE = 0.5;

export class RegionHealth {
  readonly #options: RegionHealthOptions;
  #limit: number;
  /** Below this limit the limit grows with each success; above it, by one per round of successes. */
  #slowStartEnds: number;
  #failures = 0;
  #openUntilMs = 0;
  inFlight = 0;

  constructor(options: RegionHealthOptions) {
    this.#options = options;
    this.#limit = Math.min(SLOW_START, options.maxInFlight);
    this.#slowStartEnds = options.maxInFlight;
  }

  /** Requests that may be in flight. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  get open(): boolean {
    return this.#failures >= FAILURES_TO_OPEN;
  }

  /** Time before which no request may start; 0 or a past time when one may. Monotonic milliseconds. */
  get openUntilMs(): number {
    return this.#openUntilMs;
  }

  mayStart(nowMs: number): boolean {
    if (nowMs < this.#openUntilMs) return false;
    // While the breaker is open, one request at a time tests whether the region is back.
    return this.inFlight < (this.open ? 1 : this.limit);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntilMs = 0;
    const step = this.#limit < this.#slowStartEnds ? 1 : 1 / this.#limit;
    this.#limit = Math.min(this.#options.maxInFlight, this.#limit + step);
  }

  /** The region answered, but throttled part of the batch. */
  throttled(): void {
    this.#limit = Math.max(1, this.#limit * DECREASE);
    this.#slowStartEnds = this.#limit;
  }

  /** A request failed as a whole. */
  failed(nowMs: number): void {
    this.#failures++;
    this.#slowStartEnds = Math.max(1, this.#limit * DECREASE);
    this.#limit = 1;
    if (!this.open) return;
    this.#openUntilMs = nowMs + fullJitterMs(this.#failures - FAILURES_TO_OPEN, this.#options);
  }
}

/** A pause before attempt `attempt` (from 0): uniform from 0 to the exponential bound. */
export function fullJitterMs(
  attempt: number,
  { retryBaseMs, retryMaxMs, random }: Pick<RegionHealthOptions, 'retryBaseMs' | 'retryMaxMs' | 'random'>,
): number {
  return random() * Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(attempt, 20));
}
