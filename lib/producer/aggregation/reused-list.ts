/**
 * A list that keeps its room when it is emptied. Setting the length of an array to 0 gives its room away, and growing it again makes
 * garbage: for aggregates of 200 records, 100 bytes for each of them.
 */
export class ReusedList<Item extends object> {
  readonly #items: (Item | undefined)[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): Item {
    return this.#items[index] as Item;
  }

  push(item: Item): void {
    this.#items[this.#length++] = item;
  }

  pop(): void {
    if (this.#length > 0) this.#items[--this.#length] = undefined;
  }

  clear(): void {
    // What is kept would be kept alive.
    this.#items.fill(undefined, 0, this.#length);
    this.#length = 0;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let n = 0; n < this.#length; n++) yield this.#items[n] as Item;
  }
}
