import type { OutgoingRecord } from '../record.ts';
import type { BodyBuffers } from './body-buffers.ts';
import {
  ARRAY_OF_ANY,
  BREAK,
  BYTES,
  MAP_OF_ANY,
  MAX_HEAD_BYTES,
  shortText,
  TEXT,
  writeHead,
} from './cbor.ts';
import { RequestTooLargeError } from './errors.ts';
import { type Batch, type Body, MAX_BODY_BYTES } from './request-body.ts';

const STREAM_NAME = Buffer.from([MAP_OF_ANY, ...shortText('StreamName')]);
const STREAM_ARN = Buffer.from([MAP_OF_ANY, ...shortText('StreamARN')]);
const RECORDS = Buffer.from([...shortText('Records'), ARRAY_OF_ANY]);
const KEY = Buffer.from([MAP_OF_ANY, ...shortText('PartitionKey')]);
const HASH_KEY = shortText('ExplicitHashKey');
const DATA = shortText('Data');
const MAX_UTF8_BYTES = 3;
const FRAME_BYTES = KEY.length + HASH_KEY.length + DATA.length + 3 * MAX_HEAD_BYTES + 1;

/**
 * The CBOR of a PutRecords request, written by hand. Data is sent as it is, so there is a quarter less to
 * hash, encrypt and send than with base64. (Measured for 500 x 200 B: 0.10 ms, against 0.17 ms for JSON, also
 * by hand.)
 *
 * @throws RequestTooLargeError
 */
export function writeCbor({ stream, streamArn, records }: Batch, buffers: BodyBuffers): Body {
  const named = streamArn ?? stream;
  const buffer = buffers.take(longest(named, records));
  let at = writeBytes(streamArn === undefined ? STREAM_NAME : STREAM_ARN, buffer, 0);
  at = writeText(named, buffer, at);
  at = writeBytes(RECORDS, buffer, at);
  for (let i = 0; i < records.length; i++) {
    const { partitionKey, data, explicitHashKey } = records[i] as OutgoingRecord;
    at = writeBytes(KEY, buffer, at);
    at = writeText(partitionKey, buffer, at);
    if (explicitHashKey !== undefined) {
      at = writeBytes(HASH_KEY, buffer, at);
      at = writeText(explicitHashKey, buffer, at);
    }
    at = writeBytes(DATA, buffer, at);
    at = writeHead(BYTES, { length: data.byteLength, into: buffer, at });
    buffer.set(data, at);
    at += data.byteLength;
    buffer[at++] = BREAK;
  }
  buffer[at++] = BREAK;
  buffer[at++] = BREAK;
  if (at > MAX_BODY_BYTES) throw new RequestTooLargeError(at, MAX_BODY_BYTES);
  return { buffer, bytes: buffer.subarray(0, at) };
}

/** Most bytes that the body can have. */
function longest(stream: string, records: readonly OutgoingRecord[]): number {
  let length = STREAM_NAME.length + RECORDS.length + MAX_HEAD_BYTES + MAX_UTF8_BYTES * stream.length + 2;
  let least = 0;
  for (let i = 0; i < records.length; i++) {
    const { partitionKey, data, explicitHashKey } = records[i] as OutgoingRecord;
    least += data.byteLength;
    length += FRAME_BYTES + data.byteLength + MAX_UTF8_BYTES * partitionKey.length;
    if (explicitHashKey !== undefined) length += MAX_UTF8_BYTES * explicitHashKey.length;
  }
  // Checked before memory is allocated for the body.
  if (least > MAX_BODY_BYTES) throw new RequestTooLargeError(least, MAX_BODY_BYTES);
  return length;
}

/** For a few bytes a loop is cheaper than a call. */
function writeBytes(bytes: Uint8Array, buffer: Buffer, at: number): number {
  for (let i = 0; i < bytes.length; i++) buffer[at + i] = bytes[i] as number;
  return at + bytes.length;
}

function writeText(text: string, buffer: Buffer, at: number): number {
  const contentAt = writeHead(TEXT, { length: text.length, into: buffer, at });
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return writeUtf8(text, buffer, at);
    buffer[contentAt + i] = unit;
  }
  return contentAt + text.length;
}

function writeUtf8(text: string, buffer: Buffer, at: number): number {
  const length = Buffer.byteLength(text);
  const contentAt = writeHead(TEXT, { length, into: buffer, at });
  return contentAt + buffer.write(text, contentAt);
}
