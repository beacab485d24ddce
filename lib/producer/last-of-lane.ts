/**
 * How long calls wait for the last records of their key to leave the disk before they are written there
 * themselves.
 */
const LONGEST_WAIT_MS = 500;
/** After such a wait, the next calls of the lane do not wait for this long. */
const NO_WAIT_MS = 5_000;
/** With more records than this on disk the wait would fail: only one record of a key is in flight at once. */
const FEW_RECORDS = 16;

/**
 * Decides whether calls wait for the last records of their key to leave the disk. Under a steady load these
 * would never leave: new records would always follow them. So the new records wait for a moment, and skip the
 * disk from then on.
 */
export class LastOfLane {
  readonly #now: () => number;
  /** Since when calls of a lane have waited. Entries are removed after `NO_WAIT_MS`. */
  readonly #sinceMs = new Map<number, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Whether a record of this lane should wait, given how many older records are on disk, and how many there
   * alone.
   */
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

  /** Removes old entries. Call regularly. */
  sweep(): void {
    if (this.#sinceMs.size === 0) return;
    const beforeMs = this.#now() - NO_WAIT_MS;
    for (const [lane, sinceMs] of this.#sinceMs) {
      // Entries are in the order in which they were set, so the rest is newer.
      if (sinceMs > beforeMs) return;
      this.#sinceMs.delete(lane);
    }
  }
}
