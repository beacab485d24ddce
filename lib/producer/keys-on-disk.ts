/** Keys that are told apart by their name; with more of them on disk, those of one lane count as one. */
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
 * How many records of each key the disk has, or is about to have. A key of which it has none may go past the disk. While
 * few keys are there, each has a count of its own; a table of lanes, whose size follows nothing, goes on when they are many.
 */
export class KeysOnDisk {
  readonly #records: Int32Array;
  readonly #unread: Int32Array;
  /** Undefined from when they were too many until the disk is empty. */
  #named: Map<string, Count> | undefined = new Map();
  #total = 0;

  readonly #onLanes: () => void;

  /** `onLanes` is called when keys are no longer told apart within their lane. */
  constructor(lanes: number, onLanes: () => void) {
    this.#onLanes = onLanes;
    this.#records = new Int32Array(lanes);
    this.#unread = new Int32Array(lanes);
  }

  /** Of all keys. */
  get records(): number {
    return this.#total;
  }

  /** Whether keys are told apart within their lane. */
  get areNamed(): boolean {
    return this.#named !== undefined;
  }

  of({ partitionKey, lane }: KeyInLane): number {
    if (this.#named === undefined) return this.#records[lane] as number;
    return this.#named.get(partitionKey)?.records ?? 0;
  }

  /** Of these, how many are on the disk alone: neither in memory nor delivered. */
  unreadOf({ partitionKey, lane }: KeyInLane): number {
    if (this.#named === undefined) return this.#unread[lane] as number;
    return this.#named.get(partitionKey)?.unread ?? 0;
  }

  /** A record that is on the disk alone. */
  add(key: KeyInLane): void {
    this.#change(key, { records: 1, unread: 1 });
  }

  /** A record that is in memory as well. */
  addRead(key: KeyInLane): void {
    this.#change(key, { records: 1, unread: 0 });
  }

  /** One that was on the disk alone is in memory. */
  read(key: KeyInLane): void {
    this.#change(key, { records: 0, unread: -1 });
  }

  /** One that was in memory as well is gone. */
  remove(key: KeyInLane): void {
    this.#change(key, { records: -1, unread: 0 });
    if (this.#total === 0) this.#named ??= new Map();
  }

  /** The disk has nothing, whatever was counted. */
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
