import { isUint8Array } from 'node:util/types';
import { RecordError } from './errors.ts';
import { kindOf } from './kind-of.ts';
import { assertAttached, type ProducerRecord } from './record.ts';

/** Kinesis API Reference, PutRecordsRequestEntry: a key of 1 to 256 Unicode characters. */
const MAX_KEY_CHARACTERS = 256;
/** The same page: `0|([1-9]\d{0,38})`. */
const hashKeyPattern = /^(?:0|[1-9]\d{0,38})$/;
/** 2^128 - 1. Of two numbers with equally many digits, the smaller one also sorts first as text. */
const MAX_HASH_KEY = '340282366920938463463374607431768211455';
const MAX_ARRAY_LENGTH = 2 ** 32 - 1;
const encoder = new TextEncoder();

/** The limits that a record must keep to. */
export interface RecordRules {
  readonly maxRecordBytes: number;
  /** Bytes that an envelope adds. */
  readonly envelopeBytes: number;
}

/**
 * A record whose fields have each been read once and checked, because JavaScript callers may give anything,
 * and something else at each read. Not a literal, for the reason that `Written` gives: many of them may wait.
 */
export class CheckedRecord implements ProducerRecord {
  readonly partitionKey: string;
  /** A string is kept as it is, so that it is not held twice. */
  readonly data: Uint8Array | string;
  readonly explicitHashKey: string | undefined;
  /** Bytes of the data (in UTF-8) when it was checked. */
  readonly dataBytes: number;

  /**
   * Reads and checks a record.
   *
   * @throws RecordError for what every region would refuse, and for what a getter or a Proxy throws.
   */
  constructor(given: unknown, { envelopeBytes, maxRecordBytes }: RecordRules) {
    if (typeof given !== 'object' || given === null) {
      throw new RecordError(
        `A record is an object with \`partitionKey\` and \`data\`, not ${kindOf(given)}.`,
      );
    }
    const { partitionKey, data, explicitHashKey } = given as Readonly<Record<string, unknown>>;
    assertKey(partitionKey);
    assertHashKey(explicitHashKey);
    this.partitionKey = partitionKey;
    this.data = typeof data === 'string' ? data : plainBytes(data);
    this.explicitHashKey = explicitHashKey;
    this.dataBytes = typeof this.data === 'string' ? utf8Length(this.data) : this.data.byteLength;
    assertSize(partitionKey, this.dataBytes + envelopeBytes, maxRecordBytes);
  }
}

/** @throws RecordError unless it is an array. */
export function lengthOf(records: unknown, name: string): number {
  let length: unknown;
  try {
    // With a Proxy, both calls may run the caller's code.
    if (Array.isArray(records)) length = records.length;
  } catch (cause) {
    throw new RecordError('The array of records cannot be read; `cause` is what it threw.', { cause });
  }
  if (
    typeof length !== 'number' ||
    !(length >= 0 && length <= MAX_ARRAY_LENGTH && Number.isInteger(length))
  ) {
    throw new RecordError(`${name} is an array, not ${kindOf(records)}.`);
  }
  return length;
}

/** The bytes to send. A Uint8Array is not copied. @throws RecordError when its buffer was detached or resized while it waited. */
export function bytesOf({ data, dataBytes }: CheckedRecord): Uint8Array {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  if (bytes.byteLength !== dataBytes) throw new RecordError(BYTES_CHANGED);
  return bytes;
}

/** Why a record fails if the number of its bytes has changed. */
export const BYTES_CHANGED =
  'The buffer of `data` was detached or resized while the record waited: leave it alone until the receipt.';

function assertKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') {
    throw new RecordError(
      `A partition key is a text of 1 to ${MAX_KEY_CHARACTERS} characters, not ${kindOf(key)}.`,
    );
  }
  if (key.length === 0 || isTooLong(key)) {
    throw new RecordError(`A partition key is a text of 1 to ${MAX_KEY_CHARACTERS} characters.`);
  }
  if (!key.isWellFormed()) {
    throw new RecordError('The partition key has half a surrogate pair, which UTF-8 cannot carry.');
  }
}

function utf8Length(text: string): number {
  if (!text.isWellFormed()) {
    throw new RecordError(
      '`data` has half a surrogate pair, which UTF-8 cannot carry: put bytes, or `text.toWellFormed()`.',
    );
  }
  return Buffer.byteLength(text);
}

/** @throws RecordError unless the data is a Uint8Array, of any realm, that has its bytes. */
function plainBytes(data: unknown): Uint8Array {
  const bytes = isPlain(data) ? data : copyOf(data);
  if (bytes.byteLength === 0) assertAttached(bytes);
  return bytes;
}

/**
 * Runs for every record, so it is a cheap test: `isUint8Array`, or a look at the prototype, costs several
 * times as much.
 */
function isPlain(data: unknown): data is Uint8Array {
  return ArrayBuffer.isView(data) && (data.constructor === Buffer || data.constructor === Uint8Array);
}

/** A copy of the bytes. Needed for subclasses, which may override how they answer for their bytes. */
function copyOf(data: unknown): Uint8Array {
  if (isUint8Array(data)) return new Uint8Array(data);
  throw new RecordError(`\`data\` is a Uint8Array or a string, not ${kindOf(data)}${adviceFor(data)}.`);
}

function adviceFor(data: unknown): string {
  if (!ArrayBuffer.isView(data)) return '';
  return ': for the bytes of another view write `new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`';
}

function assertSize(partitionKey: string, dataBytes: number, maxRecordBytes: number): void {
  // A code unit has at most three bytes in UTF-8, so the key rarely has to be measured.
  if (dataBytes + partitionKey.length * 3 <= maxRecordBytes) return;
  const size = dataBytes + Buffer.byteLength(partitionKey);
  if (size > maxRecordBytes) {
    throw new RecordError(`A record has at most ${maxRecordBytes} bytes with its key, not ${size}.`);
  }
}

/** Checks the type first, because a regular expression turns a number into a string. */
function assertHashKey(key: unknown): asserts key is string | undefined {
  if (key === undefined || (typeof key === 'string' && isHashKey(key))) return;
  throw new RecordError(
    `\`explicitHashKey\` is a decimal number below 2^128, in a string, not ${kindOf(key)}.`,
  );
}

function isHashKey(key: string): boolean {
  return hashKeyPattern.test(key) && (key.length < MAX_HASH_KEY.length || key <= MAX_HASH_KEY);
}

/** Counts characters only where the number of code units (one or two each) does not decide it. */
function isTooLong(key: string): boolean {
  if (key.length <= MAX_KEY_CHARACTERS) return false;
  return key.length > 2 * MAX_KEY_CHARACTERS || [...key].length > MAX_KEY_CHARACTERS;
}

/** Turns whatever a field, an encoder or the envelope threw into the failure of this record. */
export function asRecordError(error: unknown): RecordError {
  try {
    if (error instanceof RecordError) return error;
  } catch {
    // A revoked Proxy was thrown; even asking for its type throws.
  }
  return new RecordError('The record cannot be read or encoded; `cause` says why.', { cause: error });
}
