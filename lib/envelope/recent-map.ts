export interface RecentMapOptions<Value> {
  /** Keys that are certainly kept; up to twice as many are in memory. */
  readonly maxKeys: number;
  /**
   * Called with all entries forgotten at once. They may include a key that was used since, with its older
   * value.
   */
  readonly onForget?: (forgotten: ReadonlyMap<string, Value>) => void;
}

/**
 * A map of the recently used keys, in bounded memory. It has two generations instead of a strict LRU: a key
 * that is used often costs one look-up, and nothing is moved. When the young generation is full it becomes
 * the old one, and the old one is forgotten.
 */
export class RecentMap<Value> {
  readonly #options: RecentMapOptions<Value>;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(options: RecentMapOptions<Value>) {
    const { maxKeys } = options;
    if (!Number.isInteger(maxKeys) || maxKeys < 1)
      throw new RangeError(`\`maxKeys\` is ${maxKeys}; write a whole number from 1.`);
    this.#options = options;
  }

  /** Entries in memory, a key of both generations counted twice: at most twice `maxKeys`. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Counts as a use of the key. */
  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#options.maxKeys && !this.#young.has(key)) this.#age();
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #age(): void {
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    this.#options.onForget?.(forgotten);
  }
}
