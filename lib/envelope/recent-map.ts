export interface RecentMapOptions<Value> {
  /** Keys kept for certain; in memory are at most twice as many. */
  readonly maxKeys: number;
  /** Is told what is forgotten, all at once. A key that was used since is among it, with its value of then. */
  readonly onForget?: (forgotten: ReadonlyMap<string, Value>) => void;
}

/**
 * A map of the keys used lately, in bounded memory. Two generations instead of a strict LRU: a key that is used often costs one
 * look-up, and nothing is moved; when the young generation is full it becomes the old one, and the old one is forgotten.
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
