import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { listShards, shardIds } from '../aws/shards.ts';
import { LiveDrillError } from './errors.ts';

export interface ReadOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  /** Records that arrived before this time are skipped; absent = from the oldest record. */
  readonly sinceMs?: number;
  /** Pause between two pages of a shard. */
  readonly readEveryMs: number;
  readonly maxPagesPerShard: number;
}

export interface StreamRecord {
  readonly text: string;
  /** Arrival time by the clock of Kinesis, in whole milliseconds. */
  readonly arrivedAtMs: number;
}

const CALL_TIMEOUT_MS = 10_000;
/** The most splits and merges of one shard while the stream is read. */
const MAX_GENERATIONS = 5;
/** One listing, of a thousand shards: a stream for drills has a few shards. */
const LISTINGS = 1;

export interface ReadBackOptions extends Pick<ReadOptions, 'client' | 'streamName'> {
  readonly sinceMs: number;
  /** Prefix of the wanted ids; other records are skipped. */
  readonly prefix: string;
}

/** A drill writes a few thousand records; all of these fit into a page or two. */
const DRILL_PAGES = 50;
/** A shard answers five reads a second ("Quotas and limits", Amazon Kinesis Data Streams Developer Guide). */
const READ_EVERY_MS = 250;

/** Reads the ids of one drill's records in the stream. @throws LiveDrillError, and what the SDK throws */
export async function readIds({ prefix, ...stream }: ReadBackOptions): Promise<readonly string[]> {
  const limits = { readEveryMs: READ_EVERY_MS, maxPagesPerShard: DRILL_PAGES };
  const records = await readStream({ ...stream, ...limits });
  return records.map(({ text }) => text).filter((text) => text.startsWith(prefix));
}

/**
 * Reads the records of a stream up to its tip, each shard's in its order, a parent's before its children's,
 * from open and closed shards, and from shards that a split or merge creates meanwhile. @throws
 * LiveDrillError, and what the SDK throws
 */
export async function readStream(options: ReadOptions): Promise<readonly StreamRecord[]> {
  const { client, streamName, sinceMs } = options;
  const { shards, complete } = await listShards({
    StreamName: streamName,
    ...(sinceMs === undefined
      ? {}
      : { ShardFilter: { Type: 'FROM_TIMESTAMP', Timestamp: new Date(sinceMs) } }),
    maxAnswers: LISTINGS,
    ask: (command) => client.send(command, limit()),
  });
  if (!complete) throw new LiveDrillError(`${streamName} has more than a thousand shards.`);
  const found: StreamRecord[] = [];
  const known = new Set(shardIds(shards));
  let ids: readonly string[] = [...known];
  for (let generation = 0; ids.length > 0; generation++) {
    if (generation > MAX_GENERATIONS) throw new LiveDrillError(`${streamName} keeps being resharded.`);
    const read = await Promise.all(ids.map((id) => readShard(id, options)));
    found.push(...read.flatMap(({ records }) => records));
    ids = [...new Set(read.flatMap(({ children }) => children))].filter((id) => !known.has(id));
    for (const id of ids) known.add(id);
  }
  return found;
}

interface ReadShard {
  readonly records: readonly StreamRecord[];
  /** The child shards of a closed shard. */
  readonly children: readonly string[];
}

async function readShard(shardId: string, options: ReadOptions): Promise<ReadShard> {
  const { client, streamName, sinceMs, readEveryMs, maxPagesPerShard } = options;
  const start = new GetShardIteratorCommand({
    StreamName: streamName,
    ShardId: shardId,
    ...(sinceMs === undefined
      ? { ShardIteratorType: 'TRIM_HORIZON' }
      : { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(sinceMs) }),
  });
  const found: StreamRecord[] = [];
  let iterator = (await client.send(start, limit())).ShardIterator;
  for (let page = 0; page < maxPagesPerShard; page++) {
    const read: GetRecordsCommandOutput = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator }),
      limit(),
    );
    const { Records = [], NextShardIterator, MillisBehindLatest = 0 } = read;
    for (const { Data, ApproximateArrivalTimestamp } of Records) {
      const arrivedAtMs = ApproximateArrivalTimestamp?.getTime() ?? 0;
      found.push({ text: new TextDecoder().decode(Data), arrivedAtMs });
    }
    if (NextShardIterator === undefined) return { records: found, children: shardIds(read.ChildShards) };
    if (Records.length === 0 && MillisBehindLatest === 0) return { records: found, children: [] };
    iterator = NextShardIterator;
    if (readEveryMs > 0) await sleep(readEveryMs);
  }
  throw new LiveDrillError(
    `${streamName} ${shardId} did not end after ${maxPagesPerShard} pages: is this stream only for drills?`,
  );
}

const limit = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
