import { isUtf8 } from 'node:buffer';

/**
 * CBOR for the sink: written from RFC 8949, and apart from what it tests. Decodes what a request of PutRecords is made
 * of: maps, arrays, texts and byte strings.
 */
export function decoded(bytes: Buffer): unknown {
  const reader = { bytes, at: 0 };
  const value = item(reader);
  if (reader.at !== bytes.length) throw new Error('There is more after the end.');
  return value;
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

const BREAK = 0xff;
const INDEFINITE = 31;
/** Names of fields, so that each is made once. */
const names = ['StreamName', 'StreamARN', 'Records', 'PartitionKey', 'ExplicitHashKey', 'Data'];
const nameByLength = new Map(names.map((name) => [name.length, name]));

function item(reader: Reader): unknown {
  const head = byte(reader);
  const count = countOf(head & 0x1f, reader);
  switch (head >> 5) {
    case 0:
      return count;
    case 2:
      return slice(reader, count);
    case 3:
      return text(reader, count);
    case 4: {
      const list: unknown[] = [];
      while (more(reader, list.length, count)) list.push(item(reader));
      return list;
    }
    case 5: {
      const map: Record<string, unknown> = {};
      for (let pairs = 0; more(reader, pairs, count); pairs++) map[String(item(reader))] = item(reader);
      return map;
    }
    default:
      throw new Error(`A request has no item of type ${head >> 5}.`);
  }
}

/** Undefined: until the break. */
function countOf(minor: number, reader: Reader): number | undefined {
  if (minor < 24) return minor;
  if (minor === INDEFINITE) return undefined;
  if (minor > 26) throw new Error('It is too long.');
  let count = 0;
  for (let n = 2 ** (minor - 24); n > 0; n--) count = count * 256 + byte(reader);
  return count;
}

function more(reader: Reader, have: number, count: number | undefined): boolean {
  if (count !== undefined) return have < count;
  if (reader.bytes[reader.at] !== BREAK) return true;
  reader.at++;
  return false;
}

function byte(reader: Reader): number {
  const value = reader.bytes[reader.at++];
  if (value === undefined) throw new Error('It ends too early.');
  return value;
}

function slice(reader: Reader, count: number | undefined): Buffer {
  if (count === undefined || reader.at + count > reader.bytes.length) throw new Error('It ends too early.');
  const from = reader.at;
  reader.at += count;
  return reader.bytes.subarray(from, reader.at);
}

function text(reader: Reader, count: number | undefined): string {
  const name = nameByLength.get(count ?? 0);
  if (name !== undefined && isAt(name, reader)) {
    reader.at += name.length;
    return name;
  }
  const from = reader.at;
  const bytes = slice(reader, count);
  const value = reader.bytes.toString('utf8', from, reader.at);
  if (value.includes('\ufffd') && !isUtf8(bytes)) throw new Error('A text is not UTF-8.');
  return value;
}

function isAt(name: string, { bytes, at }: Reader): boolean {
  for (let n = 0; n < name.length; n++) if (bytes[at + n] !== name.charCodeAt(n)) return false;
  return true;
}

/** A short text as it is encoded, a character for each byte. */
export function encodedText(value: string): string {
  const bytes = Buffer.from(value);
  if (bytes.length > 0xff) throw new Error('It is too long for the sink.');
  const head = bytes.length < 24 ? [0x60 | bytes.length] : [0x78, bytes.length];
  return Buffer.concat([Buffer.from(head), bytes]).toString('latin1');
}

/** Maps, lists, texts, whole numbers and truths, as bytes. */
export function encoded(value: unknown): Buffer {
  return Buffer.from(encodedItem(value), 'latin1');
}

function encodedItem(value: unknown): string {
  if (typeof value === 'string') return encodedText(value);
  if (typeof value === 'boolean') return value ? '\xf5' : '\xf4';
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes[0] = 0x1b;
    bytes.writeBigUInt64BE(BigInt(value), 1);
    return bytes.toString('latin1');
  }
  if (Array.isArray(value)) return `\x9f${value.map(encodedItem).join('')}\xff`;
  if (typeof value !== 'object' || value === null) throw new Error(`The sink writes no ${typeof value}.`);
  const pairs = Object.entries(value).map(([name, item]) => encodedText(name) + encodedItem(item));
  return `\xbf${pairs.join('')}\xff`;
}
