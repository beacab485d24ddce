import type { PutOutcome } from '../producer/entry.ts';
import type { OpenCell } from './cell.ts';
import { type ToldError, toldError } from './kinesis-error.ts';
import type { IncomingRecord } from './put-request.ts';
import type { SyntheticNumbers } from './synthetic.ts';
import { json, type WireFormat } from './wire-format.ts';

/** Codes of single records in an answer of PutRecords; every other code is of a request. */
const ofRecords = new Set(['ProvisionedThroughputExceededException', 'InternalFailure']);

export interface Outcomes {
  readonly outcomes: readonly PutOutcome[];
  readonly records: readonly IncomingRecord[];
  readonly cell: OpenCell;
  readonly numbers: SyntheticNumbers;
}

interface Told {
  readonly ShardId: string;
  readonly SequenceNumber: string;
}
interface Failed {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

export interface PutAnswer {
  readonly body: Buffer;
  /** Failed records by code. */
  readonly failures: ReadonlyMap<string, number>;
  readonly spooled: number;
}

/** Where the record is, or will be: a record on the disk gets a number of our own. */
function told(
  outcome: Exclude<PutOutcome, Error>,
  record: IncomingRecord,
  { cell, numbers }: Outcomes,
): Told {
  if (outcome.spooled === true)
    return { ShardId: cell.toldShards.shardOf(record), SequenceNumber: numbers.next() };
  const { region, shardId, sequenceNumber: SequenceNumber } = outcome;
  const ShardId = cell.toldShards.areNotOf(region) ? cell.toldShards.shardOf(record) : shardId;
  return { ShardId, SequenceNumber };
}

/** The answer to PutRecord, or the error that it is. */
export function putRecordAnswer(put: Outcomes, format: WireFormat): PutAnswer | ToldError {
  const [outcome] = put.outcomes;
  const [record] = put.records;
  if (outcome === undefined || record === undefined) return toldError(new Error('no outcome'));
  if (outcome instanceof Error) return toldError(outcome);
  const body = format.encode(told(outcome, record, put));
  return { body, failures: new Map(), spooled: outcome.spooled === true ? 1 : 0 };
}

/** The answer to PutRecords, or the error that it is when all records failed with one that is of the request. */
export function putRecordsAnswer(put: Outcomes, format: WireFormat): PutAnswer | ToldError {
  const failures = new Map<string, number>();
  let failed = 0;
  let spooled = 0;
  let first: ToldError | undefined;
  const entries = put.outcomes.map((outcome, n): Told | Failed => {
    if (!(outcome instanceof Error)) {
      if (outcome.spooled === true) spooled++;
      return told(outcome, put.records[n] as IncomingRecord, put);
    }
    const error = toldError(outcome);
    first ??= error;
    failed++;
    failures.set(error.code, (failures.get(error.code) ?? 0) + 1);
    return { ErrorCode: error.code, ErrorMessage: error.message };
  });
  if (first !== undefined && !ofRecords.has(first.code) && failures.get(first.code) === entries.length)
    return first;
  return { body: whole(entries, failed, format), failures, spooled };
}

function whole(entries: readonly (Told | Failed)[], failed: number, format: WireFormat): Buffer {
  if (format === json && failed === 0) return jsonOf(entries as readonly Told[]);
  return format.encode({ FailedRecordCount: failed, Records: entries });
}

/** Shards and sequence numbers have no character that JSON escapes. */
function jsonOf(entries: readonly Told[]): Buffer {
  let text = '';
  for (const { ShardId, SequenceNumber } of entries) {
    text += `${text === '' ? '' : ','}{"SequenceNumber":"${SequenceNumber}","ShardId":"${ShardId}"}`;
  }
  return Buffer.from(`{"FailedRecordCount":0,"Records":[${text}]}`, 'latin1');
}
