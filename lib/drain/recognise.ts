import type { DrainLimits } from './limits.ts';
import { type CopiedRecord, idIn, recordIdOf } from './record.ts';
import { readShard } from './shard-reader.ts';
import type { DrainStream } from './stream.ts';

export interface Recognising {
  readonly target: DrainStream;
  /** No copy of the drain is older. */
  readonly sinceMs: number;
  readonly limits: DrainLimits;
  readonly signal: AbortSignal;
}

/** Ids take some hundred bytes each in memory. More are not remembered, and their records are copied twice. */
const MAX_IDS = 1_000_000;

/**
 * The ids of records that are in the target: what an earlier run has copied, of which no sequence number tells.
 *
 * A record without an envelope is never recognised: producers write to the target meanwhile, and one of them may have put the
 * same key and bytes. Copied twice is better than lost.
 */
export async function idsIn({ target, sinceMs, limits, signal }: Recognising): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const untilMs = Date.now();
  for (const { ShardId: shardId } of await target.shards()) {
    if (shardId === undefined) continue;
    const from = { atMs: sinceMs - limits.clockMarginMs };
    for await (const page of readShard({
      ...{ stream: target, shardId, from, untilMs, stopAtTip: true, limits, signal },
    })) {
      for (const { data } of page) {
        const id = ids.size < MAX_IDS ? idIn(data) : undefined;
        if (id !== undefined) ids.add(id);
      }
    }
  }
  return ids;
}

/** The records of a chunk that are not there. */
export function unknownIn(chunk: readonly CopiedRecord[], ids: ReadonlySet<string>): readonly CopiedRecord[] {
  if (ids.size === 0) return chunk;
  return chunk.filter((record) => {
    const id = recordIdOf(record);
    return id === null || !ids.has(id);
  });
}
