import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { decoded, encodedText } from './cbor.ts';

/** What a request asks for, parsed to the last byte as Kinesis must. */
export interface ParsedRequest {
  readonly stream: string;
  readonly records: readonly ParsedRecord[];
  readonly bytes: number;
}

export interface ParsedRecord {
  readonly partitionKey: string;
  readonly explicitHashKey: string | undefined;
  readonly data: Buffer;
}

/** Refused with ValidationException or SerializationException. */
export class RefusedRequest extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const MAX_RECORDS = 500;
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_KEY_CHARACTERS = 256;
const SHARDS = 8;

/** How a request, and so its answer, is written. */
export type Encoding = 'json' | 'cbor';

export const contentTypes = {
  json: 'application/x-amz-json-1.1',
  cbor: 'application/x-amz-cbor-1.1',
} as const satisfies Record<Encoding, string>;

export function encodingOf(contentType: string | undefined): Encoding {
  return contentType === contentTypes.cbor ? 'cbor' : 'json';
}

/** @throws RefusedRequest. Limits: Kinesis API Reference, PutRecords. */
export function parsePutRecords(body: Buffer, encoding: Encoding): ParsedRequest {
  const { StreamName, StreamARN, Records } = parsed(body, encoding);
  const stream = StreamARN === undefined ? StreamName : nameIn(StreamARN);
  if (typeof stream !== 'string' || stream === '') throw invalid('StreamName is missing');
  if (!Array.isArray(Records) || Records.length < 1 || Records.length > MAX_RECORDS) {
    throw invalid('Records has a length between 1 and 500');
  }
  let bytes = 0;
  const records = Records.map((entry: unknown) => {
    const record = parsedRecord(entry as Record<string, unknown> | null);
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
    return record;
  });
  if (bytes > MAX_REQUEST_BYTES) throw invalid('Records size exceeds 10 MiB');
  return { stream, records, bytes };
}

const nameIn = (arn: unknown): unknown =>
  /^arn:aws:kinesis:[^:]+:\d{12}:stream\/(.+)$/.exec(String(arn))?.[1];

function parsedRecord(entry: Record<string, unknown> | null): ParsedRecord {
  const { PartitionKey: partitionKey, Data: encoded, ExplicitHashKey: explicitHashKey } = entry ?? {};
  if (
    typeof partitionKey !== 'string' ||
    partitionKey.length < 1 ||
    partitionKey.length > MAX_KEY_CHARACTERS
  ) {
    throw invalid('PartitionKey has a length between 1 and 256');
  }
  const data = Buffer.isBuffer(encoded) ? encoded : fromBase64(encoded);
  if (data.length > MAX_RECORD_BYTES) throw invalid('Data has a length of at most 1048576');
  if (explicitHashKey !== undefined && typeof explicitHashKey !== 'string') throw invalid('ExplicitHashKey');
  return { partitionKey, explicitHashKey, data };
}

function fromBase64(text: unknown): Buffer {
  if (typeof text !== 'string') throw invalid('Data is missing');
  const data = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0 || data.length !== (text.length / 4) * 3 - padding) {
    throw new RefusedRequest('SerializationException', 'Data is not base64');
  }
  return data;
}

export interface Failing {
  readonly nth: number;
  readonly code: string;
}

interface AnswerOptions {
  readonly encoding: Encoding;
  readonly count: number;
  readonly first: number;
  readonly failing?: Failing;
  readonly shardOf?: (record: ParsedRecord) => number;
}

/** Answers for `count` records of the request. `first` numbers them; every `failing.nth` of them fails. */
export function putRecordsAnswer(
  { records }: ParsedRequest,
  { encoding, count, first, failing, shardOf = cheapShardOf }: AnswerOptions,
): Buffer {
  const { success, failure, whole } = writers[encoding];
  let failed = 0;
  const entries: string[] = [];
  for (let i = 0; i < count; i++) {
    if (failing !== undefined && i % failing.nth === failing.nth - 1) {
      failed++;
      entries.push(failure(failing.code, `Entry ${i} was refused.`));
      continue;
    }
    // 56 digits, as Kinesis gives.
    const sequence = `4967124666756722864328343015018708703220${String(first + i).padStart(16, '0')}`;
    const record = records[i];
    const shard = record === undefined ? 0 : shardOf(record);
    entries.push(success(sequence, `shardId-${String(shard).padStart(12, '0')}`));
  }
  return whole(failed, entries);
}

/** What a plain server of a test is asked, and the way to answer it. */
export interface ServedRequest extends ParsedRequest {
  readonly encoding: Encoding;
  /** Answers with an entry for each record: a shard and a sequence number, or an error's code and message. */
  readonly answer: (response: ServerResponse, entries: readonly Readonly<Record<string, string>>[]) => void;
}

/**
 * Reads a request to its end. What a producer asks beside its puts finds a broken connection, and never comes to the server that
 * counts puts. @throws RefusedRequest, and what a broken connection throws
 */
export async function servedRequest(request: IncomingMessage): Promise<ServedRequest> {
  if (request.headers['x-amz-target'] === 'Kinesis_20131202.DescribeStreamSummary') {
    request.socket.destroy();
    return new Promise(() => {});
  }
  const encoding = encodingOf(request.headers['content-type']);
  return {
    ...parsePutRecords(await buffer(request), encoding),
    encoding,
    answer: (response, entries) => {
      const failed = entries.filter((entry) => 'ErrorCode' in entry).length;
      response.setHeader('content-type', contentTypes[encoding]);
      response.end(writers[encoding].whole(failed, entries.map(fieldsIn[encoding])));
    },
  };
}

const fieldsIn: Readonly<Record<Encoding, (fields: Readonly<Record<string, string>>) => string>> = {
  json: (fields) => JSON.stringify(fields),
  cbor: (fields) => {
    const pairs = Object.entries(fields).map(([name, value]) => encodedText(name) + encodedText(value));
    return `\xbf${pairs.join('')}\xff`;
  },
};

/** An exception, as the body of its answer. */
export function errorAnswer(encoding: Encoding, fields: Readonly<Record<string, string>>): Buffer {
  // CBOR is in a string of a character for each byte; of JSON the messages here are ASCII.
  return Buffer.from(fieldsIn[encoding](fields), 'latin1');
}

interface Writer {
  readonly success: (sequenceNumber: string, shardId: string) => string;
  readonly failure: (code: string, message: string) => string;
  readonly whole: (failed: number, entries: readonly string[]) => Buffer;
}

const SEQUENCE_NUMBER = `\xbf${encodedText('SequenceNumber')}\x78\x38`;
const SHARD_ID = `${encodedText('ShardId')}\x74`;
const FAILED_COUNT = `\xbf${encodedText('FailedRecordCount')}\x19`;
const RECORDS = `${encodedText('Records')}\x9f`;

const writers: Readonly<Record<Encoding, Writer>> = {
  json: {
    success: (sequenceNumber, shardId) => `{"SequenceNumber":"${sequenceNumber}","ShardId":"${shardId}"}`,
    failure: (code, message) => `{"ErrorCode":"${code}","ErrorMessage":"${message}"}`,
    whole: (failed, entries) =>
      Buffer.from(`{"FailedRecordCount":${failed},"Records":[${entries.join(',')}]}`, 'latin1'),
  },
  cbor: {
    // 56 and 20 characters.
    success: (sequenceNumber, shardId) => `${SEQUENCE_NUMBER}${sequenceNumber}${SHARD_ID}${shardId}\xff`,
    failure: (code, message) =>
      `\xbf${encodedText('ErrorCode')}${encodedText(code)}${encodedText('ErrorMessage')}${encodedText(message)}\xff`,
    whole: (failed, entries) => {
      const count = String.fromCharCode(failed >> 8, failed & 0xff);
      return Buffer.from(`${FAILED_COUNT}${count}${RECORDS}${entries.join('')}\xff\xff`, 'latin1');
    },
  },
};

/** Kinesis takes MD5 of the key. This is cheaper, so that the sink is not what a benchmark measures. */
function cheapShardOf({ partitionKey: key }: ParsedRecord): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) >>> 0;
  return hash % SHARDS;
}

function parsed(body: Buffer, encoding: Encoding): Record<string, unknown> {
  try {
    return (encoding === 'cbor' ? decoded(body) : JSON.parse(body.toString())) as Record<string, unknown>;
  } catch {
    throw new RefusedRequest('SerializationException', `The body is not ${encoding}`);
  }
}

function invalid(message: string): RefusedRequest {
  return new RefusedRequest('ValidationException', message);
}
