import type { ShardRange } from './aggregation/shard-map.ts';
import type { WrittenReceipt } from './entry.ts';
import type { RecordFailure } from './errors.ts';
import type { OutgoingRecord } from './record.ts';
import type { StreamTarget } from './stream-target.ts';

/** Where the record is, or why it is not in the stream. */
export type RecordResult = WrittenReceipt | RecordFailure;

export interface RegionalStream extends StreamTarget {
  readonly region: string;
}

export interface OutgoingBatch {
  readonly region: string;
  readonly stream: string;
  /** Names the stream instead, where it is in another account. */
  readonly streamArn?: string | undefined;
  readonly records: readonly OutgoingRecord[];
}

/**
 * Sends one batch once. Rejects when the request as a whole failed; otherwise resolves with a result for each
 * record, in order.
 */
export interface Transport {
  send(batch: OutgoingBatch): Promise<readonly RecordResult[]>;
  /**
   * The open shards of a stream, for `aggregate: { by: 'shard' }`. Without this method records are aggregated by key. Rejects when
   * they cannot be had.
   */
  listShards?(stream: RegionalStream): Promise<readonly ShardRange[]>;
  close(): void;
}
