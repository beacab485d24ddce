import type { Aggregate } from './aggregation/aggregate.ts';
import type { Bisection } from './bisections.ts';
import type { Entry } from './entry.ts';
import { RecordFailure } from './errors.ts';
import type { RegionHealth } from './region-health.ts';
import { throttles } from './service-codes.ts';
import { ShardBackoff } from './shard-backoff.ts';
import type { SwapRemoveItem } from './swap-remove-list.ts';
import type { RegionalStream } from './transport.ts';

/** What became of the records of a request. */
export interface Outcome {
  /** How many were sent, and how many of them the stream took. */
  readonly sent: number;
  readonly taken: number;
  /** What it did not take, and those of them that are heads of their lanes. */
  readonly failed: readonly Entry[];
  readonly heads: readonly Entry[];
}

/** A batch in flight. */
export interface Sending extends SwapRemoveItem {
  /** Heads of lanes: the records of the request, or those that lead others in its aggregates. */
  readonly batch: readonly Entry[];
  /** The records of the request, where they are aggregates. */
  readonly aggregates: readonly Aggregate[] | undefined;
  readonly target: RegionalStream;
  readonly health: RegionHealth;
  /** Set where the request is part of a batch that was refused. */
  readonly bisection: Bisection | undefined;
}

/** By the shard that refused them; '' where none is named. */
export const byRefusal = (entries: readonly Entry[]): Map<string, Entry[]> =>
  Map.groupBy(entries, ({ lastError }) =>
    lastError instanceof RecordFailure ? ShardBackoff.shardOf(lastError) : '',
  );

export function recordsIn({ batch, aggregates }: Sending): number {
  if (aggregates === undefined) return batch.length;
  return aggregates.reduce((sum, { entries }) => sum + entries.length, 0);
}

/** Written out, because it is done for each record in flight. */
export function headsOf(aggregates: readonly Aggregate[]): readonly Entry[] {
  const heads: Entry[] = new Array(aggregates.reduce((sum, one) => sum + one.heads.length, 0));
  let at = 0;
  for (const { heads: those } of aggregates) for (let n = 0; n < those.length; n++) heads[at++] = those.at(n);
  return heads;
}

/** All entries of a request. */
export const entriesOf = ({ batch, aggregates }: Sending): readonly Entry[] =>
  aggregates === undefined ? batch : aggregates.flatMap(({ entries }) => [...entries]);

export function throttledIn(failed: readonly Entry[]): number {
  let throttled = 0;
  for (const { lastError } of failed) {
    if (lastError instanceof RecordFailure && throttles.has(lastError.name)) throttled++;
  }
  return throttled;
}
