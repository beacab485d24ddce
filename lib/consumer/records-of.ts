import { type AggregateRejection, DigestUnavailableError } from '../aggregate/errors.ts';
import type { Bare, Enveloped, EnvelopeRejection } from '../envelope/unwrap.ts';
import {
  type EventPlace,
  hasKinesis,
  type LambdaEventRecord,
  type LambdaKinesisEvent,
  placeOf,
  recordsIn,
} from './lambda-event.ts';
import { type RecordPlace, takeApart, type UserRecord } from './take-apart.ts';

/**
 * A user's record of a Lambda event, taken apart and unwrapped. With `enveloped`, it has `recordId`, `producerId`, `epoch`,
 * `sequence` and `first` as well, so that an OrderChecker takes it as it is.
 */
export type EventRecord<Source = LambdaEventRecord> = RecordPlace &
  EventPlace & {
    readonly bad?: undefined;
    /** The record of the event, as it came. The user records of an aggregate share it. */
    readonly source: Source;
  } & (Enveloped | Bare);

export type BadReason =
  | AggregateRejection
  | EnvelopeRejection
  /** The data in the event are no base64. */
  | 'not-base64'
  /** A field is missing or of another kind: the event is not of Kinesis. */
  | 'not-a-record';

/** What cannot be read as a user's record. There is no `data` on purpose: only the application can tell what it is. */
export interface BadRecord<Source = LambdaEventRecord> extends EventPlace {
  readonly bad: true;
  readonly reason: BadReason;
  /** What was wrong, and what to do. */
  readonly detail: string;
  /** Of the record of Kinesis; empty where it does not tell one: Lambda then gives the whole batch again. */
  readonly sequenceNumber: string;
  /** Index in the aggregate, for a broken envelope in one; else 0. */
  readonly subSequenceNumber: number;
  readonly partitionKey: string;
  readonly arrivedAtMs: number | undefined;
  /** All the bytes, unchanged; undefined where the data are no base64. */
  readonly bytes: Uint8Array | undefined;
  /** The record of the event, as it came. */
  readonly source: Source;
}

/** Lambda gives the batch again from the lowest of these on. */
export interface BatchItemFailure {
  /** Sequence number of a record of Kinesis. With an empty one, Lambda takes the whole batch for failed. */
  itemIdentifier: string;
}

export interface RecordsOfOptions {
  /**
   * True: the records end before the first bad one, which `batchItemFailures` names, because Lambda gives everything from there
   * on again. False: all records that can be read are returned, and the caller sets `bad` aside. Default true: a library
   * cannot know where to put a record, and drops none.
   */
  readonly stopAtBad?: boolean;
}

export interface RecordsOfEvent<Source = LambdaEventRecord> {
  readonly records: readonly EventRecord<Source>[];
  /** With `stopAtBad`, one at most. */
  readonly bad: readonly BadRecord<Source>[];
  /** Marked records of observers, which are left out. */
  readonly probes: number;
  /** For the answer of the handler; empty with `stopAtBad: false`. */
  readonly batchItemFailures: BatchItemFailure[];
}

/**
 * The users' records in a Lambda event of Kinesis, in their order: aggregates are taken apart, envelopes removed, marked records of
 * observers left out, and what cannot be read is reported.
 *
 * @throws TypeError for anything that is no event with records, DigestUnavailableError for an aggregate where Node.js has no MD5
 */
export function recordsOf<Source extends LambdaEventRecord>(
  event: LambdaKinesisEvent<Source>,
  { stopAtBad = true }: RecordsOfOptions = {},
): RecordsOfEvent<Source> {
  const records: EventRecord<Source>[] = [];
  const bad: BadRecord<Source>[] = [];
  let probes = 0;
  for (const item of itemsOf(event)) {
    if (isProbeItem(item)) probes++;
    else if (!item.bad) records.push(item);
    else {
      bad.push(item);
      if (stopAtBad) return { records, bad, probes, batchItemFailures: [failureOf(item)] };
    }
  }
  return { records, bad, probes, batchItemFailures: [] };
}

export const failureOf = ({ sequenceNumber }: { readonly sequenceNumber: string }): BatchItemFailure => ({
  itemIdentifier: sequenceNumber,
});

type ProbeItem = { readonly probe: true };
type EventItem<Source> = EventRecord<Source> | BadRecord<Source> | ProbeItem;

export const isProbeItem = <Source>(item: EventItem<Source>): item is ProbeItem =>
  'probe' in item && item.probe === true;

/** Everything in the event, in its order; one record of Kinesis at a time is in memory decoded. @throws as `recordsOf` */
export function* itemsOf<Source extends LambdaEventRecord>(
  event: LambdaKinesisEvent<Source>,
): Generator<EventItem<Source>> {
  for (const source of recordsIn(event)) {
    const place = placeOf(source);
    const apart = apartOf(source);
    if ('reason' in apart) {
      yield { ...notRead(source), ...place, source, bad: true, ...apart };
      continue;
    }
    for (const record of apart.records) {
      if (record.probe) yield { probe: true };
      else if (record.rejection === undefined) yield { ...record, ...place, source };
      else yield { ...rejected(record), ...place, source };
    }
  }
}

type Apart = { readonly records: readonly UserRecord[] } | Pick<BadRecord, 'reason' | 'detail'>;

function apartOf(source: LambdaEventRecord): Apart {
  if (!hasKinesis(source))
    return {
      reason: 'not-a-record',
      detail:
        'no record of Kinesis: `kinesis` lacks a field, or has one of another kind: look at the trigger',
    };
  try {
    return { records: takeApart(source.kinesis) };
  } catch (error) {
    // Says nothing about the record: with MD5 it could be read.
    if (error instanceof DigestUnavailableError || !(error instanceof TypeError)) throw error;
    return { reason: 'not-base64', detail: 'the data are no base64: look at what made or changed the event' };
  }
}

type Rejected = UserRecord & {
  readonly bytes: Uint8Array;
  readonly rejection: BadReason;
  readonly detail: string;
};

function rejected(record: Rejected): Omit<BadRecord, 'source' | keyof EventPlace> {
  const { rejection, detail, sequenceNumber, subSequenceNumber, partitionKey, arrivedAtMs, bytes } = record;
  return {
    bad: true,
    reason: rejection,
    detail,
    sequenceNumber,
    subSequenceNumber,
    partitionKey,
    arrivedAtMs,
    bytes,
  };
}

/** What is known of a record that could not be read at all. */
function notRead(source: LambdaEventRecord | undefined) {
  const { sequenceNumber, partitionKey, approximateArrivalTimestamp: seconds } = source?.kinesis ?? {};
  return {
    sequenceNumber: typeof sequenceNumber === 'string' ? sequenceNumber : '',
    subSequenceNumber: 0,
    partitionKey: typeof partitionKey === 'string' ? partitionKey : '',
    arrivedAtMs: typeof seconds === 'number' ? Math.round(seconds * 1_000) : undefined,
    bytes: undefined,
  };
}
