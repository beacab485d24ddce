import { EnvelopeError } from './errors.ts';
import { ID_BYTES } from './layout.ts';

/**
 * The text of each byte value, and a buffer to assemble an id's text: each id allocates one flat string and
 * nothing else.
 */
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const digits = Buffer.from(hexOfByte.join(''), 'latin1');
const text = Buffer.alloc(36, '-');
/** Where the two digits of each byte go: 8-4-4-4-12. */
const places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/**
 * Ids are 16 bytes, written as a UUID in lower case. The `uuid` package refuses to write or read bytes that are not an RFC 9562
 * UUID; a producer id of another language may be any 16 bytes.
 */
export function idText(bytes: Uint8Array, offset = 0): string {
  for (let at = 0; at < ID_BYTES; at++) {
    const place = places[at] as number;
    const digit = 2 * (bytes[offset + at] as number);
    text[place] = digits[digit] as number;
    text[place + 1] = digits[digit + 1] as number;
  }
  return text.toString('latin1');
}

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws EnvelopeError for anything but 16 bytes or their text as a UUID. */
export function putId(id: string | Uint8Array, into: Buffer, offset: number): void {
  if (typeof id !== 'string') {
    if (id.byteLength !== ID_BYTES)
      throw new EnvelopeError(`An id has ${ID_BYTES} bytes, not ${id.byteLength}: give a UUID.`);
    into.set(id, offset);
    return;
  }
  if (!idPattern.test(id))
    throw new EnvelopeError(`"${id}" is not the text of a UUID: give 8-4-4-4-12 hex digits.`);
  into.write(id.replaceAll('-', ''), offset, ID_BYTES, 'hex');
}
