const FIRST_CAPACITY = 64;

/**
 * A first-in, first-out queue in a ring that is kept and reused. An array that is pushed to and sliced
 * creates garbage: taken items stay in it for a while, and replaced arrays keep young objects alive until the
 * next full collection (measured: a quarter of the producer's time). Keeps room for the most items it ever
 * held at once.
 */
export class Fifo<Item extends object> {
  #items: (Item | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: Item): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#first + this.#length) & (this.#items.length - 1)] = item;
    this.#length++;
  }

  peek(): Item | undefined {
    return this.#items[this.#first];
  }

  shift(): Item | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#items[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.#length--;
    return item;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let n = 0; n < this.#length; n++) {
      yield this.#items[(this.#first + n) & (this.#items.length - 1)] as Item;
    }
  }

  /** Removes and returns the items for which `isGone` is true; the others keep their order. */
  remove(isGone: (item: Item) => boolean): Item[] {
    const gone: Item[] = [];
    // Usually no item is gone, and nothing has to be moved.
    if (!this.#some(isGone)) return gone;
    for (let left = this.#length; left > 0; left--) {
      const item = this.shift() as Item;
      if (isGone(item)) gone.push(item);
      else this.push(item);
    }
    return gone;
  }

  /** Takes everything out. */
  clear(): Item[] {
    return this.remove(() => true);
  }

  #some(matches: (item: Item) => boolean): boolean {
    for (let n = 0; n < this.#length; n++) {
      if (matches(this.#items[(this.#first + n) & (this.#items.length - 1)] as Item)) return true;
    }
    return false;
  }

  /** Its length stays a power of two. */
  #grow(): void {
    const items = [...this];
    this.#items = new Array<Item | undefined>(items.length * 2).fill(undefined);
    for (const [n, item] of items.entries()) this.#items[n] = item;
    this.#first = 0;
  }
}
