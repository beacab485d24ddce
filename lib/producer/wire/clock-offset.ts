/**
 * The clock is corrected from this difference on, as by the SDK (sigv4 signer); AWS refuses a signature that
 * is more than five minutes off.
 */
const CORRECT_FROM_MS = 4 * 60_000;

/** The difference between this machine's clock and the service's, learnt from the Date of refused requests. */
export class ClockOffset {
  readonly #now: () => number;
  #offsetMs = 0;

  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
  }

  /** The time as the service sees it. */
  now(): number {
    return this.#now() + this.#offsetMs;
  }

  /** Learns from the Date header of an answer; a small difference, or a missing date, changes nothing. */
  learn(date: string | undefined): void {
    const serviceMs = Date.parse(date ?? '');
    if (Math.abs(serviceMs - this.now()) >= CORRECT_FROM_MS) this.#offsetMs = serviceMs - this.#now();
  }
}
