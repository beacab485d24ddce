/** The most that requests in progress may hold at once. */
export interface BudgetLimits {
  readonly maxRequests: number;
  readonly maxBytes: number;
}

/** What requests in progress hold. A request that does not fit is refused, and nothing waits. */
export class Budget {
  readonly #limits: BudgetLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether one more request fits; counts it if so. */
  begin(): boolean {
    if (this.#requests >= this.#limits.maxRequests) return false;
    this.#requests++;
    return true;
  }

  /** Whether so many more bytes fit; counts them if so. */
  hold(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Ends a request that holds so many bytes. */
  end(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
  }
}
