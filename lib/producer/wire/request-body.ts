import { assertAttached, type OutgoingRecord } from '../record.ts';
import type { OutgoingBatch } from '../transport.ts';
import type { BodyBuffers } from './body-buffers.ts';
import { RequestTooLargeError } from './errors.ts';

export type Batch = Pick<OutgoingBatch, 'stream' | 'streamArn' | 'records'>;

/** A request's body, and the buffer that holds it and goes back to `BodyBuffers`. */
export interface Body {
  readonly bytes: Buffer;
  readonly buffer: Buffer;
}

/**
 * Kinesis API Reference, PutRecords: "up to a limit of 10 MiB for the entire request, including partition
 * keys". Applied to the encoded body, which is the stricter reading.
 */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Printable ASCII except `"` and `\`: JSON writes these characters unchanged, one byte each. */
const plainText = /^[ !#-[\]-~]*$/;
const nonAscii = /[\u007f-\uffff]/g;

const KEY = '{"PartitionKey":"';
const HASH_KEY = '","ExplicitHashKey":"';
const DATA = '","Data":"';
const END = '"}';
const COMMA = 0x2c;
const FRAME_LENGTH = KEY.length + DATA.length + END.length;
const TAIL = ']}';

/** @throws RequestTooLargeError */
export function writeJson(batch: Batch, buffers: BodyBuffers): Body {
  const whole = measured(batch);
  const buffer = buffers.take(whole.length);
  return { buffer, bytes: writeBody(whole, buffer) };
}

/** A batch, and the length of its body. */
interface Measured {
  readonly batch: Batch;
  readonly head: string;
  /** Bytes of the body. */
  readonly length: number;
  /** Keys that need escapes, by index. They are rare: the others are written as they are. */
  readonly escaped: ReadonlyMap<number, string> | undefined;
}

/** @throws RequestTooLargeError, RecordError for bytes that are gone: the base64 of a detached Buffer is empty. */
export function measured(batch: Batch): Measured {
  const { stream, streamArn, records } = batch;
  const named =
    streamArn === undefined ? `"StreamName":"${escapes(stream)}"` : `"StreamARN":"${escapes(streamArn)}"`;
  const head = `{${named},"Records":[`;
  let escaped: Map<number, string> | undefined;
  let length = head.length + TAIL.length + Math.max(0, records.length - 1);
  for (let i = 0; i < records.length; i++) {
    const { partitionKey, data, explicitHashKey } = records[i] as OutgoingRecord;
    let keyLength = partitionKey.length;
    if (!plainText.test(partitionKey)) {
      const key = escapes(partitionKey);
      escaped ??= new Map();
      escaped.set(i, key);
      keyLength = key.length;
    }
    if (data.byteLength === 0) assertAttached(data);
    length += FRAME_LENGTH + keyLength + Math.ceil(data.byteLength / 3) * 4;
    if (explicitHashKey !== undefined) length += HASH_KEY.length + explicitHashKey.length;
  }
  if (length > MAX_BODY_BYTES) throw new RequestTooLargeError(length, MAX_BODY_BYTES);
  return { batch, head, length, escaped };
}

/**
 * Writes the JSON of a PutRecords request by hand into `buffer`, which is long enough. Everything in it is
 * ASCII, so a character is a byte. (Measured for 500 x 200 B: 0.13 ms, against 0.25 ms for one string and 0.4
 * ms for JSON.stringify; base64 by a table in JavaScript, straight into the buffer, gained nothing over the
 * native one.)
 */
function writeBody({ batch, head, length, escaped }: Measured, buffer: Buffer): Buffer {
  const { records } = batch;
  let at = buffer.write(head, 0, 'latin1');
  for (let i = 0; i < records.length; i++) {
    const { partitionKey, data, explicitHashKey } = records[i] as OutgoingRecord;
    if (i > 0) buffer[at++] = COMMA;
    at = writeAscii(KEY, buffer, at);
    at = writeAscii(escaped?.get(i) ?? partitionKey, buffer, at);
    if (explicitHashKey !== undefined) {
      at = writeAscii(HASH_KEY, buffer, at);
      at = writeAscii(explicitHashKey, buffer, at);
    }
    at = writeAscii(DATA, buffer, at);
    at += buffer.write(base64(data), at, 'latin1');
    at = writeAscii(END, buffer, at);
  }
  at = writeAscii(TAIL, buffer, at);
  // Bytes beyond the buffer are dropped silently, and bytes that are not overwritten are another request's.
  if (at !== length) throw new Error(`The body has ${at} bytes where ${length} were reckoned.`);
  return buffer.subarray(0, length);
}

/** For a few dozen characters a loop is cheaper than a call into native code. */
function writeAscii(text: string, buffer: Buffer, at: number): number {
  for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** The inside of a JSON string, in ASCII. Half a surrogate pair is kept, and the service decides about it. */
function escapes(text: string): string {
  if (plainText.test(text)) return text;
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(nonAscii, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function base64(data: Uint8Array): string {
  const buffer = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return buffer.toString('base64');
}
