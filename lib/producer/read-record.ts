import { isUint8Array } from 'node:util/types';
import { RecordError } from './errors.ts';
import { kindOf } from './kind-of.ts';
import { byteLengthOf, isDetached, type ProducerRecord } from './record.ts';

/** Kinesis API Reference, PutRecordsRequestEntry: a key of 1 to 256 Unicode characters. */
const MAX_KEY_CHARACTERS = 256;
/** The same page: `0|([1-9]\d{0,38})`. */
const hashKeyPattern = /^(?:0|[1-9]\d{0,38})$/;
/** 2^128 - 1. Of two numbers of as many digits, the text that sorts first is the smaller one. */
const MAX_HASH_KEY = '340282366920938463463374607431768211455';
const MAX_ARRAY_LENGTH = 2 ** 32 - 1;
const encoder = new TextEncoder();
/** What a record must keep to. */
export interface RecordRules {
  readonly maxRecordBytes: number;
  /** Bytes that an envelope adds. */
  readonly envelopeBytes: number;
}

/** A record that has been read and checked. Not a literal, for the reason that `Written` gives: many of them may wait. */
export class CheckedRecord implements ProducerRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array | string;
  readonly explicitHashKey: string | undefined;
  /** Of the data in UTF-8, when it was checked. A text waits as it is, as it must not be held twice. */
  readonly dataBytes: number;

  constructor(record: ProducerRecord, dataBytes: number) {
    this.partitionKey = record.partitionKey;
    this.data = record.data;
    this.explicitHashKey = record.explicitHashKey;
    this.dataBytes = dataBytes;
  }
}

/** @throws RecordError unless it is an array. */
export function lengthOf(records: unknown, name: string): number {
  let length: unknown;
  try {
    // Of a Proxy, either may run anybody's code.
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

/**
 * The record at `index`, of which each field is read once: JavaScript may give anything, and something else each time.
 *
 * @throws RecordError for what cannot be read, is no record, or would be refused by every region.
 */
export function readRecord(records: readonly unknown[], index: number, rules: RecordRules): CheckedRecord {
  const { partitionKey, data, explicitHashKey } = fieldsAt(records, index);
  assertKey(partitionKey);
  if (explicitHashKey !== undefined && !isHashKey(explicitHashKey)) {
    throw new RecordError(
      `\`explicitHashKey\` is a decimal number below 2^128, in a string, not ${kindOf(explicitHashKey)}.`,
    );
  }
  const bytes = typeof data === 'string' ? data : plainBytes(data);
  const dataBytes = typeof bytes === 'string' ? utf8Length(bytes) : byteLengthOf(bytes);
  assertSize(partitionKey, dataBytes + rules.envelopeBytes, rules.maxRecordBytes);
  return new CheckedRecord({ partitionKey, data: bytes, explicitHashKey }, dataBytes);
}

/** The bytes to send. A Uint8Array is not copied. @throws RecordError when its buffer was detached or resized while it waited. */
export function bytesOf({ data, dataBytes }: CheckedRecord): Uint8Array {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  if (byteLengthOf(bytes) !== dataBytes) throw new RecordError(RESIZED);
  return bytes;
}

/** Why a record is refused whose bytes are not what they were. */
export const RESIZED =
  'The buffer of `data` was detached or resized while the record waited: leave it alone until the receipt.';

interface Fields {
  readonly partitionKey: unknown;
  readonly data: unknown;
  readonly explicitHashKey: unknown;
}

function fieldsAt(records: readonly unknown[], index: number): Fields {
  let record: unknown;
  try {
    record = records[index];
    if (typeof record === 'object' && record !== null) {
      const { partitionKey, data, explicitHashKey } = record as Fields;
      return { partitionKey, data, explicitHashKey };
    }
  } catch (cause) {
    throw new RecordError('A field of the record cannot be read; `cause` is what it threw.', { cause });
  }
  throw new RecordError(`A record is an object with \`partitionKey\` and \`data\`, not ${kindOf(record)}.`);
}

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

/** @throws RecordError unless it is a Uint8Array, of whatever realm, that has its bytes. */
function plainBytes(data: unknown): Uint8Array {
  if (!isUint8Array(data)) {
    throw new RecordError(`\`data\` is a Uint8Array or a string, not ${kindOf(data)}${adviceFor(data)}.`);
  }
  if (isDetached(data)) throw new RecordError('The buffer of `data` is detached, or too short for it.');
  const prototype: unknown = Object.getPrototypeOf(data);
  // Subclasses may answer for their bytes what they like: theirs are copied.
  return prototype === Uint8Array.prototype || prototype === Buffer.prototype ? data : new Uint8Array(data);
}

function adviceFor(data: unknown): string {
  if (!ArrayBuffer.isView(data)) return '';
  return ': for the bytes of another view write `new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`';
}

function assertSize(partitionKey: string, dataBytes: number, maxRecordBytes: number): void {
  // A code unit has at most three bytes in UTF-8: nearly always the key need not be measured.
  if (dataBytes + partitionKey.length * 3 <= maxRecordBytes) return;
  const size = dataBytes + Buffer.byteLength(partitionKey);
  if (size > maxRecordBytes) {
    throw new RecordError(`A record has at most ${maxRecordBytes} bytes with its key, not ${size}.`);
  }
}

/** Asked of the type first: a pattern would turn a number into a text. */
function isHashKey(key: unknown): key is string {
  if (typeof key !== 'string' || !hashKeyPattern.test(key)) return false;
  return key.length < MAX_HASH_KEY.length || key <= MAX_HASH_KEY;
}

/** Characters are counted only where code units, which are one or two each, do not settle it. */
function isTooLong(key: string): boolean {
  if (key.length <= MAX_KEY_CHARACTERS) return false;
  return key.length > 2 * MAX_KEY_CHARACTERS || [...key].length > MAX_KEY_CHARACTERS;
}
