import type { Intent } from './checkpoint.ts';
import { DrainError } from './errors.ts';
import type { DrainLimits } from './limits.ts';
import { type CopiedRecord, fingerprintOf } from './record.ts';
import { readShard } from './shard-reader.ts';
import type { DrainStream, StreamFacts } from './stream.ts';

export interface ReadBack {
  readonly target: DrainStream;
  readonly facts: StreamFacts;
  readonly intent: Intent;
  /** No two with one fingerprint: a chunk holds a key once. */
  readonly records: readonly CopiedRecord[];
  readonly limits: DrainLimits;
  readonly signal: AbortSignal;
}

export interface Found {
  readonly record: CopiedRecord;
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/** Which of the records, whose write has an unknown outcome, are in the target. @throws DrainError */
export async function findInTarget(looking: ReadBack): Promise<readonly Found[]> {
  const { target, facts, intent, limits, signal } = looking;
  if (intent.fromMs - limits.clockMarginMs < Date.now() - facts.retentionMs) {
    throw new DrainError(
      `A write at ${new Date(intent.fromMs).toISOString()} has an unknown outcome, and ${target.name} no longer keeps that time. ` +
        'Look for its records at the consumers, then drain the rest with a new checkpoint and a later `--from`.',
    );
  }
  const missing = new Map(looking.records.map((record) => [record.fingerprint, record]));
  const found: Found[] = [];
  for (const { ShardId: shardId } of await target.shards()) {
    if (shardId === undefined || missing.size === 0) continue;
    const tip = intent.tips[shardId];
    const from = tip === undefined ? { atMs: intent.fromMs - limits.clockMarginMs } : { after: tip };
    const untilMs = intent.untilMs + limits.clockMarginMs;
    const pages = readShard({ stream: target, shardId, from, untilMs, stopAtTip: true, limits, signal });
    for await (const page of pages) {
      for (const { partitionKey, data, sequenceNumber } of page) {
        const print = fingerprintOf(partitionKey, data);
        const record = missing.get(print);
        if (record === undefined) continue;
        missing.delete(print);
        found.push({ record, shardId, sequenceNumber });
      }
      if (missing.size === 0) break;
    }
  }
  return found;
}
