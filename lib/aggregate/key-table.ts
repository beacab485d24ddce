import { varintBytes } from './protobuf-writer.ts';

/** The keys of an aggregate, numbered in the order of their coming. Keeps its room when it is cleared. */
export class KeyTable {
  readonly #keys: string[] = [];
  #size = 0;
  readonly #indexes = new Map<string, number>();
  /** Keys that `#indexes` has: it is made when the first key is looked for, since some callers know where their keys are. */
  #indexed = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of the key; undefined for a key that is not in the table. */
  find(key: string): number | undefined {
    for (; this.#indexed < this.#size; this.#indexed++)
      this.#indexes.set(this.at(this.#indexed), this.#indexed);
    return this.#indexes.get(key);
  }

  at(index: number): string {
    return this.#keys[index] as string;
  }

  add(key: string): void {
    this.#keys[this.#size++] = key;
  }

  /** Takes out the key that came last. */
  removeLast(): void {
    if (this.#size === 0) return;
    const last = this.at(--this.#size);
    if (this.#indexed > this.#size) {
      this.#indexes.delete(last);
      this.#indexed = this.#size;
    }
  }

  clear(): void {
    this.#size = 0;
    if (this.#indexed > 0) this.#indexes.clear();
    this.#indexed = 0;
  }
}

/** Bytes that a new key adds to an aggregate. Fields of an aggregate have numbers below 16, so a tag is one byte. */
export function tableBytes(key: string): number {
  const length = Buffer.byteLength(key);
  return 1 + varintBytes(length) + length;
}
