/** How long calls wait for the last records of their key to leave the disk, before they go there themselves. */
const LONGEST_WAIT_MS = 500;
/** Then the next ones do not wait for so long. */
const NO_WAIT_MS = 5_000;
/** More records cannot be through in that time: one of a key is on its way at once. */
const FEW_RECORDS = 16;

/**
 * Under a steady load the last records of a key would never leave the disk: before they do, others are behind them. So
 * the others wait for a moment, and go past the disk from then on.
 */
export class LastOfLane {
  readonly #now: () => number;
  /** Since when calls of a lane have waited. Entries are gone after `NO_WAIT_MS`. */
  readonly #sinceMs = new Map<number, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a record of this lane should wait, which has so many older ones on disk, and so many there alone. */
  waits({
    lane,
    onDisk,
    unread,
  }: {
    readonly lane: number;
    readonly onDisk: number;
    readonly unread: number;
  }): boolean {
    if (onDisk > FEW_RECORDS || unread > 0) return false;
    const sinceMs = this.#sinceMs.get(lane);
    if (sinceMs !== undefined) return this.#now() - sinceMs < LONGEST_WAIT_MS;
    this.#sinceMs.set(lane, this.#now());
    return true;
  }

  /** Call regularly. */
  sweep(): void {
    if (this.#sinceMs.size === 0) return;
    const beforeMs = this.#now() - NO_WAIT_MS;
    for (const [lane, sinceMs] of this.#sinceMs) {
      // In the order in which they were set.
      if (sinceMs > beforeMs) return;
      this.#sinceMs.delete(lane);
    }
  }
}
