import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { LiveDrillError } from './errors.ts';

export interface ReadBackOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly sinceMs: number;
  /** Of the ids that are wanted; records of others are passed over. */
  readonly prefix: string;
}

const CALL_TIMEOUT_MS = 5_000;
/** A stream for drills has a few; far above that it is not one. */
const MAX_SHARDS = 200;
/** A drill writes a few thousand records; all of them fit a page or two. */
const MAX_PAGES = 50;
/** A shard answers five reads a second ("Quotas and limits", Amazon Kinesis Data Streams Developer Guide). */
const READ_EVERY_MS = 250;

/** Ids of the drill's records in one stream. @throws LiveDrillError, and what the SDK throws */
export async function readIds(options: ReadBackOptions): Promise<readonly string[]> {
  const { client, streamName } = options;
  const { Shards = [], NextToken } = await client.send(
    new ListShardsCommand({ StreamName: streamName, MaxResults: MAX_SHARDS }),
    limit(),
  );
  if (NextToken !== undefined) throw new LiveDrillError(`${streamName} has more than ${MAX_SHARDS} shards`);
  const shards = await Promise.all(Shards.map(({ ShardId }) => readShard(ShardId ?? '', options)));
  return shards.flat();
}

async function readShard(shardId: string, options: ReadBackOptions): Promise<readonly string[]> {
  const { client, streamName, sinceMs, prefix } = options;
  const start = new GetShardIteratorCommand({
    StreamName: streamName,
    ShardId: shardId,
    ShardIteratorType: 'AT_TIMESTAMP',
    Timestamp: new Date(sinceMs),
  });
  const ids: string[] = [];
  let iterator = (await client.send(start, limit())).ShardIterator;
  for (let page = 0; page < MAX_PAGES; page++) {
    if (iterator === undefined) return ids;
    const read = await client.send(new GetRecordsCommand({ ShardIterator: iterator }), limit());
    const { Records = [], NextShardIterator, MillisBehindLatest = 0 } = read;
    const texts = Records.map(({ Data }) => new TextDecoder().decode(Data));
    ids.push(...texts.filter((text) => text.startsWith(prefix)));
    if (Records.length === 0 && MillisBehindLatest === 0) return ids;
    iterator = NextShardIterator;
    await sleep(READ_EVERY_MS);
  }
  throw new LiveDrillError(
    `${streamName} ${shardId} did not end after ${MAX_PAGES} pages: is it only for drills?`,
  );
}

const limit = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
