import { isStreamName } from '../../lambda/core/signal.ts';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { isHashKey, isPartitionKey } from '../aggregate/keys.ts';
import { KinesisError } from './kinesis-error.ts';
import type { WireFormat } from './wire-format.ts';

/** Kinesis API Reference, PutRecords: 500 records, and 10 MiB of data and keys. */
const MAX_RECORDS = 500;
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
/** The same, SequenceNumberForOrdering. */
const sequenceNumber = /^(?:0|[1-9]\d{0,128})$/;

/** How a request names its stream: at least one of the two. */
export interface StreamAsked {
  readonly name: string | undefined;
  readonly arn: string | undefined;
}

export interface IncomingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey: string | undefined;
}

export interface PutRequest {
  readonly stream: StreamAsked;
  readonly records: readonly IncomingRecord[];
  /** Of data and keys. */
  readonly bytes: number;
}

interface Reading {
  readonly format: WireFormat;
  readonly maxRecordBytes: number;
}

/** Reads what PutRecord was asked. @throws KinesisError as Kinesis would answer */
export function readPutRecord(document: unknown, reading: Reading): PutRequest {
  const fields = fieldsOf(document);
  const { SequenceNumberForOrdering: after } = fields;
  if (isGiven(after) && !(typeof after === 'string' && sequenceNumber.test(after))) {
    throw refused(
      'sequenceNumberForOrdering',
      'Member must satisfy regular expression pattern: 0|([1-9]\\d{0,128})',
    );
  }
  const record = readRecord(fields, '', reading);
  return { stream: readStream(fields), records: [record], bytes: sizeOf(record) };
}

/** Reads what PutRecords was asked. @throws KinesisError as Kinesis would answer */
export function readPutRecords(document: unknown, reading: Reading): PutRequest {
  const fields = fieldsOf(document);
  const { Records } = fields;
  if (!Array.isArray(Records) || Records.length === 0) {
    throw refused('records', 'Member must have length greater than or equal to 1');
  }
  if (Records.length > MAX_RECORDS) {
    throw refused('records', `Member must have length less than or equal to ${MAX_RECORDS}`);
  }
  let bytes = 0;
  const records = Records.map((entry: unknown, n) => {
    const record = readRecord(fieldsOf(entry), `records.${n + 1}.member.`, reading);
    bytes += sizeOf(record);
    return record;
  });
  if (bytes > MAX_REQUEST_BYTES) {
    throw new KinesisError(
      'InvalidArgumentException',
      `Records size exceeds ${MAX_REQUEST_BYTES} bytes with the partition keys.`,
    );
  }
  return { stream: readStream(fields), records, bytes };
}

/** The stream that a request names. @throws KinesisError */
export function readStream({ StreamName, StreamARN }: Fields): StreamAsked {
  const name = StreamName ?? undefined;
  const arn = StreamARN ?? undefined;
  if (name !== undefined && !(typeof name === 'string' && isStreamName(name))) {
    throw refused(
      'streamName',
      'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+, of 1 to 128 characters',
    );
  }
  if (arn !== undefined && !(typeof arn === 'string' && parseStreamArn(arn) !== undefined)) {
    throw refused('streamARN', 'Member must be the ARN of a stream');
  }
  if (name === undefined && arn === undefined) {
    throw new KinesisError('InvalidArgumentException', 'StreamName or StreamARN must be given.');
  }
  return { name: name as string | undefined, arn: arn as string | undefined };
}

export type Fields = Readonly<Record<string, unknown>>;

/** @throws KinesisError */
export function fieldsOf(document: unknown): Fields {
  if (typeof document === 'object' && document !== null && !Array.isArray(document))
    return document as Fields;
  throw new KinesisError('SerializationException', 'A structure was expected.');
}

function readRecord(fields: Fields, at: string, { format, maxRecordBytes }: Reading): IncomingRecord {
  const { PartitionKey, ExplicitHashKey } = fields;
  if (typeof PartitionKey !== 'string' || !isPartitionKey(PartitionKey)) {
    throw refused(`${at}partitionKey`, 'Member must have length from 1 to 256');
  }
  const explicitHashKey = ExplicitHashKey ?? undefined;
  if (explicitHashKey !== undefined && !(typeof explicitHashKey === 'string' && isHashKey(explicitHashKey))) {
    throw new KinesisError(
      'InvalidArgumentException',
      `Invalid ExplicitHashKey at '${at}explicitHashKey': a decimal number below 2^128.`,
    );
  }
  if (!isGiven(fields.Data)) throw refused(`${at}data`, 'Member must not be null');
  const data = format.bytesOf(fields.Data);
  if (data === undefined) throw new KinesisError('SerializationException', `'${at}data' is not a blob.`);
  const record = { partitionKey: PartitionKey, data, explicitHashKey };
  if (sizeOf(record) > maxRecordBytes) {
    throw refused(
      `${at}data`,
      `Member must have length less than or equal to ${maxRecordBytes}, with its key`,
    );
  }
  return record;
}

/** Bytes of the data, and of the key where it is ASCII. */
const sizeOf = ({ data, partitionKey }: IncomingRecord): number => data.byteLength + partitionKey.length;

const isGiven = (field: unknown): boolean => field !== undefined && field !== null;

function refused(at: string, constraint: string): KinesisError {
  return new KinesisError(
    'ValidationException',
    `1 validation error detected: Value at '${at}' failed to satisfy constraint: ${constraint}`,
  );
}
