import { RecordError } from './errors.ts';
import type { OutgoingRecord } from './transport.ts';

export interface ProducerRecord {
  /** 1 to 256 characters. Records of one key keep their order. */
  readonly partitionKey: string;
  /** A string is sent as UTF-8. At most 1 MiB together with the key. */
  readonly data: Uint8Array | string;
}

/** Kinesis API Reference, PutRecordsRequestEntry: a key of up to 256 characters; data and key up to 1 MiB by default. */
const MAX_KEY_CHARACTERS = 256;
const MAX_RECORD_BYTES = 1024 * 1024;
const encoder = new TextEncoder();

/** @throws RecordError for what Kinesis would refuse anyway. The data is not copied: leave it alone until the receipt. */
export function outgoing({ partitionKey, data }: ProducerRecord): OutgoingRecord {
  const characters = [...partitionKey].length;
  if (characters < 1 || characters > MAX_KEY_CHARACTERS) {
    throw new RecordError(`A partition key has 1 to ${MAX_KEY_CHARACTERS} characters, not ${characters}.`);
  }
  const record = { partitionKey, data: typeof data === 'string' ? encoder.encode(data) : data };
  if (sizeOf(record) > MAX_RECORD_BYTES) {
    throw new RecordError(
      `A record has at most ${MAX_RECORD_BYTES} bytes with its key, not ${sizeOf(record)}.`,
    );
  }
  return record;
}

/** Bytes that count against the limits of Kinesis. */
export function sizeOf({ partitionKey, data }: OutgoingRecord): number {
  return Buffer.byteLength(partitionKey) + data.byteLength;
}
