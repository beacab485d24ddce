/** Most keys counted by name; with more of them on disk, all keys of one lane are counted as one. */
const NAMED_KEYS = 50_000;

/** A key, and the lane that its hash chooses. */
export interface KeyInLane {
  readonly partitionKey: string;
  readonly lane: number;
}

interface Count {
  records: number;
  unread: number;
}

/**
 * Counts the records of each key that are on the disk, or about to be. A key with none there may skip the
 * disk. While there are few keys, each has a count of its own; when there are many, a table of lanes of fixed
 * size takes over.
 */
export class KeysOnDisk {
  readonly #records: Int32Array;
  readonly #unread: Int32Array;
  /** Undefined once there were too many keys, until the disk is empty. */
  #named: Map<string, Count> | undefined = new Map();
  #total = 0;

  readonly #onLanes: () => void;

  /** `onLanes` is called when keys of one lane can no longer be told apart. */
  constructor(lanes: number, onLanes: () => void) {
    this.#onLanes = onLanes;
    this.#records = new Int32Array(lanes);
    this.#unread = new Int32Array(lanes);
  }

  /** Of all keys. */
  get records(): number {
    return this.#total;
  }

  /** Whether keys of one lane are told apart. */
  get areNamed(): boolean {
    return this.#named !== undefined;
  }

  of({ partitionKey, lane }: KeyInLane): number {
    if (this.#named === undefined) return this.#records[lane] as number;
    return this.#named.get(partitionKey)?.records ?? 0;
  }

  /** How many of the key's records are on the disk alone: neither in memory nor delivered. */
  unreadOf({ partitionKey, lane }: KeyInLane): number {
    if (this.#named === undefined) return this.#unread[lane] as number;
    return this.#named.get(partitionKey)?.unread ?? 0;
  }

  /** Adds a record that is on the disk alone. */
  add(key: KeyInLane): void {
    this.#change(key, { records: 1, unread: 1 });
  }

  /** Adds a record that is on the disk and in memory. */
  addRead(key: KeyInLane): void {
    this.#change(key, { records: 1, unread: 0 });
  }

  /** A record that was on the disk alone is now in memory too. */
  read(key: KeyInLane): void {
    this.#change(key, { records: 0, unread: -1 });
  }

  /** A record that was on the disk and in memory is gone. */
  remove(key: KeyInLane): void {
    this.#change(key, { records: -1, unread: 0 });
    if (this.#total === 0) this.#named ??= new Map();
  }

  /** The disk is empty: resets all counts. */
  clear(): void {
    this.#total = 0;
    this.#records.fill(0);
    this.#unread.fill(0);
    this.#named = new Map();
  }

  #change({ partitionKey, lane }: KeyInLane, by: Readonly<Count>): void {
    this.#total += by.records;
    this.#records[lane] = (this.#records[lane] as number) + by.records;
    this.#unread[lane] = (this.#unread[lane] as number) + by.unread;
    const named = this.#named;
    if (named === undefined) return;
    const count = named.get(partitionKey);
    if (count === undefined) {
      if (named.size < NAMED_KEYS) named.set(partitionKey, { ...by });
      else {
        this.#named = undefined;
        this.#onLanes();
      }
      return;
    }
    count.records += by.records;
    count.unread += by.unread;
    if (count.records === 0) named.delete(partitionKey);
  }
}
