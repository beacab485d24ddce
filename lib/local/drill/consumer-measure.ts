import { SETTLED_WINDOW_MS } from '../../../lambda/core/arrival.ts';
import type { Processed } from '../consumers/ledger.ts';
import type { Acknowledgement } from './events.ts';
import { countReordered, idPrefix } from './measure.ts';

/** What the consumers of both regions did with the records of a drill. Times are in milliseconds; null = never. */
export interface ConsumerCount {
  /** Distinct acknowledged records that were processed. */
  readonly processed: number;
  /** Acknowledged records that nobody processed, and that are not on a producer's disk. */
  readonly lost: number;
  /** Copies processed beyond the first of any record. */
  readonly duplicates: number;
  /** Records that a consumer processed after a later one of their key. */
  readonly reordered: number;
  /** Records that one region's consumer processed after the other's had processed a later one of their key. */
  readonly late: number;
  /** Records that were processed only once the region that holds them was read again, after the faults. */
  readonly stranded: number;
  /** From a put to the end of its processing, at most, before the fault, and half as much again. */
  readonly normalDelayMs: number;
  /** From the fault until 95 % of all puts, in any five seconds, were processed within the normal delay again. */
  readonly rtoMs: number | null;
}

export interface ConsumerFacts {
  readonly acknowledgements: readonly Acknowledgement[];
  /** By region, in the order of processing. */
  readonly processed: ReadonlyMap<string, readonly Processed[]>;
  readonly onDisk: readonly string[];
  readonly run: string;
  /** Keys of one producer. */
  readonly keys: number;
  readonly faultAtMs: number;
  /** When the faults ended, or the watching: what is put later is not judged by its delay. */
  readonly endMs: number;
  /** When the faults ended for the consumers. */
  readonly readAgainAtMs: number;
  /** Of cells that are to move. */
  readonly producers: readonly string[];
}

/** Puts of this long before the fault say what is normal; the first ones wait for functions to start. */
const NORMAL_WINDOW_MS = 4_000;
const NORMAL_MARGIN = 1.5;
/** Two polls of an event source mapping. */
const LEAST_NORMAL_MS = 2_000;
const IN_TIME_SHARE = 0.95;

/** Pure: compares receipts with what the consumers say that they have processed. */
export function countProcessed(facts: ConsumerFacts): ConsumerCount {
  const { acknowledgements, processed, onDisk, run, keys, faultAtMs } = facts;
  const prefix = idPrefix(run);
  const byRegion = [...processed.values()].map((all) => all.filter(({ id }) => id.startsWith(prefix)));
  const inTime = byRegion.flat().toSorted((a, b) => a.atMs - b.atMs);
  const firstAtMs = new Map<string, number>();
  for (const { id, atMs } of inTime) if (!firstAtMs.has(id)) firstAtMs.set(id, atMs);
  const ids = new Set(acknowledgements.map(({ id }) => id));
  const done = ids.intersection(firstAtMs);
  const waiting = ids.difference(done).intersection(new Set(onDisk)).size;
  const reordered = byRegion.reduce(
    (sum, all) => sum + countReordered([...new Set(all.map(({ id }) => id))], keys),
    0,
  );
  const puts = acknowledgements.flatMap((ack) => {
    const atMs = firstAtMs.get(ack.id);
    return [{ ...ack, delayMs: atMs === undefined ? Number.POSITIVE_INFINITY : atMs - ack.putAtMs }];
  });
  const normalDelayMs = normalDelay(puts, faultAtMs);
  return {
    processed: done.size,
    lost: ids.size - done.size - waiting,
    duplicates: inTime.length - firstAtMs.size,
    reordered,
    late: countReordered([...firstAtMs.keys()], keys) - reordered,
    stranded: [...done].filter((id) => (firstAtMs.get(id) ?? 0) >= facts.readAgainAtMs).length,
    normalDelayMs,
    rtoMs: recoveredMs(puts, { ...facts, normalDelayMs }),
  };
}

interface Put extends Acknowledgement {
  /** From the put to the end of its processing; infinite when it was never processed. */
  readonly delayMs: number;
}

/** Of records that were processed before the fault: those that it caught in the stream say nothing of health. */
function normalDelay(puts: readonly Put[], faultAtMs: number): number {
  const before = puts.filter(
    ({ putAtMs, delayMs }) => putAtMs >= faultAtMs - NORMAL_WINDOW_MS && putAtMs + delayMs < faultAtMs,
  );
  const longestMs = Math.max(0, ...before.map(({ delayMs }) => delayMs));
  return Math.round(Math.max(LEAST_NORMAL_MS, longestMs * NORMAL_MARGIN));
}

/** When the last producer's records were in time again for good; 0 when they were never late. */
function recoveredMs(
  puts: readonly Put[],
  options: Pick<ConsumerFacts, 'faultAtMs' | 'endMs' | 'producers'> & { readonly normalDelayMs: number },
): number | null {
  const { faultAtMs, endMs, producers } = options;
  const since = puts.filter(({ putAtMs }) => putAtMs >= faultAtMs && putAtMs < endMs);
  const byProducer = Map.groupBy(since, ({ producer }) => producer);
  let latestMs = 0;
  for (const producer of producers) {
    const own = (byProducer.get(producer) ?? []).toSorted((a, b) => a.putAtMs - b.putAtMs);
    const ms = inTimeAgainMs(own, options);
    if (ms === null) return null;
    latestMs = Math.max(latestMs, ms);
  }
  return producers.length === 0 ? null : latestMs;
}

function inTimeAgainMs(
  sorted: readonly Put[],
  { faultAtMs, normalDelayMs }: { readonly faultAtMs: number; readonly normalDelayMs: number },
): number | null {
  const lastMs = sorted.at(-1)?.putAtMs ?? 0;
  let recovered: Put | undefined;
  let firstInTime: Put | undefined;
  let wasLate = false;
  let end = sorted.length;
  let late = 0;
  // From the end: each put begins a window, and the first one that is not in time ends the search.
  for (let start = sorted.length - 1; start >= 0; start--) {
    const put = sorted[start] as Put;
    if (put.delayMs > normalDelayMs) late++;
    else firstInTime = put;
    for (let last = sorted[end - 1]; last !== undefined && last.putAtMs > put.putAtMs + SETTLED_WINDOW_MS; ) {
      end--;
      if (last.delayMs > normalDelayMs) late--;
      last = sorted[end - 1];
    }
    if (put.putAtMs + SETTLED_WINDOW_MS > lastMs) continue;
    if (late > (1 - IN_TIME_SHARE) * (end - start)) {
      wasLate = true;
      break;
    }
    recovered = firstInTime;
  }
  if (recovered === undefined) return null;
  return wasLate ? Math.round(recovered.putAtMs + recovered.delayMs - faultAtMs) : 0;
}
