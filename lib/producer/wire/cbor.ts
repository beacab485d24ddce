/**
 * The part of CBOR (RFC 8949) that Kinesis' protocol `application/x-amz-cbor-1.1` needs: texts, byte strings,
 * arrays and maps. Written in the form of the AWS SDK for Java, which has used it for Kinesis since 2016
 * (1.11.71): containers have an indefinite length, everything else a definite one. Read in either form.
 */
export const BYTES = 0x40;
export const TEXT = 0x60;
export const ARRAY = 0x80;
export const MAP = 0xa0;
export const TAG = 0xc0;
const SIMPLE = 0xe0;
export const MAJOR_BITS = 0xe0;
export const MINOR_BITS = 0x1f;
export const ONE_BYTE = 24;
export const TWO_BYTES = 25;
export const FOUR_BYTES = 26;
export const EIGHT_BYTES = 27;
export const INDEFINITE = 31;

export const MAP_OF_ANY = MAP | INDEFINITE;
export const ARRAY_OF_ANY = ARRAY | INDEFINITE;
export const BREAK = SIMPLE | INDEFINITE;

/** Bytes of the longest head that `writeHead` writes. */
export const MAX_HEAD_BYTES = 5;

/** Writes the type and length (below 2^32) of an item, and returns where its content begins. */
export function writeHead(type: number, { length, into, at }: HeadPlace): number {
  if (length < ONE_BYTE) {
    into[at] = type | length;
    return at + 1;
  }
  if (length <= 0xff) {
    into[at] = type | ONE_BYTE;
    into[at + 1] = length;
    return at + 2;
  }
  if (length <= 0xffff) {
    into[at] = type | TWO_BYTES;
    into[at + 1] = length >> 8;
    into[at + 2] = length;
    return at + 3;
  }
  into[at] = type | FOUR_BYTES;
  into.writeUInt32BE(length, at + 1);
  return at + MAX_HEAD_BYTES;
}

interface HeadPlace {
  readonly length: number;
  readonly into: Buffer;
  readonly at: number;
}

/** The encoding of a short text: up to 23 bytes of ASCII. */
export function shortText(text: string): Uint8Array {
  return Buffer.from([TEXT | text.length, ...Buffer.from(text, 'latin1')]);
}
