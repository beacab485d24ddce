import { RecordError } from './errors.ts';

export interface ProducerRecord {
  /** 1 to 256 characters. Records of one key keep their order. */
  readonly partitionKey: string;
  /** A string is sent as UTF-8. At most 1 MiB together with the key, or `maxRecordBytes`. */
  readonly data: Uint8Array | string;
  /** Overrides the shard that the key's hash would choose: a decimal number below 2^128. */
  readonly explicitHashKey?: string;
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
const encoder = new TextEncoder();

/** The bytes to send. A Uint8Array is not copied: leave it alone until the receipt. */
export function bytesOf(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return encoder.encode(data);
  if (!(data instanceof Uint8Array)) throw new RecordError('`data` is a Uint8Array or a string.');
  return data;
}

/** @throws RecordError for what every region would refuse. */
export function assertRecord(record: ProducerRecord, size: number, maxRecordBytes: number): void {
  const { partitionKey, explicitHashKey } = record;
  if (typeof partitionKey !== 'string' || partitionKey.length === 0 || isTooLong(partitionKey)) {
    throw new RecordError(`A partition key is a text of 1 to ${MAX_KEY_CHARACTERS} characters.`);
  }
  if (explicitHashKey !== undefined && !hashKeyPattern.test(explicitHashKey)) {
    throw new RecordError('`explicitHashKey` is a decimal number of at most 39 digits, in a string.');
  }
  if (size > maxRecordBytes) {
    throw new RecordError(`A record has at most ${maxRecordBytes} bytes with its key, not ${size}.`);
  }
}

/** Characters are counted only where code units, which are never fewer, do not settle it. */
function isTooLong(key: string): boolean {
  return key.length > MAX_KEY_CHARACTERS && [...key].length > MAX_KEY_CHARACTERS;
}

/** Bytes that count against the limits of Kinesis. */
export function sizeOf(partitionKey: string, data: Uint8Array): number {
  return Buffer.byteLength(partitionKey) + data.byteLength;
}
