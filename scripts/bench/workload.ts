import { randomBytes } from 'node:crypto';

export interface BenchRecord {
  readonly partitionKey: string;
  readonly data: Buffer;
}

export type Batch = readonly BenchRecord[];

export interface Workload {
  readonly title: string;
  readonly recordsPerBatch: number;
  readonly recordBytes: number;
}

export const workloads = {
  batches: { title: '500 x 200 B', recordsPerBatch: 500, recordBytes: 200 },
  singles: { title: '1 x 1 KiB', recordsPerBatch: 1, recordBytes: 1024 },
} as const satisfies Record<string, Workload>;

/** More batches than any contestant has outstanding, so that no key is in two batches at the same time. */
const BATCHES = 64;

/**
 * Makes the batches, once, before anything is measured. Every record has a key of its own, and data that does
 * not compress.
 */
export function batchesOf({ recordsPerBatch, recordBytes }: Workload): readonly Batch[] {
  return Array.from({ length: BATCHES }, (_, batch) =>
    Array.from({ length: recordsPerBatch }, (_, n) => ({
      partitionKey: `order-${String(batch * recordsPerBatch + n).padStart(8, '0')}`,
      data: randomBytes(recordBytes),
    })),
  );
}
