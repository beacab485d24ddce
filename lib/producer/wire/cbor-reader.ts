import {
  ARRAY,
  BREAK,
  BYTES,
  EIGHT_BYTES,
  FOUR_BYTES,
  INDEFINITE,
  MAJOR_BITS,
  MAP,
  MINOR_BITS,
  ONE_BYTE,
  TAG,
  TEXT,
  TWO_BYTES,
} from './cbor.ts';

/** Deepest nesting accepted. An answer has three levels. */
const MAX_DEPTH = 16;

/** The bytes are not CBOR, or do not have the expected shape. */
export class CborError extends Error {
  override readonly name = 'CborError';
}

/** Reads a document from front to back, item by item. @throws CborError, from all methods */
export class CborReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Start of the last text. */
  from = 0;
  to = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Enters a map; ask `hasMore` before each of its pairs. */
  enterMap(): Remaining {
    return this.#enter(MAP);
  }

  enterArray(): Remaining {
    return this.#enter(ARRAY);
  }

  /** Whether the array or map has another item or pair; counts it as read if so. */
  hasMore(container: Remaining): boolean {
    if (container.items > 0) {
      container.items--;
      return true;
    }
    if (container.items === 0) return false;
    if (this.#byteAt(this.#at) !== BREAK) return true;
    this.#at++;
    return false;
  }

  /** Skips the next item if it is exactly these bytes. */
  skipIf(item: Uint8Array): boolean {
    const at = this.#at;
    for (let n = 0; n < item.length; n++) {
      if (this.#bytes[at + n] !== item[n]) return false;
    }
    this.#at = at + item.length;
    return true;
  }

  /**
   * Whether the next item is a text in one piece. If so, skips it and sets `from` and `to` to its place. Any
   * other item stays the next one.
   */
  readsText(): boolean {
    const head = this.#byteAt(this.#at);
    if ((head & MAJOR_BITS) !== TEXT || (head & MINOR_BITS) === INDEFINITE) return false;
    const length = this.#length();
    this.from = this.#at;
    this.to = this.#advance(length);
    return true;
  }

  /**
   * The next item if it is a text, in one piece or in chunks; if it is something else, skips it and returns
   * undefined.
   */
  text(): string | undefined {
    if (this.#byteAt(this.#at) === (TEXT | INDEFINITE)) return this.#chunks();
    if (this.readsText()) return this.#bytes.toString('utf8', this.from, this.to);
    this.skip();
    return undefined;
  }

  #chunks(): string {
    this.#at++;
    const pieces: Buffer[] = [];
    while (this.hasMore({ items: -1 })) {
      if (!this.readsText()) throw new CborError('A chunk that is no text.');
      pieces.push(this.#bytes.subarray(this.from, this.to));
    }
    return Buffer.concat(pieces).toString();
  }

  /** Skips the next item of any type. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) throw new CborError('Too many levels.');
    const head = this.#byteAt(this.#at);
    const type = head & MAJOR_BITS;
    const isIndefinite = (head & MINOR_BITS) === INDEFINITE;
    if (head === BREAK) throw new CborError('An end of nothing.');
    switch (type) {
      case BYTES:
      case TEXT: {
        if (!isIndefinite) {
          this.#advance(this.#length());
          return;
        }
        this.#at++;
        while (this.hasMore({ items: -1 })) this.skip(depth + 1);
        return;
      }
      case ARRAY:
      case MAP: {
        const container = this.#enter(type);
        while (this.hasMore(container)) {
          this.skip(depth + 1);
          if (type === MAP) this.skip(depth + 1);
        }
        return;
      }
      case TAG:
        this.#length();
        this.skip(depth + 1);
        return;
      default:
        // Numbers, true, false, null: a head and no content.
        this.#length();
    }
  }

  #enter(type: typeof MAP | typeof ARRAY): Remaining {
    const head = this.#byteAt(this.#at);
    if ((head & MAJOR_BITS) !== type) throw new CborError(`Not ${type === MAP ? 'a map' : 'an array'}.`);
    if ((head & MINOR_BITS) !== INDEFINITE) return { items: this.#length() };
    this.#at++;
    return { items: -1 };
  }

  /** Reads a head, and returns the number in it. */
  #length(): number {
    const minor = this.#byteAt(this.#at++) & MINOR_BITS;
    if (minor < ONE_BYTE) return minor;
    const at = this.#at;
    switch (minor) {
      case ONE_BYTE:
        return this.#byteAt(this.#at++);
      case TWO_BYTES:
        this.#advance(2);
        return this.#bytes.readUInt16BE(at);
      case FOUR_BYTES:
        this.#advance(4);
        return this.#bytes.readUInt32BE(at);
      case EIGHT_BYTES:
        this.#advance(8);
        return Number(this.#bytes.readBigUInt64BE(at));
      default:
        throw new CborError('A head that does not exist.');
    }
  }

  #advance(length: number): number {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new CborError('It ends too early.');
    this.#at = end;
    return end;
  }

  #byteAt(at: number): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw new CborError('It ends too early.');
    return byte;
  }
}

/** Items or pairs that are left in a container; negative: until its end mark. */
interface Remaining {
  items: number;
}
