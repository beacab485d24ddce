import type { Deduplicator } from './deduplicator.ts';
import { BadRecordError } from './errors.ts';
import type { LambdaEventRecord, LambdaKinesisEvent } from './lambda-event.ts';
import {
  type BadRecord,
  type BatchItemFailure,
  type EventRecord,
  failureOf,
  isProbeItem,
  itemsOf,
} from './records-of.ts';

/** Kept of the time of a function, to answer Lambda. */
const LAST_MS = 1_000;

export type Handle<Source = LambdaEventRecord> = (record: EventRecord<Source>) => Promise<unknown> | unknown;

export interface ProcessRecordOptions<Source = LambdaEventRecord> {
  /**
   * Passes on each record once. With it, a batch that Lambda gives again goes on where it stopped, even within an aggregate.
   * Without it, what was handled before the failed record of an aggregate is handled again.
   */
  readonly deduplicator?: Deduplicator;
  /**
   * What the deduplicator takes for the same record. Default: the id in the envelope, which all copies share; for a record
   * without envelope its place in the stream, which is the same when Lambda gives the batch again, but another one for a copy.
   */
  readonly idOf?: (record: EventRecord<Source>) => string;
  /**
   * Milliseconds until the function is ended: `() => context.getRemainingTimeInMillis()`. With it, waiting for another consumer that has
   * claimed a record ends a second before that, as a failure of this record, and what was handled before counts.
   */
  readonly remainingMs?: () => number;
  /**
   * Sets a bad record aside, in a queue or a bucket; the records after it are then handled. If it rejects, the bad record is
   * a failure like any other. Default: every bad record is a failure.
   */
  readonly onBad?: (bad: BadRecord<Source>) => Promise<void> | void;
}

/** A record that was not handled, or a bad one that was not set aside, and why. */
export interface RecordFailure<Source = LambdaEventRecord> {
  readonly record: EventRecord<Source> | BadRecord<Source>;
  readonly error: unknown;
}

export interface ProcessRecordsOptions<Source = LambdaEventRecord> extends ProcessRecordOptions<Source> {
  /** Told of each failure that is reported to Lambda, which keeps no reason. Default console.error. */
  readonly onFailure?: (failure: RecordFailure<Source>) => void;
}

export interface ProcessedBatch {
  /** At most one for each shard. What comes after it in the shard was not handled, so that keys keep their order. */
  readonly batchItemFailures: BatchItemFailure[];
}

/**
 * Handles the users' records of a Lambda event one after the other, and stops at the first failure of a shard: Lambda gives the
 * batch again from there. Answer Lambda with what it resolves with. The event source mapping needs
 * `FunctionResponseTypes: ['ReportBatchItemFailures']`: without it, Lambda takes every answer for success. Never rejects because of a
 * record, of `handle` or of `onBad`.
 *
 * @throws as `recordsOf`
 */
export async function processRecords<Source extends LambdaEventRecord>(
  event: LambdaKinesisEvent<Source>,
  handle: Handle<Source>,
  { onFailure = logFailure, ...options }: ProcessRecordsOptions<Source> = {},
): Promise<ProcessedBatch> {
  const failures = new Map<string, BatchItemFailure>();
  const processOne = processor(handle, options);
  for (const item of itemsOf(event)) {
    if (isProbeItem(item)) continue;
    const shard = item.shardId ?? '';
    if (failures.has(shard)) continue;
    try {
      await processOne(item);
    } catch (error) {
      failures.set(shard, failureOf(item));
      told(onFailure, { record: item, error });
    }
  }
  return { batchItemFailures: [...failures.values()] };
}

/** Whoever is told must not turn what was handled in other shards into a failure. */
function told<Source>(
  onFailure: (failure: RecordFailure<Source>) => void,
  failure: RecordFailure<Source>,
): void {
  try {
    onFailure(failure);
  } catch (thrown) {
    console.error(
      '`onFailure` threw. The failure that it was told of:',
      failure.error,
      'What it threw:',
      thrown,
    );
  }
}

/**
 * The same for one record of a Lambda event, for batch processors that call a handler for each, as that of Powertools does.
 *
 * @throws what `handle` or `onBad` throws for the first user's record that fails, BadRecordError for a bad one without `onBad`,
 * DigestUnavailableError
 */
export async function processRecord<Source extends LambdaEventRecord>(
  record: Source,
  handle: Handle<Source>,
  options: ProcessRecordOptions<Source> = {},
): Promise<void> {
  const processOne = processor(handle, options);
  for (const item of itemsOf({ Records: [record] })) if (!isProbeItem(item)) await processOne(item);
}

function processor<Source extends LambdaEventRecord>(
  handle: Handle<Source>,
  { deduplicator, idOf = idByDefault, onBad = refuse, remainingMs }: ProcessRecordOptions<Source>,
): (item: EventRecord<Source> | BadRecord<Source>) => Promise<unknown> {
  return async (item) => {
    if (item.bad) return onBad(item);
    if (deduplicator === undefined) return handle(item);
    const waiting = remainingMs === undefined ? {} : { maxWaitMs: Math.max(0, remainingMs() - LAST_MS) };
    return deduplicator.once(idOf(item), () => handle(item), waiting);
  };
}

function idByDefault(record: EventRecord<unknown>): string {
  if (record.enveloped) return record.recordId;
  const { region = '', stream = '', shardId = '', sequenceNumber, subSequenceNumber } = record;
  return [region, stream, shardId, sequenceNumber, subSequenceNumber].join('/');
}

function refuse(bad: BadRecord<unknown>): never {
  throw new BadRecordError(
    `${bad.reason}: ${bad.detail}. Pass \`onBad\` to set such records aside and go on.`,
  );
}

function logFailure({ record, error }: RecordFailure<unknown>): void {
  const { sequenceNumber, subSequenceNumber, shardId = 'its shard' } = record;
  console.error(
    `Record ${sequenceNumber}/${subSequenceNumber} of ${shardId} failed. Lambda gives the batch again from there.`,
    error,
  );
}
