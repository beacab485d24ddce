/** The wire types of protobuf ("Encoding", protobuf.dev). Groups are deprecated, but are skipped as any unknown field. */
export const wireTypes = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;

const MAX_VARINT_BYTES = 10;
/** Tags have 32 bits: a field number and three bits of wire type. */
const MAX_TAG = 2 ** 32 - 1;
/** As deep as protobuf's own readers go. */
const MAX_GROUPS = 100;

/** What is wrong with a message; never leaves this folder. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** A field, unread: `read*` of the reader, or `skip`, has to follow. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
}

/** Goes through a message once, from field to field. Everything given out is a view. @throws ProtobufError */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next field, or undefined at the end of the message. */
  next(): Field | undefined {
    if (this.#at === this.#bytes.byteLength) return undefined;
    const tag = this.readVarint();
    if (tag > MAX_TAG || tag < 8) throw new ProtobufError(`no field has the tag ${tag}`);
    return { number: Math.floor(tag / 8), wireType: tag % 8 };
  }

  /** At most 2^53 - 1: no index and no length is greater. */
  readVarint(): number {
    let value = 0;
    let unit = 1;
    for (let length = 1; length <= MAX_VARINT_BYTES; length++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new ProtobufError('a number is cut short');
      this.#at++;
      value += (byte & 0x7f) * unit;
      if (!Number.isSafeInteger(value)) throw new ProtobufError('a number is above 2^53 - 1');
      if (byte < 0x80) return value;
      unit *= 128;
    }
    throw new ProtobufError('a number has more than ten bytes');
  }

  readBytes(): Uint8Array {
    return this.#take(this.readVarint());
  }

  skip({ number, wireType }: Field, depth = 0): void {
    if (wireType === wireTypes.varint) this.#skipVarint();
    else if (wireType === wireTypes.fixed64) this.#take(8);
    else if (wireType === wireTypes.bytes) this.readBytes();
    else if (wireType === wireTypes.fixed32) this.#take(4);
    else if (wireType === wireTypes.groupStart) this.#skipGroup(number, depth);
    else throw new ProtobufError(`field ${number} has the wire type ${wireType}`);
  }

  #skipGroup(number: number, depth: number): void {
    if (depth === MAX_GROUPS) throw new ProtobufError(`groups are more than ${MAX_GROUPS} deep`);
    for (let field = this.next(); field !== undefined; field = this.next()) {
      if (field.wireType !== wireTypes.groupEnd) this.skip(field, depth + 1);
      else if (field.number === number) return;
      else throw new ProtobufError(`group ${number} ends as group ${field.number}`);
    }
    throw new ProtobufError(`group ${number} has no end`);
  }

  /** An unknown number may have all of its 64 bits. */
  #skipVarint(): void {
    for (let length = 1; length <= MAX_VARINT_BYTES; length++) {
      if ((this.#take(1)[0] as number) < 0x80) return;
    }
    throw new ProtobufError('a number has more than ten bytes');
  }

  #take(length: number): Uint8Array {
    const left = this.#bytes.byteLength - this.#at;
    if (length > left) throw new ProtobufError(`a field has ${length} bytes, and ${left} are left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
