/** What can be in one bag at a time. `place` belongs to the bag. */
export interface SwapRemoveItem {
  place: number;
}

/**
 * Items in no order, to come and go by the hundred thousand. A Set does the same, but each table that it outgrows keeps
 * pointing at the next one and all that was in it: once one of them is old, everything that follows survives until the
 * next full collection (V8's OrderedHashTable; measured: more than half of what a producer allocates).
 */
export class SwapRemoveList<Item extends SwapRemoveItem> {
  readonly #items: Item[] = [];

  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** The item is in it. */
  delete(item: Item): void {
    const last = this.#items.pop() as Item;
    if (last === item) return;
    last.place = item.place;
    this.#items[item.place] = last;
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.#items[Symbol.iterator]();
  }
}
