import { z } from 'zod';
import type { CellCapacity } from './fitness.ts';

/** What the monitor last saw of each cell's streams, while everything worked: nobody can ask an impaired primary. */
export const CAPACITY_PARTITION = 'capacity';
export const capacityKey = (cell: string) => ({ pk: CAPACITY_PARTITION, sk: cell });

const load = z.object({
  bytesPerSecond: z.number().nonnegative(),
  recordsPerSecond: z.number().nonnegative(),
});
const stream = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('provisioned'), shards: z.number().int().nonnegative() }),
  z.object({ mode: z.literal('on-demand'), peak: load }),
]);
export const capacitySchema = z.object({
  cell: z.string().min(1),
  surveyedAtMs: z.number(),
  peak: load,
  primary: stream.optional(),
  standby: stream.optional(),
}) satisfies z.ZodType<CellCapacity>;

/** Cells whose records stranded in the primary have been read: one item each, written by whatever drains them. */
export const DRAINED_PARTITION = 'drained';
export const drainedKey = (cell: string) => ({ pk: DRAINED_PARTITION, sk: cell });
export const drainedSchema = z.object({
  /** Of the evacuation that stranded them: an older drain says nothing about a newer one. */
  epoch: z.number().int().nonnegative(),
  atMs: z.number(),
});
