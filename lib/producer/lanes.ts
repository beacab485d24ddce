import type { Entry } from './entry.ts';

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
  /** Records of each lane that are here, the head included. */
  readonly #held: Int32Array;
  /** Of the lanes that hold more than a head: the last entry, whose `next` is the first that follows the head. */
  readonly #lasts = new Map<number, Entry>();
  /** Heads that may be sent, oldest first; `#readyFrom` is where the first of them is. */
  #ready: Entry[] = [];
  #readyFrom = 0;
  /** Heads that failed and may be sent again: they go before the others. */
  #again: Entry[] = [];
  #againFrom = 0;

  constructor({ ordered, records, random }: LanesOptions) {
    const lanes = 2 ** Math.ceil(Math.log2(Math.min(records * LANES_PER_RECORD, MAX_LANES)));
    this.#ordered = ordered;
    this.#seed = Math.floor(random() * 2 ** 32);
    this.#mask = lanes - 1;
    this.#held = new Int32Array(ordered ? lanes : 0);
  }

  get ready(): number {
    return this.#ready.length - this.#readyFrom + (this.#again.length - this.#againFrom);
  }

  add(entry: Entry): void {
    if (this.#ordered) {
      const lane = this.#laneOf(entry.partitionKey);
      entry.lane = lane;
      const held = this.#held[lane] as number;
      this.#held[lane] = held + 1;
      if (held > 0) {
        this.#follow(entry);
        return;
      }
    }
    this.#ready.push(entry);
  }

  /** Takes ready heads up to both limits, at least one if there is one. They stay at the head of their lane. */
  take({ records, bytes }: { readonly records: number; readonly bytes: number }): Entry[] {
    const batch: Entry[] = [];
    let taken = 0;
    for (let head = this.#peek(); head !== undefined && batch.length < records; head = this.#peek()) {
      taken += head.size;
      if (taken > bytes && batch.length > 0) break;
      batch.push(head);
      this.#shift();
    }
    return batch;
  }

  /** The head may be sent again. */
  retry(entry: Entry): void {
    this.#again.push(entry);
  }

  /** The head is done with, one way or the other; the next of its lane may be sent. */
  done(head: Entry): void {
    const next = this.#leave(head);
    if (next !== undefined) this.#ready.push(next);
  }

  /** Heads that are ready, in no particular order. */
  *heads(): Generator<Entry> {
    for (let n = this.#againFrom; n < this.#again.length; n++) yield this.#again[n] as Entry;
    for (let n = this.#readyFrom; n < this.#ready.length; n++) yield this.#ready[n] as Entry;
  }

  /** Takes out for good the ready heads that are overdue, with as many of those behind them as are overdue too. */
  expire(isOverdue: (entry: Entry) => boolean): Entry[] {
    const heads = new Set([...this.heads()].filter(isOverdue));
    if (heads.size === 0) return [];
    this.#again = this.#again.slice(this.#againFrom).filter((head) => !heads.has(head));
    this.#ready = this.#ready.slice(this.#readyFrom).filter((head) => !heads.has(head));
    this.#againFrom = 0;
    this.#readyFrom = 0;
    const overdue: Entry[] = [];
    for (const head of heads) {
      let entry: Entry | undefined = head;
      while (entry !== undefined && isOverdue(entry)) {
        overdue.push(entry);
        entry = this.#leave(entry);
      }
      if (entry !== undefined) this.#ready.push(entry);
    }
    return overdue;
  }

  /** Takes everything out, each key in order. `waiting` are heads that the caller holds back; none may be in flight. */
  clear(waiting: readonly Entry[]): Entry[] {
    const heads = [...waiting, ...this.#again.slice(this.#againFrom), ...this.#ready.slice(this.#readyFrom)];
    const all: Entry[] = [];
    for (const head of heads) {
      for (let entry: Entry | undefined = head; entry !== undefined; entry = this.#leave(entry)) {
        all.push(entry);
      }
    }
    this.#ready = [];
    this.#again = [];
    this.#readyFrom = 0;
    this.#againFrom = 0;
    return all;
  }

  /** FNV-1a over the code units, from a start that nobody knows, and folded, since only the low bits choose the lane. */
  #laneOf(key: string): number {
    let hash = this.#seed;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #follow(entry: Entry): void {
    const last = this.#lasts.get(entry.lane);
    // The last knows the first, so that both ends are at hand.
    entry.next = last?.next ?? entry;
    if (last !== undefined) last.next = entry;
    this.#lasts.set(entry.lane, entry);
  }

  /** Takes the head out of its lane and returns the next one. */
  #leave(head: Entry): Entry | undefined {
    if (!this.#ordered) return undefined;
    const { lane } = head;
    const held = (this.#held[lane] as number) - 1;
    this.#held[lane] = held;
    if (held === 0) return undefined;
    const last = this.#lasts.get(lane) as Entry;
    const next = last.next as Entry;
    if (next === last) this.#lasts.delete(lane);
    else last.next = next.next;
    next.next = undefined;
    return next;
  }

  #peek(): Entry | undefined {
    return this.#againFrom < this.#again.length ? this.#again[this.#againFrom] : this.#ready[this.#readyFrom];
  }

  #shift(): void {
    if (this.#againFrom < this.#again.length) {
      this.#againFrom++;
      if (this.#againFrom === this.#again.length) {
        this.#again = [];
        this.#againFrom = 0;
      }
      return;
    }
    this.#readyFrom++;
    // What was taken is let go of now and then, not record by record.
    if (this.#readyFrom > 4_096 || this.#readyFrom === this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyFrom);
      this.#readyFrom = 0;
    }
  }
}
