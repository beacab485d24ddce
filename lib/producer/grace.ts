/** One period of time that several waits share: none of them lasts beyond its end. */
export class Grace {
  readonly #over = Promise.withResolvers<void>();
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number) {
    this.#timer = setTimeout(this.#over.resolve, ms);
  }

  /** Resolves when `work` has settled, when the period is over, or after `mostMs` of it. */
  async wait(work: Promise<unknown> | undefined, mostMs?: number): Promise<void> {
    if (work === undefined) return;
    const part = mostMs === undefined ? undefined : new Grace(mostMs);
    const ended = work.then(
      () => {},
      () => {},
    );
    await Promise.race([ended, this.#over.promise, ...(part === undefined ? [] : [part.#over.promise])]);
    part?.end();
  }

  /** Ends the period: nothing is waited for any more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
