/** Failures in a row after which an endpoint is left alone for the rest of the run. */
const FAILURES_IN_A_ROW = 3;

/**
 * What one endpoint is asked in a run. It fails quietly, and an endpoint that keeps failing is not asked again: an impaired
 * region needs no more load, and the run needs its time for the other one.
 */
export class CircuitBreaker {
  readonly #onFirstFailure: (error: unknown) => void;
  #failed = false;
  #failures = 0;

  constructor(onFirstFailure: (error: unknown) => void) {
    this.#onFirstFailure = onFirstFailure;
  }

  /** Undefined: it did not answer, or was not asked any more. */
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
