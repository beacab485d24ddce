import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type KinesisClient,
  type _Record as KinesisRecord,
  type Shard as ListedShard,
} from '@aws-sdk/client-kinesis';
import { listShards } from '../aws/shards.ts';
import { takeApart } from '../consumer/take-apart.ts';
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

type Shard = Pick<ListedShard, 'ShardId' | 'HashKeyRange'>;

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
 * Reads the user records of a stream as a KCL application is given them, out of aggregates too, up to the stream's tip, each shard's in its order, a parent's before its children's,
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
  const known = new Map<string, Shard>();
  const fresh = (listed: readonly Shard[]): readonly Shard[] => {
    const unknown = listed.filter(({ ShardId = '' }) => ShardId !== '' && !known.has(ShardId));
    for (const shard of unknown) known.set(shard.ShardId as string, shard);
    return [...new Map(unknown.map((shard) => [shard.ShardId, shard])).values()];
  };
  for (let next = fresh(shards), generation = 0; next.length > 0; generation++) {
    if (generation > MAX_GENERATIONS) throw new LiveDrillError(`${streamName} keeps being resharded.`);
    const read = await Promise.all(next.map((shard) => readShard(shard, options)));
    found.push(...read.flatMap(({ records }) => records));
    next = fresh(read.flatMap(({ children }) => children));
  }
  return found;
}

interface ReadShard {
  readonly records: readonly StreamRecord[];
  /** The child shards of a closed shard. */
  readonly children: readonly Shard[];
}

async function readShard(
  { ShardId: shardId, HashKeyRange }: Shard,
  options: ReadOptions,
): Promise<ReadShard> {
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
    for (const record of Records) found.push(...userRecords(record, HashKeyRange));
    if (NextShardIterator === undefined) return { records: found, children: read.ChildShards ?? [] };
    if (Records.length === 0 && MillisBehindLatest === 0) return { records: found, children: [] };
    iterator = NextShardIterator;
    if (readEveryMs > 0) await sleep(readEveryMs);
  }
  throw new LiveDrillError(
    `${streamName} ${shardId} did not end after ${maxPagesPerShard} pages: is this stream only for drills?`,
  );
}

/** Without what the KCL drops; a record that cannot be read is shown as the text of its bytes. */
function userRecords(record: KinesisRecord, range: ListedShard['HashKeyRange']): readonly StreamRecord[] {
  const arrivedAtMs = record.ApproximateArrivalTimestamp?.getTime() ?? 0;
  const hashKeyRange = range && {
    StartingHashKey: range.StartingHashKey,
    EndingHashKey: range.EndingHashKey,
  };
  return takeApart(record, { hashKeyRange }).flatMap((one) => {
    if (one.droppedByKcl) return [];
    const bytes = one.rejection === undefined && !one.probe ? one.data : record.Data;
    return [{ text: new TextDecoder().decode(bytes), arrivedAtMs }];
  });
}

const limit = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
