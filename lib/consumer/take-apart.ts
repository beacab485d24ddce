import { decodeAggregate } from '../aggregate/decode.ts';
import { type AggregateRejection, DamagedAggregateError } from '../aggregate/errors.ts';
import { hashKeyOf } from '../aggregate/keys.ts';
import type { DecodedRecord } from '../aggregate/message.ts';
import type { AggregateTag } from '../aggregate/tag.ts';
import { PROBE_KEY_PREFIX } from '../envelope/probe-record.ts';
import { type Unwrapped, unwrap } from '../envelope/unwrap.ts';
import { belongsTo, type HashKeyRange } from './hash-key-range.ts';
import {
  type LambdaKinesisRecord,
  type SdkKinesisRecord,
  type WholeRecord,
  wholeRecord,
} from './kinesis-record.ts';

/** Where a user's record was in the stream. */
export interface RecordPlace {
  /** The user record's own key; empty where the stream does not tell it (service-managed distribution). */
  readonly partitionKey: string;
  /** As the aggregate says; Kinesis does not tell it of a record of its own. */
  readonly explicitHashKey?: string;
  /** Of the record of Kinesis. The user records of an aggregate share it. */
  readonly sequenceNumber: string;
  /** Index in the aggregate; 0 for a record of its own. */
  readonly subSequenceNumber: number;
  /** Came out of an aggregate. False for one that could not be taken apart. */
  readonly aggregated: boolean;
  /** When the record of Kinesis arrived, about, in milliseconds since 1970. */
  readonly arrivedAtMs: number | undefined;
  readonly tags?: readonly AggregateTag[];
  /** Its hash key is not in the range given: it landed in this shard because of the key of another record. */
  readonly outsideShard?: true;
  /** The KCL drops it in silence, because a record of the same aggregate is outside of the shard: this one or another. */
  readonly droppedByKcl?: true;
}

/**
 * Bytes that begin like an aggregate but cannot be read as one. There is no `data` on purpose: they are a damaged
 * aggregate, or user's bytes that look like one, and only the application can tell. The key is that of the record of Kinesis.
 */
export interface RejectedAggregate {
  readonly enveloped: false;
  readonly rejection: AggregateRejection;
  readonly probe?: undefined;
  /** What was wrong, and what to do. */
  readonly detail: string;
  /** All the given bytes, unchanged. */
  readonly bytes: Uint8Array;
}

/** A record as someone put it, with what `unwrap` says of it. */
export type UserRecord = RecordPlace & (Unwrapped | RejectedAggregate);

export interface TakeApartOptions {
  /**
   * Of the shard that the record was read from, as ListShards returns it. With it, user records say whether they are
   * outside, and whether the KCL would drop them; they are returned all the same.
   */
  readonly hashKeyRange?: HashKeyRange | undefined;
}

/**
 * The user records in a record of Kinesis, in their order: those of a KPL aggregate, else the record itself. Never empty,
 * drops nothing, and never throws for bytes, whatever they are.
 *
 * @throws TypeError for anything that is no record, ConsumerConfigError for a range that is none, DigestUnavailableError where
 * Node.js has no MD5
 */
export function takeApart(
  record: SdkKinesisRecord | LambdaKinesisRecord,
  { hashKeyRange }: TakeApartOptions = {},
): readonly UserRecord[] {
  const { bytes, ...whole } = wholeRecord(record);
  const inShard = hashKeyRange === undefined ? undefined : belongsTo(hashKeyRange);
  const itself = { ...whole, subSequenceNumber: 0, aggregated: false };
  let found: readonly DecodedRecord[] | undefined;
  try {
    found = decodeAggregate(bytes);
  } catch (error) {
    if (!(error instanceof DamagedAggregateError)) throw error;
    const { rejection, message: detail } = error;
    return [{ ...itself, enveloped: false, rejection, detail, bytes }];
  }
  if (found === undefined) return [{ ...itself, ...contentOf(bytes, whole.partitionKey) }];
  const outside = inShard === undefined ? [] : found.map((one) => !inShard(hashKeyOf(one)));
  const dropped = outside.includes(true);
  return found.map(({ data, ...one }, at) => ({
    ...place(whole, one),
    subSequenceNumber: at,
    ...(outside[at] && { outsideShard: true }),
    ...(dropped && { droppedByKcl: true }),
    ...contentOf(data, one.partitionKey),
  }));
}

/** A marked record says so by its key as well, where that is known: a user's data may begin like its. */
function contentOf(bytes: Uint8Array, partitionKey: string): Unwrapped {
  const content = unwrap(bytes);
  const isMarked = partitionKey === '' || partitionKey.startsWith(PROBE_KEY_PREFIX);
  return content.probe && !isMarked ? { enveloped: false, data: bytes } : content;
}

function place(
  { sequenceNumber, arrivedAtMs }: Omit<WholeRecord, 'bytes'>,
  one: Omit<DecodedRecord, 'data'>,
): Omit<RecordPlace, 'subSequenceNumber'> {
  return { ...one, sequenceNumber, aggregated: true, arrivedAtMs };
}
