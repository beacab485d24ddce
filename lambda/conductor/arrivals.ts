import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import type { Arrivals } from './conductor.ts';

/** Consumers read from the same shards, which take five reads a second: one call in a few shards is all we take. */
const SHARDS_READ = 3;
const STREAM_TIMEOUT_MS = 5_000;

/**
 * Looks for a record that arrived since then, in streams of the standby. Read from the stream itself: CloudWatch's
 * metric is minutes late, and would be one more thing that has to work.
 */
export async function readArrivals(
  kinesis: KinesisClient,
  streams: readonly string[],
  sinceMs: number,
): Promise<Arrivals> {
  const looked = await Promise.all(
    streams.map(async (stream) => [stream, await look(kinesis, stream, sinceMs)] as const),
  );
  const those = (what: Look): readonly string[] =>
    looked.flatMap(([stream, is]) => (is === what ? [stream] : []));
  return { seen: those('seen'), silent: those('silent'), unreadable: those('unreadable') };
}

type Look = 'seen' | 'silent' | 'unreadable';

async function look(kinesis: KinesisClient, StreamName: string, sinceMs: number): Promise<Look> {
  const options = { abortSignal: AbortSignal.timeout(STREAM_TIMEOUT_MS) };
  try {
    const { Shards = [] } = await kinesis.send(
      new ListShardsCommand({ StreamName, MaxResults: SHARDS_READ }),
      options,
    );
    const counts = await Promise.all(
      Shards.map(async ({ ShardId }) => {
        const { ShardIterator } = await kinesis.send(
          new GetShardIteratorCommand({
            StreamName,
            ShardId,
            ShardIteratorType: 'AT_TIMESTAMP',
            Timestamp: new Date(sinceMs),
          }),
          options,
        );
        const { Records = [] } = await kinesis.send(
          new GetRecordsCommand({ ShardIterator, Limit: 1 }),
          options,
        );
        return Records.length;
      }),
    );
    return counts.some((count) => count > 0) ? 'seen' : 'silent';
  } catch {
    return 'unreadable';
  }
}
