import { decodeAggregate } from '../aggregate/decode.ts';
import { DamagedAggregateError } from '../aggregate/errors.ts';
import type { DrainLimits } from '../drain/limits.ts';
import type { SourceRecord } from '../drain/record.ts';
import { readShard } from '../drain/shard-reader.ts';
import type { DrainStream, Position } from '../drain/stream.ts';
import { isProbeRecord } from '../envelope/probe-record.ts';
import { isBehind, type PlacedRecord, type ShardPosition } from './positions.ts';

/** What one consumer has before it in a shard. Aggregates are taken apart. */
export interface Tally {
  /** Without marked records of observers. */
  records: number;
  bytes: number;
  probes: number;
  /** Records that begin like an aggregate and cannot be read as one; each counts as one record. */
  damaged: number;
  /** Arrival of the oldest of the records; null without any. */
  oldestMs: number | null;
  newestMs: number | null;
  /** The record at which the consumer stands is no longer kept: what came after it may have expired, too. */
  mayHaveExpired: boolean;
}

export interface ShardCount {
  /** One for each position, in their order. */
  readonly tallies: readonly Readonly<Tally>[];
  /** Why there may be more than was counted; undefined: it is all. */
  readonly cut?: CountLimit;
}

/** What ended the count of a shard early. */
export type CountLimit = 'records' | 'bytes' | 'time';

export interface ShardBounds {
  readonly records: number;
  readonly bytes: number;
}

export interface ShardCounting {
  readonly stream: DrainStream;
  readonly shardId: string;
  readonly positions: readonly ShardPosition[];
  /** Records that arrive later are not waited for. */
  readonly untilMs: number;
  readonly bounds: ShardBounds;
  readonly limits: DrainLimits;
  /** When it is aborted, what was counted by then is the result. */
  readonly deadline: AbortSignal;
}

const emptyTally = (): Tally => ({
  ...{ records: 0, bytes: 0, probes: 0, damaged: 0, oldestMs: null, newestMs: null, mayHaveExpired: false },
});

/**
 * Reads a shard from where the slowest consumer stands to the tip, once for all whose place is a record and once for all others,
 * because nothing says which of the two is earlier.
 *
 * @throws DrainError when the shard cannot be read
 */
export async function countShard(counting: ShardCounting): Promise<ShardCount> {
  const tallies = counting.positions.map(emptyTally);
  const readers = counting.positions.map((position, n) => ({ position, tally: tallies[n] as Tally }));
  const byRecord = readers.filter(({ position }) => position.kind === 'record');
  const others = readers.filter(({ position }) => position.kind !== 'record' && position.kind !== 'finished');
  let cut: CountLimit | undefined;
  for (const group of [byRecord, others]) cut = (await pass(counting, group)) ?? cut;
  return { tallies, ...(cut !== undefined && { cut }) };
}

interface Reader {
  readonly position: ShardPosition;
  readonly tally: Tally;
}

async function pass(
  { stream, shardId, untilMs, bounds, limits, deadline }: ShardCounting,
  readers: readonly Reader[],
): Promise<CountLimit | undefined> {
  if (readers.length === 0) return undefined;
  const seen = { records: 0, bytes: 0 };
  const from = startOf(readers.map(({ position }) => position));
  let isFirst = true;
  try {
    for await (const page of readShard({
      ...{ stream, shardId, from, untilMs, stopAtTip: true, limits, signal: deadline },
    })) {
      if (isFirst) markExpired(readers, page[0]);
      isFirst = false;
      for (const record of page) {
        seen.records += count(record, readers);
        seen.bytes += record.data.byteLength;
      }
      if (seen.records >= bounds.records) return 'records';
      if (seen.bytes >= bounds.bytes) return 'bytes';
    }
  } catch (error) {
    if (deadline.aborted) return 'time';
    throw error;
  }
  if (isFirst) markExpired(readers, undefined);
  return undefined;
}

function startOf(positions: readonly ShardPosition[]): Position {
  const at = positions.flatMap((position) => (position.kind === 'record' ? position.sequenceNumber : []));
  if (at.length > 0) return { at: at.reduce((least, one) => (BigInt(one) < BigInt(least) ? one : least)) };
  if (positions.some(({ kind }) => kind === 'oldest')) return 'oldest';
  return {
    atMs: Math.min(...positions.flatMap((position) => (position.kind === 'time' ? position.atMs : []))),
  };
}

/** Reading began at the least of the records where consumers stand: if it is not the first that is read, it has expired. */
function markExpired(readers: readonly Reader[], first: SourceRecord | undefined): void {
  for (const { position, tally } of readers) {
    if (position.kind !== 'record') continue;
    tally.mayHaveExpired =
      first === undefined || BigInt(first.sequenceNumber) > BigInt(position.sequenceNumber);
  }
}

/** @returns how many records of users there were */
function count(source: SourceRecord, readers: readonly Reader[]): number {
  const inner = innerOf(source);
  for (const record of inner) {
    const isProbe = isProbeRecord(record);
    for (const { position, tally } of readers) {
      if (!isBehind(position, record)) continue;
      if (isProbe) {
        tally.probes++;
        continue;
      }
      tally.records++;
      tally.bytes += record.data.byteLength;
      if (record.damaged) tally.damaged++;
      tally.oldestMs = Math.min(record.arrivedAtMs, tally.oldestMs ?? record.arrivedAtMs);
      tally.newestMs = Math.max(record.arrivedAtMs, tally.newestMs ?? record.arrivedAtMs);
    }
  }
  return inner.length;
}

interface InnerRecord extends PlacedRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly damaged?: true;
}

function innerOf(source: SourceRecord): readonly InnerRecord[] {
  const own: InnerRecord = { ...source, subSequenceNumber: 0 };
  try {
    const inner = decodeAggregate(source.data);
    if (inner === undefined) return [own];
    const { sequenceNumber, arrivedAtMs } = source;
    return inner.map(({ partitionKey, data }, subSequenceNumber) => ({
      ...{ sequenceNumber, arrivedAtMs, subSequenceNumber, partitionKey, data },
    }));
  } catch (error) {
    if (error instanceof DamagedAggregateError) return [{ ...own, damaged: true }];
    throw error;
  }
}
