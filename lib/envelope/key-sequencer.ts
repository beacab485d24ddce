import { RecentMap } from './recent-map.ts';

const DEFAULT_MAX_KEYS = 100_000;

export interface KeySequence {
  readonly epoch: number;
  /** From 1; greater than any before it of this key and epoch, always. One more than the last, unless `first`. */
  readonly sequence: number;
  /** The key is new in this epoch, or was forgotten: its numbers begin here, perhaps not at 1. */
  readonly first: boolean;
}

export interface KeySequencerOptions {
  /** Where to begin, from 0 to 4,294,967,295; see WrapInput. Default 0. */
  readonly epoch?: number;
  /** Keys remembered for certain, of at most twice as many in memory. Default 100,000. */
  readonly maxKeys?: number;
}

/**
 * Numbers the records of each key, in memory that does not grow with the number of keys. A key that was not used while
 * `maxKeys` others were is forgotten. When it comes back it begins above every number that was ever forgotten, so the order of
 * the key holds, and it says so (`first`), so that a consumer does not take the jump for lost records.
 *
 * One counter for the whole producer would need no memory, but would hide a lost record: numbers of one key would have
 * holes by nature.
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
   * Begins the next epoch, in which every key begins anew: after a move, so that the records that the other region holds are no
   * gap in this one.
   */
  advance(): number {
    this.#last.clear();
    this.#floor = 0;
    return ++this.#epoch;
  }
}
