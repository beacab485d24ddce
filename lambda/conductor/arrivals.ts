import { setTimeout as sleep } from 'node:timers/promises';
import {
  type _Record,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { isOpen, listShards, shardIds } from '../../lib/aws/shards.ts';
import { streamField } from '../../lib/aws/stream-field.ts';
import { isProbeRecord } from '../../lib/envelope/probe-record.ts';
import { spread } from '../../lib/settings/cells-file.ts';
import type { Arrivals } from './conductor.ts';

/**
 * Most shards read. One record in one shard is enough, and consumers read there as well; so a few at a time,
 * spread over the stream.
 */
const SHARDS_LOOKED_AT = 16;
const AT_ONCE = 3;
/** Most pages of shards listed: enough for ten thousand shards. */
const LISTINGS = 10;
/** Most pages read of a shard. Kinesis gives empty pages while an iterator is on its way to the tip. */
const PAGES = 5;
/**
 * Records asked for with the first page: one proves an arrival, and takes the least of what the shard gives to consumers.
 * A page full of marked records makes the next one larger: where there is hardly anything else, pages stay small in
 * bytes. Five pages reach over two thousand of them.
 */
const FIRST_PAGE_RECORDS = 1;
const PAGE_GROWTH = 10;
const MOST_PAGE_RECORDS = 1_000;
/**
 * Pause between pages. A shard answers five reads a second, consumers' own included ("Quotas and limits",
 * Kinesis Developer Guide).
 */
const PAGE_EVERY_MS = 400;
/** Time-out for all of a stream; the step, which does more than this, has 20 s. */
const STREAM_TIMEOUT_MS = 8_000;

/**
 * Looks for a record that arrived after a given time in streams of the standby. Reads the stream itself:
 * CloudWatch's metric is minutes late, and would be one more dependency. Marked records of observers do not count: they
 * arrive whether producers have moved or not. Never throws.
 */
export async function readArrivals(
  kinesis: KinesisClient,
  streams: readonly string[],
  sinceMs: number,
): Promise<Arrivals> {
  const looked = await Promise.all(
    streams.map(async (stream) => {
      const signal = AbortSignal.timeout(STREAM_TIMEOUT_MS);
      return { stream, ...(await look({ kinesis, stream, sinceMs, signal })) };
    }),
  );
  const those = (what: Verdict['is']) => looked.filter(({ is }) => is === what);
  const names = (what: Verdict['is']) => those(what).map(({ stream }) => stream);
  return {
    seen: names('seen'),
    silent: names('silent'),
    unknown: those('unknown').map(({ stream, why = '' }) => ({ stream, why })),
    unreadable: names('unreadable'),
  };
}

interface Looking {
  readonly kinesis: KinesisClient;
  /** Its name or its ARN. */
  readonly stream: string;
  readonly sinceMs: number;
  readonly signal: AbortSignal;
}

interface Verdict {
  readonly is: 'seen' | 'silent' | 'unknown' | 'unreadable';
  /** Why the stream's answer is unknown. */
  readonly why?: string;
}

async function look(looking: Looking): Promise<Verdict> {
  try {
    return await lookInto(looking, await shardsSince(looking));
  } catch {
    return { is: 'unreadable' };
  }
}

/**
 * Shards that may hold a record of that time: first the open ones, where records arrive now, then those
 * closed since. Filters by time rather than `AT_LATEST`, which leaves out a parent whose records are minutes
 * old. The filter omits shards closed days ago; whether a shard is open is seen from the shard itself.
 */
async function shardsSince({ kinesis, stream, sinceMs, signal }: Looking) {
  const { shards, complete } = await listShards({
    ...streamField(stream),
    ShardFilter: { Type: 'FROM_TIMESTAMP', Timestamp: new Date(sinceMs) },
    maxAnswers: LISTINGS,
    ask: (command) => kinesis.send(command, { abortSignal: signal }),
  });
  const open = shardIds(shards.filter(isOpen));
  const closed = shardIds(shards.filter((shard) => !isOpen(shard)));
  return { ids: [open, closed], complete };
}

async function lookInto(
  looking: Looking,
  { ids, complete }: { readonly ids: readonly (readonly string[])[]; readonly complete: boolean },
): Promise<Verdict> {
  const known = new Set(ids.flat());
  const queue = ids.flatMap((some) => spread(some, SHARDS_LOOKED_AT));
  const tally = { silent: 0, behind: 0, failed: 0 };
  while (queue.length > 0) {
    const looks = await Promise.all(queue.splice(0, AT_ONCE).map((shard) => lookAt(shard, looking)));
    if (looks.some(({ is }) => is === 'seen')) return { is: 'seen' };
    for (const { is, children = [] } of looks) {
      if (is !== 'seen') tally[is]++;
      // The children of a shard that was split or merged since it was listed.
      const born = children.filter((child) => !known.has(child));
      for (const child of born) known.add(child);
      queue.push(...born.slice(0, SHARDS_LOOKED_AT));
    }
  }
  return verdictOf(tally, { shards: known.size, complete });
}

type Tally = Readonly<Record<'silent' | 'behind' | 'failed', number>>;

function verdictOf(
  { silent, behind, failed }: Tally,
  { shards, complete }: { readonly shards: number; readonly complete: boolean },
): Verdict {
  if (failed > 0 && silent + behind === 0) return { is: 'unreadable' };
  if (silent === shards && complete) return { is: 'silent' };
  const why = [
    `${silent} of ${shards}${complete ? '' : ' or more'} shards were read to their tips, and had none`,
    ...(behind > 0 ? [`${behind} could not be read to the tip in time`] : []),
    ...(failed > 0 ? [`${failed} did not answer`] : []),
  ];
  return { is: 'unknown', why: why.join('; ') };
}

interface ShardLook {
  readonly is: 'seen' | 'silent' | 'behind' | 'failed';
  /** Set for a shard that was closed and is read to its end. */
  readonly children?: readonly string[];
}

async function lookAt(shard: string, { kinesis, stream, sinceMs, signal }: Looking): Promise<ShardLook> {
  const options = { abortSignal: signal };
  try {
    const start = new GetShardIteratorCommand({
      ...streamField(stream),
      ShardId: shard,
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp: new Date(sinceMs),
    });
    let iterator = (await kinesis.send(start, options)).ShardIterator;
    let limit = FIRST_PAGE_RECORDS;
    for (let page = 0; page < PAGES; page++) {
      const ask = new GetRecordsCommand({ ShardIterator: iterator, Limit: limit });
      const read = await kinesis.send(ask, options);
      const records = read.Records ?? [];
      if (records.some((record) => !isMarked(record))) return { is: 'seen' };
      // Behind a full page there may be more, even of the same millisecond.
      const isFull = records.length >= limit;
      if (isFull) limit = Math.min(limit * PAGE_GROWTH, MOST_PAGE_RECORDS);
      iterator = read.NextShardIterator;
      if (iterator === undefined) return { is: 'silent', children: shardIds(read.ChildShards) };
      if (!isFull && (read.MillisBehindLatest ?? 0) === 0) return { is: 'silent' };
      await sleep(PAGE_EVERY_MS, undefined, { signal });
    }
    return { is: 'behind' };
  } catch {
    return { is: signal.aborted ? 'behind' : 'failed' };
  }
}

const isMarked = ({ PartitionKey, Data }: _Record): boolean =>
  isProbeRecord({ partitionKey: PartitionKey, data: Data });
