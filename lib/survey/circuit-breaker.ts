/** Failures in a row after which an endpoint is not asked again in this run. */
const FAILURES_IN_A_ROW = 3;

/**
 * The questions to one endpoint in a run. A question fails quietly, and an endpoint that keeps failing is not
 * asked again: an impaired region needs no more load, and the run needs its time for the other region.
 */
export class CircuitBreaker {
  readonly #onFirstFailure: (error: unknown) => void;
  #failed = false;
  #failures = 0;

  constructor(onFirstFailure: (error: unknown) => void) {
    this.#onFirstFailure = onFirstFailure;
  }

  /** Undefined: the endpoint did not answer, or was no longer asked. */
  async call<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
    if (this.#failures >= FAILURES_IN_A_ROW) return undefined;
    try {
      const answer = await call();
      this.#failures = 0;
      return answer;
    } catch (error) {
      this.#failures += 1;
      if (!this.#failed) this.#onFirstFailure(error);
      this.#failed = true;
      return undefined;
    }
  }
}
