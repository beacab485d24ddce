import { crc32 } from 'node:zlib';
import { assertAttached } from '../record.ts';
import { SpoolEntryError } from './errors.ts';
import { MAX_DATA_BYTES, MAX_HASH_KEY_BYTES, MAX_KEY_BYTES } from './limits.ts';

/** A record as it goes into the spool and comes out, byte for byte. */
export interface SpoolEntry {
  /** 1 to 1,024 bytes in UTF-8. */
  readonly partitionKey: string;
  /** A decimal number of up to 39 digits. */
  readonly explicitHashKey?: string | undefined;
  /** At most 10 MiB. */
  readonly data: Uint8Array;
}

// crc u32 | length u32 | key length u16 | hash key length u8 | mark u8 | key | hash key | data; see docs/spool-format.md.
export const RECORD_HEADER_BYTES = 12;
const LENGTH_AT = 4;
const KEY_LENGTH_AT = 8;
const HASH_KEY_LENGTH_AT = 10;
const MARK_AT = 11;
/**
 * A mark that lets the search for the next record after damage skip nearly every offset. Not zero, and rare
 * in text.
 */
const MARK = 0xe5;
const MIN_RECORD_BYTES = RECORD_HEADER_BYTES + 1;
const MAX_RECORD_BYTES = RECORD_HEADER_BYTES + MAX_KEY_BYTES + MAX_HASH_KEY_BYTES + MAX_DATA_BYTES;
const decimal = /^\d{1,39}$/;

/**
 * Bytes that the entry takes on disk.
 *
 * @throws SpoolEntryError, RecordError for a buffer that is detached, TypeError for what is no entry at all
 */
export function recordBytes({ partitionKey, explicitHashKey, data }: SpoolEntry): number {
  const keyBytes = Buffer.byteLength(partitionKey);
  if (keyBytes < 1 || keyBytes > MAX_KEY_BYTES) {
    throw new SpoolEntryError(`A partition key has 1 to ${MAX_KEY_BYTES} bytes in UTF-8, not ${keyBytes}.`);
  }
  if (!partitionKey.isWellFormed()) {
    throw new SpoolEntryError('The partition key has half a surrogate pair, which UTF-8 cannot carry.');
  }
  if (explicitHashKey !== undefined && !isDecimal(explicitHashKey)) {
    throw new SpoolEntryError(`An explicit hash key has 1 to ${MAX_HASH_KEY_BYTES} decimal digits.`);
  }
  // Also false for a value without a length.
  if (!(data.byteLength <= MAX_DATA_BYTES)) {
    throw new SpoolEntryError(
      `A record has at most ${MAX_DATA_BYTES} bytes of data, not ${data.byteLength}.`,
    );
  }
  if (data.byteLength === 0) assertAttached(data);
  return RECORD_HEADER_BYTES + keyBytes + (explicitHashKey?.length ?? 0) + data.byteLength;
}

/** Checks the type first, because a regular expression turns a number into a string. */
function isDecimal(key: unknown): boolean {
  return typeof key === 'string' && decimal.test(key);
}

/**
 * Writes a checked entry at `offset` and returns its end. Its CRC does not cover its place yet: `sealRecords`
 * adds that.
 */
export function encodeRecord(buffer: Buffer, offset: number, entry: SpoolEntry): number {
  const { partitionKey, explicitHashKey = '', data } = entry;
  const keyAt = offset + RECORD_HEADER_BYTES;
  const keyBytes = buffer.write(partitionKey, keyAt);
  const hashKeyAt = keyAt + keyBytes;
  if (explicitHashKey !== '') buffer.write(explicitHashKey, hashKeyAt, 'latin1');
  const dataAt = hashKeyAt + explicitHashKey.length;
  buffer.set(data, dataAt);
  const end = dataAt + data.byteLength;
  buffer.writeUInt32LE(end - offset, offset + LENGTH_AT);
  buffer.writeUInt16LE(keyBytes, offset + KEY_LENGTH_AT);
  buffer[offset + HASH_KEY_LENGTH_AT] = explicitHashKey.length;
  buffer[offset + MARK_AT] = MARK;
  buffer.writeUInt32LE(crc32(buffer.subarray(offset + LENGTH_AT, end)), offset);
  return end;
}

/**
 * XORs every CRC with its record's place. Otherwise a record inside another one's data, or a block of a
 * deleted file, would pass for a record of this segment. CRCs XORed with different places always differ.
 */
export function sealRecords(
  buffer: Buffer,
  used: number,
  place: { readonly salt: number; readonly offset: number },
): void {
  for (let at = 0; at < used; at += buffer.readUInt32LE(at + LENGTH_AT)) {
    buffer.writeUInt32LE((buffer.readUInt32LE(at) ^ maskOf(place.salt, place.offset + at)) >>> 0, at);
  }
}

function maskOf(salt: number, fileOffset: number): number {
  return (salt + fileOffset) >>> 0;
}

/** A piece of a segment in memory. */
export interface SegmentBytes {
  readonly buffer: Buffer;
  /** Where in the file the buffer begins. */
  readonly base: number;
  readonly salt: number;
}

/** The length that the header at buffer offset `at` claims; undefined when it cannot be a record. */
export function claimedLength({ buffer }: SegmentBytes, at: number): number | undefined {
  if (at + RECORD_HEADER_BYTES > buffer.length || buffer[at + MARK_AT] !== MARK) return undefined;
  const length = buffer.readUInt32LE(at + LENGTH_AT);
  const keyBytes = buffer.readUInt16LE(at + KEY_LENGTH_AT);
  const hashKeyBytes = buffer[at + HASH_KEY_LENGTH_AT] ?? 0;
  if (length < MIN_RECORD_BYTES || length > MAX_RECORD_BYTES) return undefined;
  if (keyBytes < 1 || keyBytes > MAX_KEY_BYTES || hashKeyBytes > MAX_HASH_KEY_BYTES) return undefined;
  const dataBytes = length - RECORD_HEADER_BYTES - keyBytes - hashKeyBytes;
  return dataBytes < 0 || dataBytes > MAX_DATA_BYTES ? undefined : length;
}

/** Whether the record at `at`, whose header claims `length` bytes, is whole and in its place. */
export function isIntact({ buffer, base, salt }: SegmentBytes, at: number, length: number): boolean {
  if (at + length > buffer.length) return false;
  const crc = crc32(buffer.subarray(at + LENGTH_AT, at + length));
  return buffer.readUInt32LE(at) === (crc ^ maskOf(salt, base + at)) >>> 0;
}

/**
 * The first place at or after `from` where a record could begin, judged by its mark alone; undefined when
 * there is none.
 */
export function nextCandidate({ buffer }: SegmentBytes, from: number): number | undefined {
  const mark = buffer.indexOf(MARK, from + MARK_AT);
  return mark === -1 ? undefined : mark - MARK_AT;
}

/** The partition key of an intact record. */
export function partitionKeyOf({ buffer }: SegmentBytes, at: number): string {
  const keyAt = at + RECORD_HEADER_BYTES;
  return buffer.toString('utf8', keyAt, keyAt + buffer.readUInt16LE(at + KEY_LENGTH_AT));
}

/** The entry of an intact record. Its data is a view of the buffer. */
export function decodeRecord({ buffer }: SegmentBytes, at: number, length: number): SpoolEntry {
  const keyAt = at + RECORD_HEADER_BYTES;
  const hashKeyAt = keyAt + buffer.readUInt16LE(at + KEY_LENGTH_AT);
  const dataAt = hashKeyAt + (buffer[at + HASH_KEY_LENGTH_AT] ?? 0);
  const partitionKey = buffer.toString('utf8', keyAt, hashKeyAt);
  const data = buffer.subarray(dataAt, at + length);
  if (dataAt === hashKeyAt) return { partitionKey, data };
  return { partitionKey, explicitHashKey: buffer.toString('latin1', hashKeyAt, dataAt), data };
}
