import { RecentMap } from './recent-map.ts';

const DEFAULT_MAX_KEYS = 100_000;

export interface KeySequence {
  readonly epoch: number;
  /**
   * From 1; always greater than any earlier number of this key and epoch. One more than the last, unless
   * `first`.
   */
  readonly sequence: number;
  /** The key is new in this epoch, or was forgotten: its numbers restart here, perhaps not at 1. */
  readonly first: boolean;
}

export interface KeySequencerOptions {
  /** First epoch, from 0 to 4,294,967,295; see WrapInput. Default 0. */
  readonly epoch?: number;
  /** Keys that are certainly remembered; up to twice as many are in memory. Default 100,000. */
  readonly maxKeys?: number;
}

/**
 * Numbers the records of each key, in memory that does not grow with the number of keys. A key that was not
 * used while `maxKeys` others were is forgotten. When the key returns, its numbers begin above every number
 * that was ever forgotten, so its order holds. Its first number is marked (`first`), so that a consumer does
 * not take the jump for lost records.
 *
 * One counter for the whole producer would need no memory, but would hide a lost record, because the numbers
 * of a single key would always have holes.
 */
export class KeySequencer {
  readonly #last: RecentMap<number>;
  #epoch: number;
  /** No forgotten key has a greater number. */
  #floor = 0;

  constructor({ epoch = 0, maxKeys = DEFAULT_MAX_KEYS }: KeySequencerOptions = {}) {
    this.#epoch = epoch;
    this.#last = new RecentMap({
      maxKeys,
      onForget: (forgotten) => {
        for (const last of forgotten.values()) if (last > this.#floor) this.#floor = last;
      },
    });
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Entries in memory: at most twice `maxKeys`. */
  get size(): number {
    return this.#last.size;
  }

  next(key: string): KeySequence {
    const known = this.#last.get(key);
    const sequence = (known ?? this.#floor) + 1;
    this.#last.set(key, sequence);
    return { epoch: this.#epoch, sequence, first: known === undefined };
  }

  /**
   * Begins the next epoch, in which the numbers of every key restart. Called after a move, so that records in
   * the other region are not a gap in this one.
   */
  advance(): number {
    this.#last.clear();
    this.#floor = 0;
    return ++this.#epoch;
  }
}
