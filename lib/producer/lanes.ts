import type { Entry } from './entry.ts';
import { Fifo } from './fifo.ts';
import { SHORT_QUEUE } from './memory-share.ts';

export interface LanesOptions {
  /** With `false`, records are sent as soon as possible, in no order. */
  readonly ordered: boolean;
  /** Records that are usually in memory at once, at most. */
  readonly records: number;
  /** Uniform in [0, 1); seeds the hash, so that nobody can choose keys that share a lane. */
  readonly random: () => number;
}

/** With this many lanes for each record in memory, two keys rarely share one. */
const LANES_PER_RECORD = 16;
const MAX_LANES = 2 ** 20;
const FNV_PRIME = 0x01000193;
/** List numbers begin at 1. */
const EMPTY = 0;
const HEAD_ALONE = -1;
/** Share of a request for live records while both kinds are ready; the rest is for records from the disk. */
const LIVE_SHARE = 3 / 4;

/**
 * Keeps records in lanes. A lane is a queue of which only the head may be in flight: this keeps the order of
 * a key, whatever fails and wherever the record is sent next. Heads of different lanes travel together. A
 * key's lane is its hash in a table of fixed size, so memory depends neither on the keys nor on the records,
 * and two keys that share a lane only wait for each other. For most records a lane is a counter that goes up
 * and down (measured: a map of keys cost three times as much, and garbage besides).
 */
export class Lanes {
  readonly #ordered: boolean;
  readonly #seed: number;
  readonly #mask: number;
  /** The content of each lane: EMPTY, HEAD_ALONE, or the number of the list that follows its head. */
  readonly #lanes: Int32Array;
  /**
   * Lists by number: the last entry, whose `next` is the first. (Not a Map, for the reason that
   * `SwapRemoveList` gives.)
   */
  readonly #lists: (Entry | undefined)[] = [undefined];
  readonly #freeLists: number[] = [];
  /** Entries of each list, by number. */
  readonly #lengths: number[] = [0];
  #longLanes = 0;
  /** Heads that the application waits for. */
  readonly #live = new Heads();
  /** Heads that come from the disk. */
  readonly #spooled = new Heads();

  constructor({ ordered, records, random }: LanesOptions) {
    const lanes = 2 ** Math.ceil(Math.log2(Math.min(records * LANES_PER_RECORD, MAX_LANES)));
    this.#ordered = ordered;
    this.#seed = Math.floor(random() * 2 ** 32);
    this.#mask = lanes - 1;
    this.#lanes = new Int32Array(ordered ? lanes : 0);
  }

  get ready(): number {
    return this.#live.length + this.#spooled.length;
  }

  /** Number of lanes, and so the bound of `laneOf`. */
  get count(): number {
    return this.#mask + 1;
  }

  /**
   * Whether any lane holds `SHORT_QUEUE` records or more. While none does, no caller needs the length of a
   * lane.
   */
  get hasLongLanes(): boolean {
    return this.#longLanes > 0;
  }

  /** Records in this lane, its head included. 0 where no order is kept. */
  lengthOf(lane: number): number {
    if (!this.#ordered) return 0;
    const list = this.#lanes[lane] as number;
    if (list === EMPTY) return 0;
    return list === HEAD_ALONE ? 1 : 1 + (this.#lengths[list] as number);
  }

  add(entry: Entry): void {
    if (this.#ordered) {
      const lane = this.laneOf(entry.partitionKey);
      entry.lane = lane;
      if (this.#lanes[lane] !== EMPTY) {
        this.#follow(entry);
        return;
      }
      this.#lanes[lane] = HEAD_ALONE;
    }
    this.#headsOf(entry).ready.push(entry);
  }

  /**
   * Takes ready heads up to both limits, at least one if there is one. They stay at the head of their lane. What comes
   * from the disk has what the application leaves, and a quarter at least.
   */
  take({ records, bytes }: { readonly records: number; readonly bytes: number }): Entry[] {
    const batch: Entry[] = [];
    const isShared = this.#spooled.length > 0;
    const forLive = isShared ? LIVE_SHARE : 1;
    let taken = this.#live.take(batch, {
      records: Math.ceil(records * forLive),
      bytes: bytes * forLive,
      taken: 0,
    });
    if (!isShared) return batch;
    taken = this.#spooled.take(batch, { records, bytes, taken });
    this.#live.take(batch, { records, bytes, taken });
    return batch;
  }

  /** The head failed and may be sent again. */
  retry(entry: Entry): void {
    this.#headsOf(entry).again.push(entry);
  }

  /** The head was delivered or has failed for good; the next entry of its lane may be sent. */
  done(head: Entry): void {
    const next = this.#leave(head);
    if (next !== undefined) this.#headsOf(next).ready.push(next);
  }

  /** As `done`, for a head and the entries right behind it: as many in all as its `run` says. */
  doneRun(head: Entry): void {
    let next: Entry | undefined = head;
    for (let n = 0; n < head.run && next !== undefined; n++) next = this.#leave(next);
    if (next !== undefined) this.#headsOf(next).ready.push(next);
  }

  /** The entry right behind the head of this lane. */
  secondIn(lane: number): Entry | undefined {
    if (!this.#ordered) return undefined;
    const list = this.#lanes[lane] as number;
    return list > EMPTY ? this.#lists[list]?.next : undefined;
  }

  /** The entry right behind this one, which is not the head of its lane. */
  behind(entry: Entry): Entry | undefined {
    return this.#lists[this.#lanes[entry.lane] as number] === entry ? undefined : entry.next;
  }

  /** Heads that are ready, in no particular order. */
  *heads(): Generator<Entry> {
    yield* this.#live.again;
    yield* this.#live.ready;
    yield* this.#spooled.again;
    yield* this.#spooled.ready;
  }

  /** The head and all entries that follow it in its lane, in order. */
  *laneFrom(head: Entry): Generator<Entry> {
    yield head;
    if (!this.#ordered) return;
    const list = this.#lanes[head.lane] as number;
    if (list <= EMPTY) return;
    const last = this.#lists[list] as Entry;
    for (let entry = last.next as Entry; ; entry = entry.next as Entry) {
      yield entry;
      if (entry === last) return;
    }
  }

  /** Removes for good the ready heads that are overdue, with the overdue entries right behind them. */
  expire(isOverdue: (entry: Entry) => boolean): Entry[] {
    const overdue: Entry[] = [];
    for (const head of [...this.#live.remove(isOverdue), ...this.#spooled.remove(isOverdue)]) {
      let entry: Entry | undefined = head;
      while (entry !== undefined && isOverdue(entry)) {
        overdue.push(entry);
        entry = this.#leave(entry);
      }
      if (entry !== undefined) this.#headsOf(entry).ready.push(entry);
    }
    return overdue;
  }

  /**
   * Removes everything, each key in order. `waiting` are heads that the caller holds back; none may be in
   * flight.
   */
  clear(waiting: readonly Entry[]): Entry[] {
    const all: Entry[] = [];
    for (const head of [...waiting, ...this.#live.clear(), ...this.#spooled.clear()]) {
      for (let entry: Entry | undefined = head; entry !== undefined; entry = this.#leave(entry)) {
        all.push(entry);
      }
    }
    return all;
  }

  /**
   * The lane of a key: FNV-1a over the code units, from a secret random start, and folded, since only the low
   * bits choose the lane.
   */
  laneOf(key: string): number {
    let hash = this.#seed;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #headsOf(entry: Entry): Heads {
    return entry.isSpooled ? this.#spooled : this.#live;
  }

  #follow(entry: Entry): void {
    let list = this.#lanes[entry.lane] as number;
    if (list === HEAD_ALONE) {
      list = this.#freeLists.pop() ?? this.#lists.length;
      this.#lanes[entry.lane] = list;
      this.#lists[list] = undefined;
      this.#lengths[list] = 0;
    }
    const length = (this.#lengths[list] as number) + 1;
    this.#lengths[list] = length;
    if (length === SHORT_QUEUE - 1) this.#longLanes++;
    const last = this.#lists[list];
    // The last entry refers to the first, so both ends are at hand.
    entry.next = last?.next ?? entry;
    if (last !== undefined) last.next = entry;
    this.#lists[list] = entry;
  }

  /** Takes the head out of its lane and returns the next one. */
  #leave(head: Entry): Entry | undefined {
    if (!this.#ordered) return undefined;
    const { lane } = head;
    const list = this.#lanes[lane] as number;
    if (list === HEAD_ALONE) {
      this.#lanes[lane] = EMPTY;
      return undefined;
    }
    const last = this.#lists[list] as Entry;
    const next = last.next as Entry;
    const length = (this.#lengths[list] as number) - 1;
    this.#lengths[list] = length;
    if (length === SHORT_QUEUE - 2) this.#longLanes--;
    if (next === last) {
      this.#lanes[lane] = HEAD_ALONE;
      this.#lists[list] = undefined;
      this.#freeLists.push(list);
    } else last.next = next.next;
    next.next = undefined;
    return next;
  }
}

/** Heads of lanes that may be sent. */
class Heads {
  /** Oldest first. */
  readonly ready = new Fifo<Entry>();
  /** Heads that failed; they are sent before the others. */
  readonly again = new Fifo<Entry>();

  get length(): number {
    return this.ready.length + this.again.length;
  }

  /** Adds heads to the batch up to both limits, and returns the bytes of the batch; a head that is larger goes alone. */
  take(
    batch: Entry[],
    limit: { readonly records: number; readonly bytes: number; readonly taken: number },
  ): number {
    let { taken } = limit;
    while (batch.length < limit.records) {
      const from = this.again.length > 0 ? this.again : this.ready;
      const head = from.peek();
      if (head === undefined) break;
      if (taken + head.size > limit.bytes && batch.length > 0) break;
      taken += head.size;
      batch.push(head);
      from.shift();
    }
    return taken;
  }

  remove(isGone: (head: Entry) => boolean): Entry[] {
    return [...this.again.remove(isGone), ...this.ready.remove(isGone)];
  }

  clear(): Entry[] {
    return [...this.again.clear(), ...this.ready.clear()];
  }
}
