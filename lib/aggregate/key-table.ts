import { varintBytes } from './protobuf-writer.ts';

export interface Place {
  readonly index: number;
  /** Bytes that the key adds to the aggregate; 0 when it is in the table. */
  readonly newBytes: number;
}

/** The keys of an aggregate, each once, numbered in the order of their coming. */
export class KeyTable {
  readonly #indexes = new Map<string, number>();

  /** Where the key is, or would be. */
  find(key: string): Place {
    const index = this.#indexes.get(key);
    if (index !== undefined) return { index, newBytes: 0 };
    const length = Buffer.byteLength(key);
    return { index: this.#indexes.size, newBytes: 1 + varintBytes(length) + length };
  }

  add(key: string): void {
    if (!this.#indexes.has(key)) this.#indexes.set(key, this.#indexes.size);
  }

  keys(): Iterable<string> {
    return this.#indexes.keys();
  }

  clear(): void {
    this.#indexes.clear();
  }
}
