import type { WrittenReceipt } from './entry.ts';
import type { RecordFailure } from './errors.ts';
import type { OutgoingRecord } from './record.ts';

/** Where the record is, or why it is not in the stream. */
export type RecordResult = WrittenReceipt | RecordFailure;

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
  close(): void;
}
