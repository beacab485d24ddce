import { wireTypes } from './protobuf.ts';

/** Bytes of a number as a varint, up to 2^53 - 1. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes fields with numbers below 16 into a buffer that is long enough. */
export class ProtobufWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get written(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  number(field: number, value: number): void {
    this.#tag(field, wireTypes.varint);
    this.#varint(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.beginMessage(field, value.byteLength);
    this.raw(value);
  }

  text(field: number, value: string): void {
    const { length } = value;
    const buffer = this.#buffer;
    const from = this.#at;
    this.beginMessage(field, length);
    // For a few characters of ASCII, which most keys are, a loop is cheaper than calls into native code.
    for (let n = 0; n < length; n++) {
      const unit = value.charCodeAt(n);
      if (unit > 0x7f) {
        this.#at = from;
        this.#utf8(field, value);
        return;
      }
      buffer[this.#at++] = unit;
    }
  }

  #utf8(field: number, value: string): void {
    this.beginMessage(field, Buffer.byteLength(value));
    this.#at += this.#buffer.write(value, this.#at, 'utf8');
  }

  /** What is written next, `length` bytes of it, is the message in this field. */
  beginMessage(field: number, length: number): void {
    this.#tag(field, wireTypes.bytes);
    this.#varint(length);
  }

  #tag(field: number, wireType: number): void {
    this.#buffer[this.#at++] = field * 8 + wireType;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#buffer[this.#at++] = (rest % 128) | 0x80;
    this.#buffer[this.#at++] = rest;
  }
}
