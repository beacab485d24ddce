import { z } from 'zod';
import { type CellCapacity, highest, type Load, type StreamCapacity } from './fitness.ts';

/** The survey's last look at each cell's streams, from healthy times: an impaired primary cannot be asked. */
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
    serviceManaged: z.literal(true).optional(),
  }),
]);
export const capacitySchema = z.object({
  cell: z.string().min(1),
  surveyedAtMs: z.number(),
  peak: load,
  primary: stream.optional(),
  standby: stream.optional(),
}) satisfies z.ZodType<CellCapacity>;

/** How a stream is scaled. A missing stream has no shards, and takes nothing. */
export type StreamSize =
  | { readonly mode: 'provisioned'; readonly shards: number }
  | { readonly mode: 'on-demand'; readonly warmMibPerSecond?: number; readonly serviceManaged?: true };

/** The result of one look at a stream. Absent: it could not be read. */
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
 * Combines a look at a cell with what was known before. A value that could not be read keeps its old value:
 * an impaired primary answers nothing, and that is when the values are needed. Undefined: nothing could be
 * read, so there is nothing to store.
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
  // The unread stream may have had the higher peak, so the earlier peak stands until both are read.
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
  // An unknown peak is not 0: with 0, a stream that has grown would look small.
  const scaledFor = peak ?? (known?.mode === 'on-demand' ? known.peak : undefined);
  return scaledFor === undefined ? undefined : { ...size, peak: scaledFor };
}

/**
 * Sorts cells: first those never surveyed, then by oldest survey. So the next run begins with cells that this
 * run did not reach.
 */
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

/**
 * Cells whose records stranded in the primary have been read: one item each, written by the process that
 * drains them.
 */
export const DRAINED_PARTITION = 'drained';
export const drainedKey = (cell: string) => ({ pk: DRAINED_PARTITION, sk: cell });
export const drainedSchema = z.object({
  /**
   * Epoch of the evacuation that stranded the records: an older drain says nothing about a newer evacuation.
   */
  epoch: z.number().int().nonnegative(),
  atMs: z.number(),
  /** The records that a drain copied, by their arrival; absent when a person marked the cell. */
  window: z.object({ fromMs: z.number(), toMs: z.number() }).optional().catch(undefined),
});
export type Drained = Readonly<z.infer<typeof drainedSchema>>;
