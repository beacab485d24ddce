/** What can be in one bag at a time. `place` belongs to the bag. */
export interface SwapRemoveItem {
  place: number;
}

/**
 * An unordered list whose items come and go by the hundred thousand. A Set would do the same, but each table
 * that it outgrows keeps a reference to the next one and to all that was in it: once one table is old,
 * everything that follows survives until the next full collection (V8's OrderedHashTable; measured: more than
 * half of what a producer allocates).
 */
export class SwapRemoveList<Item extends SwapRemoveItem> {
  readonly #items: Item[] = [];

  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** Removes an item, which must be in the list. */
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
