import type { Entry } from './entry.ts';
import { Fifo } from './fifo.ts';
import { SHORT_QUEUE } from './memory-share.ts';

export interface LanesOptions {
  /** `false`: every record travels as soon as it can. */
  readonly ordered: boolean;
  /** Records that are here at once, usually at most. */
  readonly records: number;
  /** Uniform in [0, 1): nobody can choose keys that meet in one lane. */
  readonly random: () => number;
}

/** With this many lanes for each record that may be here, two keys rarely meet in one. */
const LANES_PER_RECORD = 16;
const MAX_LANES = 2 ** 20;
const FNV_PRIME = 0x01000193;
/** List numbers begin at 1. */
const EMPTY = 0;
const HEAD_ALONE = -1;
/** Of a request, while both are ready: the rest is for what comes from the disk. */
const LIVE_SHARE = 3 / 4;

/**
 * A lane is a queue of which at most the head is in flight: that is what keeps the order of a key, whatever fails and
 * wherever it is sent next. Heads of different lanes travel together. A key's lane is its hash, in a table of fixed size:
 * two keys that meet in one lane only wait for each other, and memory follows neither the keys nor the records. What most
 * records cost is a number that goes up and down (measured: a map of keys cost three times that, and garbage besides).
 */
export class Lanes {
  readonly #ordered: boolean;
  readonly #seed: number;
  readonly #mask: number;
  /** What is in each lane: EMPTY, HEAD_ALONE, or the number of the list that follows its head. */
  readonly #lanes: Int32Array;
  /** Lists by number: the last entry, whose `next` is the first. (No Map, for the reason that `SwapRemoveList` gives.) */
  readonly #lists: (Entry | undefined)[] = [undefined];
  readonly #freeLists: number[] = [];
  /** Entries of each list, by number. */
  readonly #lengths: number[] = [0];
  #longLanes = 0;
  /** What the application waits for. */
  readonly #live = new Heads();
  /** What comes from the disk. */
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

  /** Lanes, and so `laneOf`'s numbers. */
  get count(): number {
    return this.#mask + 1;
  }

  /** Whether any lane holds `SHORT_QUEUE` records or more. While none does, no lane need be asked for its length. */
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

  /** The head may be sent again. */
  retry(entry: Entry): void {
    this.#headsOf(entry).again.push(entry);
  }

  /** The head is done with, one way or the other; the next of its lane may be sent. */
  done(head: Entry): void {
    const next = this.#leave(head);
    if (next !== undefined) this.#headsOf(next).ready.push(next);
  }

  /** Heads that are ready, in no particular order. */
  *heads(): Generator<Entry> {
    yield* this.#live.again;
    yield* this.#live.ready;
    yield* this.#spooled.again;
    yield* this.#spooled.ready;
  }

  /** The head and all that follow it in its lane, in order. */
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

  /** Takes out for good the ready heads that are overdue, with as many of those behind them as are overdue too. */
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

  /** Takes everything out, each key in order. `waiting` are heads that the caller holds back; none may be in flight. */
  clear(waiting: readonly Entry[]): Entry[] {
    const all: Entry[] = [];
    for (const head of [...waiting, ...this.#live.clear(), ...this.#spooled.clear()]) {
      for (let entry: Entry | undefined = head; entry !== undefined; entry = this.#leave(entry)) {
        all.push(entry);
      }
    }
    return all;
  }

  /** FNV-1a over the code units, from a start that nobody knows, and folded, since only the low bits choose the lane. */
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
    // The last knows the first, so that both ends are at hand.
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
  /** Those that failed: they go before the others. */
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
