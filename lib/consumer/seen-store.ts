import { ConsumerConfigError } from './errors.ts';

/**
 * Which record ids were handled. Implement it over a table or cache that outlives the process to keep the promise across restarts
 * and between consumers; give its entries a time to live that is longer than records can be late.
 */
export interface SeenStore {
  /** Was the id given to `remember` before, as far as the store can tell? */
  seen(id: string): Promise<boolean>;
  /** Resolves when a later `seen` of the id will say yes, within the store's window. */
  remember(id: string): Promise<void>;
}

export interface MemorySeenStoreOptions {
  /** Ids kept at most; the oldest go first. An id costs about 120 bytes. Default 1,000,000. */
  readonly maxIds?: number;
  /** How long an id is kept at most, in milliseconds. Default 3,600,000 (an hour). */
  readonly maxAgeMs?: number;
  /** Milliseconds that never go back. Default performance.now. */
  readonly now?: () => number;
}

const DEFAULT_MAX_IDS = 1_000_000;
const DEFAULT_MAX_AGE_MS = 3_600_000;

/** The last ids handled by this process: a window by count and by age, whichever is shorter. Forgets all when the process ends. */
export class MemorySeenStore implements SeenStore {
  readonly #maxIds: number;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #ids = new Set<string>();
  /** A ring: when and in which order ids came. A Set alone would give its oldest only by a walk over what was deleted. */
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
