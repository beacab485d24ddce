import { type KinesisClient, PutRecordCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { hashKeyOf, type PutOperation, type PutPlace } from '../core/put-plan.ts';

export interface AcceptedPut {
  readonly shardId: string | undefined;
  readonly sequenceNumber: string | undefined;
}

/** PutRecords answered 200, and refused the record with this code. Classified by it, like an answer of its own. */
export class RefusedEntryError extends Error {
  override readonly name: string;

  constructor(code: string, message: string | undefined) {
    super(`${message ?? 'refused'} (in an answer of PutRecords with status 200)`);
    this.name = code;
  }
}

interface PutTarget {
  readonly kinesis: KinesisClient;
  readonly canaryStream: string;
  readonly observer: string;
}

interface PutRequest {
  readonly place: PutPlace;
  readonly nowMs: number;
  readonly abortSignal: AbortSignal;
}

/** Puts one canary record by this operation, to this shard. @throws RefusedEntryError, or what the SDK throws. */
export function putOnce(
  { kinesis, canaryStream, observer }: PutTarget,
  { place, nowMs, abortSignal }: PutRequest,
): Promise<AcceptedPut> {
  const record = {
    PartitionKey: `${observer}/${place.shard}`,
    ExplicitHashKey: hashKeyOf(place.shard),
    Data: new TextEncoder().encode(JSON.stringify({ observer, atMs: nowMs })),
  };
  return putBy(place.operation, { kinesis, stream: canaryStream, record, abortSignal });
}

export interface OnePut {
  readonly kinesis: KinesisClient;
  readonly stream: string;
  readonly record: {
    readonly PartitionKey: string;
    readonly ExplicitHashKey?: string;
    readonly Data: Uint8Array;
  };
  readonly abortSignal: AbortSignal;
}

/** Puts one record by this operation. @throws RefusedEntryError, or what the SDK throws. */
export async function putBy(
  operation: PutOperation,
  { kinesis, stream, record, abortSignal }: OnePut,
): Promise<AcceptedPut> {
  switch (operation) {
    case 'PutRecord': {
      const command = new PutRecordCommand({ StreamName: stream, ...record });
      const { ShardId, SequenceNumber } = await kinesis.send(command, { abortSignal });
      return { shardId: ShardId, sequenceNumber: SequenceNumber };
    }
    case 'PutRecords': {
      const command = new PutRecordsCommand({ StreamName: stream, Records: [record] });
      const { Records: [entry] = [] } = await kinesis.send(command, { abortSignal });
      if (entry === undefined) throw new RefusedEntryError('InternalFailure', 'an answer without an entry');
      if (entry.ErrorCode !== undefined) throw new RefusedEntryError(entry.ErrorCode, entry.ErrorMessage);
      return { shardId: entry.ShardId, sequenceNumber: entry.SequenceNumber };
    }
    default:
      return operation satisfies never;
  }
}
