import { setTimeout as sleep } from 'node:timers/promises';
import type { DrainLimits } from './limits.ts';
import type { SourceRecord } from './record.ts';
import type { DrainStream, Position } from './stream.ts';

export interface ShardReading {
  readonly stream: DrainStream;
  readonly shardId: string;
  readonly from: Position;
  /** Reading ends when everything that arrived before this has been read. */
  readonly untilMs: number;
  /** Ends at the tip of the shard as well, by whichever clock. Default false: waits until the tip is past `untilMs`. */
  readonly stopAtTip?: boolean;
  readonly limits: DrainLimits;
  readonly signal: AbortSignal;
}

/**
 * Reads the records of a shard, page by page, from a position until the shard ends, or until its records
 * arrived well after `untilMs`. Pages are never empty, but may hold records from after the end. Handles
 * expired iterators, and empty pages, which Kinesis gives in the middle of a shard.
 */
export async function* readShard(reading: ShardReading): AsyncGenerator<readonly SourceRecord[]> {
  const { stream, shardId, untilMs, limits, signal } = reading;
  let position = reading.from;
  let iterator = await stream.iterator(shardId, position);
  let lastCallMs = Number.NEGATIVE_INFINITY;
  const endMs = untilMs + limits.graceMs;
  while (iterator !== undefined) {
    const waitMs = lastCallMs + limits.readIntervalMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    lastCallMs = performance.now();
    const askedAtMs = Date.now();
    const page = await stream.page(iterator);
    if (page === undefined) {
      iterator = await stream.iterator(shardId, position);
      continue;
    }
    iterator = page.next;
    const last = page.records.at(-1);
    if (last === undefined) {
      // An empty page still says how far along the shard it is.
      if (askedAtMs - page.behindMs >= endMs || (reading.stopAtTip === true && page.behindMs === 0)) return;
      continue;
    }
    position = { after: last.sequenceNumber };
    yield page.records;
    if (page.records.some(({ arrivedAtMs }) => arrivedAtMs >= endMs)) return;
  }
}
