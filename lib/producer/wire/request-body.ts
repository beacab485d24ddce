import type { OutgoingRecord } from '../record.ts';
import type { OutgoingBatch } from '../transport.ts';
import { RequestTooLargeError } from './errors.ts';

/**
 * Kinesis API Reference, PutRecords: "up to a limit of 10 MiB for the entire request, including partition keys".
 * Taken of the encoded body, which is the stricter reading.
 */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Printable ASCII but `"` and `\`: what JSON takes as it is, one byte each. */
const plainText = /^[ !#-[\]-~]*$/;
const nonAscii = /[\u007f-\uffff]/g;

type Batch = Pick<OutgoingBatch, 'stream' | 'records'>;

interface Measured {
  readonly head: string;
  readonly length: number;
  /** Keys that need escapes, by index: rare, so that the others are tested once and never copied. */
  readonly escaped: ReadonlyMap<number, string>;
}

/**
 * Bytes of the request that the batch makes.
 *
 * @throws RequestTooLargeError
 */
export function measured({ stream, records }: Batch): Measured {
  const head = `{"StreamName":${quoted(stream)},"Records":[`;
  const escaped = new Map<number, string>();
  let length = head.length + TAIL.length + Math.max(0, records.length - 1);
  for (let i = 0; i < records.length; i++) {
    const { partitionKey, data, explicitHashKey } = records[i] as OutgoingRecord;
    let keyLength = partitionKey.length + 2;
    if (!plainText.test(partitionKey)) {
      const key = quoted(partitionKey);
      escaped.set(i, key);
      keyLength = key.length;
    }
    length += FRAME_LENGTH + keyLength + Math.ceil(data.byteLength / 3) * 4;
    if (explicitHashKey !== undefined) length += HASH_KEY_LENGTH + explicitHashKey.length;
  }
  if (length > MAX_BODY_BYTES) {
    throw new RequestTooLargeError(`The request has ${length} bytes; Kinesis takes ${MAX_BODY_BYTES}.`);
  }
  return { head, length, escaped };
}

/**
 * The JSON of a PutRecords request, written by hand into one buffer of exactly the right length. Everything in it is
 * ASCII, so that each record is one Latin-1 write. (Measured for 500 x 200 B: 0.16 ms, against 0.25 ms for one string
 * and 0.4 ms for JSON.stringify; base64 by a table in JavaScript gains nothing over the native one.)
 *
 * @throws RequestTooLargeError
 */
export function requestBody(batch: Batch): Buffer {
  const { head, length, escaped } = measured(batch);
  const { records } = batch;
  const body = Buffer.allocUnsafe(length);
  let at = body.write(head, 0, 'latin1');
  for (let i = 0; i < records.length; i++) {
    const { partitionKey, data, explicitHashKey } = records[i] as OutgoingRecord;
    const key = (escaped.size === 0 ? undefined : escaped.get(i)) ?? `"${partitionKey}"`;
    const hashKey = explicitHashKey === undefined ? '' : `,"ExplicitHashKey":"${explicitHashKey}"`;
    const comma = i === 0 ? '' : ',';
    at += body.write(`${comma}{"PartitionKey":${key}${hashKey},"Data":"${base64(data)}"}`, at, 'latin1');
  }
  at += body.write(TAIL, at, 'latin1');
  // A length that is off by one would sign and send uninitialised memory.
  if (at !== length) throw new Error(`The request body has ${at} bytes where ${length} were computed.`);
  return body;
}

const TAIL = ']}';
const FRAME_LENGTH = '{"PartitionKey":,"Data":""}'.length;
const HASH_KEY_LENGTH = ',"ExplicitHashKey":""'.length;

function base64(data: Uint8Array): string {
  const buffer = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return buffer.toString('base64');
}

/** A JSON string in ASCII: half a surrogate pair stays what it is, and is for the service to judge. */
function quoted(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    nonAscii,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
