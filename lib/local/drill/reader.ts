import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { DrillError } from './errors.ts';

const CALL_TIMEOUT_MS = 10_000;
/** A drill writes some thousands of records; these bounds are far above that. */
const MAX_SHARDS = 1_000;
const MAX_PAGES_PER_SHARD = 5_000;
const RECORDS_PER_PAGE = 1_000;

export interface StreamRecord {
  readonly text: string;
  /** By the clock of Kinesis, in whole milliseconds. */
  readonly arrivedAtMs: number;
}

/**
 * The records of several streams as one consumer of all of them would take them: by arrival. A producer has one request
 * in flight for a key, so a key's records in two streams never arrive in the same millisecond; within a stream the sort
 * is stable and keeps the stream's own order.
 */
export function byArrival(streams: readonly (readonly StreamRecord[])[]): readonly string[] {
  return streams
    .flat()
    .toSorted((a, b) => a.arrivedAtMs - b.arrivedAtMs)
    .map(({ text }) => text);
}

/** Reads a whole stream, every shard from its beginning to its tip, and returns its records, each shard's in its order. */
export async function readStream(
  client: KinesisClient,
  streamName: string,
): Promise<readonly StreamRecord[]> {
  const payloads: StreamRecord[] = [];
  for (const shardId of await shardIds(client, streamName)) {
    payloads.push(...(await readShard(client, { streamName, shardId })));
  }
  return payloads;
}

async function shardIds(client: KinesisClient, streamName: string): Promise<readonly string[]> {
  const { Shards, NextToken } = await client.send(
    new ListShardsCommand({ StreamName: streamName, MaxResults: MAX_SHARDS }),
    { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
  );
  if (NextToken !== undefined) throw new DrillError(`${streamName} has more than ${MAX_SHARDS} shards.`);
  return (Shards ?? []).flatMap((shard) => shard.ShardId ?? []);
}

async function readShard(
  client: KinesisClient,
  shard: { readonly streamName: string; readonly shardId: string },
): Promise<readonly StreamRecord[]> {
  const payloads: StreamRecord[] = [];
  const start = await client.send(
    new GetShardIteratorCommand({
      StreamName: shard.streamName,
      ShardId: shard.shardId,
      ShardIteratorType: 'TRIM_HORIZON',
    }),
    { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
  );
  let iterator = start.ShardIterator;
  for (let page = 0; page < MAX_PAGES_PER_SHARD; page++) {
    if (iterator === undefined) return payloads;
    const { Records, NextShardIterator, MillisBehindLatest } = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: RECORDS_PER_PAGE }),
      { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
    );
    for (const { Data, ApproximateArrivalTimestamp } of Records ?? []) {
      payloads.push({
        text: new TextDecoder().decode(Data),
        arrivedAtMs: ApproximateArrivalTimestamp?.getTime() ?? 0,
      });
    }
    if ((Records ?? []).length === 0 && (MillisBehindLatest ?? 0) === 0) return payloads;
    iterator = NextShardIterator;
  }
  throw new DrillError(
    `${shard.streamName} ${shard.shardId} did not end after ${MAX_PAGES_PER_SHARD} pages.`,
  );
}
