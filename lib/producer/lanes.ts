import type { Entry } from './entry.ts';

/**
 * A lane per partition key that has records here, of which at most the head is in flight: that is what keeps the order
 * of a key, whatever fails and wherever it is sent next. Heads of different keys travel together. A lane is a linked
 * list whose tail is in the map, so memory follows the records held, not the keys ever seen.
 */
export class Lanes {
  readonly #ordered: boolean;
  readonly #tails = new Map<string, Entry>();
  /** Heads that may be sent, oldest first; `#readyFrom` is where the first of them is. */
  #ready: Entry[] = [];
  #readyFrom = 0;
  /** Heads that failed and may be sent again: they go before the others. */
  #again: Entry[] = [];
  #againFrom = 0;

  /** `ordered: false`: every record travels as soon as it can. */
  constructor({ ordered }: { readonly ordered: boolean }) {
    this.#ordered = ordered;
  }

  get ready(): number {
    return this.#ready.length - this.#readyFrom + (this.#again.length - this.#againFrom);
  }

  add(entry: Entry): void {
    if (this.#ordered) {
      const tail = this.#tails.get(entry.partitionKey);
      this.#tails.set(entry.partitionKey, entry);
      if (tail !== undefined) {
        tail.next = entry;
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

  /** The head is done with, one way or the other; the next of its key may be sent. */
  done(entry: Entry): void {
    if (!this.#ordered) return;
    const { next } = entry;
    if (next === undefined) {
      this.#tails.delete(entry.partitionKey);
      return;
    }
    entry.next = undefined;
    this.#ready.push(next);
  }

  /** Heads that are ready, in no particular order. */
  *heads(): Generator<Entry> {
    for (let n = this.#againFrom; n < this.#again.length; n++) yield this.#again[n] as Entry;
    for (let n = this.#readyFrom; n < this.#ready.length; n++) yield this.#ready[n] as Entry;
  }

  /** Takes ready heads that are overdue out for good. Their followers become heads, and are looked at in their turn. */
  expire(isOverdue: (head: Entry) => boolean): Entry[] {
    const overdue = [...this.heads()].filter(isOverdue);
    if (overdue.length === 0) return overdue;
    const gone = new Set(overdue);
    this.#again = this.#again.slice(this.#againFrom).filter((head) => !gone.has(head));
    this.#ready = this.#ready.slice(this.#readyFrom).filter((head) => !gone.has(head));
    this.#againFrom = 0;
    this.#readyFrom = 0;
    for (const head of overdue) this.done(head);
    return [...overdue, ...this.expire(isOverdue)];
  }

  /** Takes everything out, each key in order. `waiting` are heads that the caller holds back; none may be in flight. */
  clear(waiting: readonly Entry[]): Entry[] {
    const heads = [...waiting, ...this.#again.slice(this.#againFrom), ...this.#ready.slice(this.#readyFrom)];
    const all: Entry[] = [];
    for (const head of heads) {
      for (let entry: Entry | undefined = head; entry !== undefined; ) {
        all.push(entry);
        const { next }: Entry = entry;
        entry.next = undefined;
        entry = next;
      }
    }
    this.#tails.clear();
    this.#ready = [];
    this.#again = [];
    this.#readyFrom = 0;
    this.#againFrom = 0;
    return all;
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
