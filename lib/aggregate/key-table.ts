import { varintBytes } from './protobuf-writer.ts';

/** The keys of an aggregate, each once, numbered in the order of their coming. */
export class KeyTable {
  readonly #indexes = new Map<string, number>();
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** The number of the key; undefined for a key that is not in the table. */
  find(key: string): number | undefined {
    return this.#indexes.get(key);
  }

  add(key: string): void {
    this.#indexes.set(key, this.#keys.length);
    this.#keys.push(key);
  }

  /** Takes out the key that came last. */
  removeLast(): void {
    const last = this.#keys.pop();
    if (last !== undefined) this.#indexes.delete(last);
  }

  keys(): readonly string[] {
    return this.#keys;
  }

  clear(): void {
    this.#indexes.clear();
    this.#keys.length = 0;
  }
}

/** Bytes that a new key adds to an aggregate. Fields of an aggregate have numbers below 16, so a tag is one byte. */
export function tableBytes(key: string): number {
  const length = Buffer.byteLength(key);
  return 1 + varintBytes(length) + length;
}
