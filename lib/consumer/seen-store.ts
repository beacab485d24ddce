import { ConsumerConfigError } from './errors.ts';

/**
 * Remembers which record ids were handled. To keep the promise across restarts and between consumers,
 * implement it over a table or cache that outlives the process; give its entries a time to live that is
 * longer than records can be late.
 */
export interface SeenStore {
  /** Whether the id was given to `remember` before, as far as the store can tell. */
  seen(id: string): Promise<boolean>;
  /** Resolves once later calls of `seen` with this id return true, within the store's window. */
  remember(id: string): Promise<void>;
  /**
   * For stores that several consumers share. Between `seen` and `remember` another one may handle a copy; a claim lets one
   * at a time. A Deduplicator that finds this method calls it in place of the other two.
   */
  claim?(id: string): Promise<ClaimResult>;
}

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** It was handled before, as far as the store can tell. */
  | { readonly kind: 'handled' }
  /** Another consumer is handling it, or died while it was: its claim ends in so many milliseconds. */
  | { readonly kind: 'claimedElsewhere'; readonly leftMs: number };

/** An id that its holder alone handles, until its time is over. */
export interface Claim {
  /** The id is handled. Resolves once later claims say so, within the store's window. */
  finish(): Promise<void>;
  /** It was not handled: another may claim it now. */
  release(): Promise<void>;
}

export interface MemorySeenStoreOptions {
  /** Most ids kept; the oldest are dropped first. An id costs about 120 bytes. Default 1,000,000. */
  readonly maxIds?: number;
  /** Longest time an id is kept, in milliseconds. Default 3,600,000 (an hour). */
  readonly maxAgeMs?: number;
  /** Milliseconds that never go back. Default performance.now. */
  readonly now?: () => number;
}

const DEFAULT_MAX_IDS = 1_000_000;
const DEFAULT_MAX_AGE_MS = 3_600_000;

/**
 * The last ids handled by this process: a window by count and by age, whichever is shorter. Forgets all ids
 * when the process ends.
 */
export class MemorySeenStore implements SeenStore {
  readonly #maxIds: number;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #ids = new Set<string>();
  /**
   * A ring with the order and time of ids. With a Set alone, finding the oldest means walking over everything
   * that was deleted.
   */
  readonly #order: string[] = [];
  readonly #atMs: number[] = [];
  #oldest = 0;
  #count = 0;

  /** @throws ConsumerConfigError */
  constructor(options: MemorySeenStoreOptions = {}) {
    const {
      maxIds = DEFAULT_MAX_IDS,
      maxAgeMs = DEFAULT_MAX_AGE_MS,
      now = () => performance.now(),
    } = options;
    if (!Number.isInteger(maxIds) || maxIds < 1)
      throw new ConsumerConfigError(`\`maxIds\` is ${maxIds}; write a whole number from 1.`);
    if (!(maxAgeMs > 0))
      throw new ConsumerConfigError(`\`maxAgeMs\` is ${maxAgeMs}; write a number above 0.`);
    this.#maxIds = maxIds;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
  }

  /** Ids in memory: at most `maxIds`. */
  get size(): number {
    return this.#count;
  }

  async seen(id: string): Promise<boolean> {
    this.#forgetExpired();
    return this.#ids.has(id);
  }

  async remember(id: string): Promise<void> {
    this.#forgetExpired();
    if (this.#ids.has(id)) return;
    if (this.#count === this.#maxIds) this.#forgetOldest();
    const place = (this.#oldest + this.#count) % this.#maxIds;
    this.#ids.add(id);
    this.#order[place] = id;
    this.#atMs[place] = this.#now();
    this.#count++;
  }

  #forgetExpired(): void {
    const horizonMs = this.#now() - this.#maxAgeMs;
    while (this.#count > 0 && (this.#atMs[this.#oldest] as number) < horizonMs) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#ids.delete(this.#order[this.#oldest] as string);
    this.#order[this.#oldest] = '';
    this.#oldest = (this.#oldest + 1) % this.#maxIds;
    this.#count--;
  }
}
