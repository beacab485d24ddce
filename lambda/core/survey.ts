import { z } from 'zod';
import { type CellCapacity, highest, type Load, type StreamCapacity } from './fitness.ts';

/** What the survey last saw of each cell's streams, while everything worked: nobody can ask an impaired primary. */
export const CAPACITY_PARTITION = 'capacity';
export const capacityKey = (cell: string) => ({ pk: CAPACITY_PARTITION, sk: cell });

const load = z.object({
  bytesPerSecond: z.number().nonnegative(),
  recordsPerSecond: z.number().nonnegative(),
});
const stream = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('provisioned'), shards: z.number().int().nonnegative() }),
  z.object({
    mode: z.literal('on-demand'),
    peak: load,
    warmMibPerSecond: z.number().nonnegative().optional(),
  }),
]);
export const capacitySchema = z.object({
  cell: z.string().min(1),
  surveyedAtMs: z.number(),
  peak: load,
  primary: stream.optional(),
  standby: stream.optional(),
}) satisfies z.ZodType<CellCapacity>;

/** How a stream is scaled. One that is not there has no shards: it takes nothing. */
export type StreamSize =
  | { readonly mode: 'provisioned'; readonly shards: number }
  | { readonly mode: 'on-demand'; readonly warmMibPerSecond?: number };

/** What one look has read of a stream. Absent: it could not be read. */
export interface StreamReading {
  readonly size?: StreamSize;
  readonly peak?: Load;
}

export interface CellReading {
  readonly cell: string;
  readonly atMs: number;
  readonly primary: StreamReading;
  readonly standby: StreamReading;
}

/**
 * What is known of a cell after a look. What could not be read leaves what was known before: a primary that is impaired
 * says nothing, which is exactly when this is needed. Undefined: nothing could be read, so there is nothing to store.
 */
export function capacityFrom(
  { cell, atMs, primary, standby }: CellReading,
  known: CellCapacity | undefined,
): CellCapacity | undefined {
  if ([primary, standby].every(({ size, peak }) => size === undefined && peak === undefined))
    return undefined;
  const streams = {
    primary: streamFrom(primary, known?.primary),
    standby: streamFrom(standby, known?.standby),
  };
  const read = [primary.peak, standby.peak].filter((peak) => peak !== undefined);
  // The one that was not read may have had the higher peak: that of before stands until both are.
  const before = read.length === 2 || known === undefined ? [] : [known.peak];
  return {
    cell,
    surveyedAtMs: atMs,
    peak: highest([...read, ...before]),
    ...(streams.primary === undefined ? {} : { primary: streams.primary }),
    ...(streams.standby === undefined ? {} : { standby: streams.standby }),
  };
}

function streamFrom(
  { size, peak }: StreamReading,
  known: StreamCapacity | undefined,
): StreamCapacity | undefined {
  if (size === undefined) return known;
  if (size.mode === 'provisioned') return size;
  // An unknown peak is not 0, which would call a stream small that has grown.
  const scaledFor = peak ?? (known?.mode === 'on-demand' ? known.peak : undefined);
  return scaledFor === undefined ? undefined : { ...size, peak: scaledFor };
}

/** Those never surveyed, then those whose survey is oldest: what one run leaves is the next one's first. */
export function oldestFirst<Cell extends { readonly cell: string }>(
  cells: readonly Cell[],
  known: readonly CellCapacity[],
): readonly Cell[] {
  const surveyed = new Map(known.map(({ cell, surveyedAtMs }) => [cell, surveyedAtMs]));
  const atMs = ({ cell }: Cell): number => surveyed.get(cell) ?? Number.NEGATIVE_INFINITY;
  return cells.toSorted((a, b) => {
    const [first, second] = [atMs(a), atMs(b)];
    return first === second ? 0 : first < second ? -1 : 1;
  });
}

/** Cells whose records stranded in the primary have been read: one item each, written by whatever drains them. */
export const DRAINED_PARTITION = 'drained';
export const drainedKey = (cell: string) => ({ pk: DRAINED_PARTITION, sk: cell });
export const drainedSchema = z.object({
  /** Of the evacuation that stranded them: an older drain says nothing about a newer one. */
  epoch: z.number().int().nonnegative(),
  atMs: z.number(),
});
