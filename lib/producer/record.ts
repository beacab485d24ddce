import { RecordError } from './errors.ts';

export interface ProducerRecord {
  /** 1 to 256 characters. Records of one key keep their order. */
  readonly partitionKey: string;
  /**
   * A string is sent as UTF-8. At most 1 MiB together with the key, or `maxRecordBytes`. Bytes are not copied: leave them
   * alone until the receipt, or what is sent is what they have become.
   */
  readonly data: Uint8Array | string;
  /** Overrides the shard that the key's hash would choose: a decimal number below 2^128. */
  readonly explicitHashKey?: string | undefined;
}

/** A record in the form that transports and the spool take. */
export interface OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey?: string | undefined;
}

/** Kinesis API Reference, PutRecordsRequestEntry: a key of 1 to 256 Unicode characters. */
const MAX_KEY_CHARACTERS = 256;
/** The same page: `0|([1-9]\d{0,38})`. */
const hashKeyPattern = /^(?:0|[1-9]\d{0,38})$/;
/** 2^128 - 1. Of two numbers of as many digits, the text that sorts first is the smaller one. */
const MAX_HASH_KEY = '340282366920938463463374607431768211455';
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** What a body has beyond its one record's data, at most: the stream's name, the key with every character escaped, the frame. */
const FRAME_BYTES = 4 * 1024;
const encoder = new TextEncoder();

/** The bytes to send. A Uint8Array is not copied. */
export function bytesOf(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return encoder.encode(data);
  if (!(data instanceof Uint8Array)) throw new RecordError('`data` is a Uint8Array or a string.');
  return data;
}

/**
 * `dataBytes`: as they will be sent.
 *
 * @throws RecordError for what every region would refuse.
 */
export function assertRecord(record: ProducerRecord, dataBytes: number, maxRecordBytes: number): void {
  const { partitionKey, explicitHashKey } = record;
  if (typeof partitionKey !== 'string' || partitionKey.length === 0 || isTooLong(partitionKey)) {
    throw new RecordError(`A partition key is a text of 1 to ${MAX_KEY_CHARACTERS} characters.`);
  }
  if (!partitionKey.isWellFormed()) {
    throw new RecordError('The partition key has half a surrogate pair, which UTF-8 cannot carry.');
  }
  if (explicitHashKey !== undefined && !isHashKey(explicitHashKey)) {
    throw new RecordError('`explicitHashKey` is a decimal number below 2^128, in a string.');
  }
  // A code unit has at most three bytes in UTF-8: nearly always the key need not be measured.
  if (dataBytes + partitionKey.length * 3 <= maxRecordBytes) return;
  const size = dataBytes + Buffer.byteLength(partitionKey);
  if (size > maxRecordBytes) {
    throw new RecordError(`A record has at most ${maxRecordBytes} bytes with its key, not ${size}.`);
  }
}

function isHashKey(text: string): boolean {
  return hashKeyPattern.test(text) && (text.length < MAX_HASH_KEY.length || text <= MAX_HASH_KEY);
}

/** Bytes of a record with its key that fit into a request by themselves: what is larger, no region would ever be sent. */
export function largestRecordBytes(encoding: 'cbor' | 'json'): number {
  const room = MAX_BODY_BYTES - FRAME_BYTES;
  return encoding === 'json' ? Math.floor(room / 4) * 3 : room;
}

/** Characters are counted only where code units, which are never fewer, do not settle it. */
function isTooLong(key: string): boolean {
  return key.length > MAX_KEY_CHARACTERS && [...key].length > MAX_KEY_CHARACTERS;
}

/** What a record counts in a buffer and in a batch: its bytes, but for what a key has beyond ASCII. */
export function sizeOf({ partitionKey, data }: OutgoingRecord): number {
  return partitionKey.length + data.byteLength;
}
