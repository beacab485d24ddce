import { ConsumerConfigError } from './errors.ts';
import { LateRecords } from './late-records.ts';
import { NumberRanges } from './number-ranges.ts';
import type { OrderedRecord } from './order-checker.ts';

/** What a record is, beside all that were read of its key in every region. docs/order.md has the cases. */
export type MoveVerdict =
  /** It carries no number, because a drain wrapped it: nothing can be said. */
  | { readonly kind: 'unnumbered' }
  /** Nothing is known of this key of this producer, or its numbers restart here. */
  | { readonly kind: 'first' }
  /** The expected record. */
  | { readonly kind: 'next' }
  /** The record was read before, in this region or another. */
  | { readonly kind: 'copy' }
  /** A later record was read in another region: the producer has moved. */
  | { readonly kind: 'elsewhere' }
  /** So many records before this one were not read yet in any region; undefined at the beginning of an epoch. */
  | { readonly kind: 'ahead'; readonly missing: number | undefined }
  /** A later record was read in this region, and this one in none: a copy of one in another region, or out of order. */
  | { readonly kind: 'late' }
  /** Older than everything that is remembered of the key. */
  | { readonly kind: 'before' };

export interface MovedRecord extends OrderedRecord {
  readonly region: string;
  readonly arrivedAtMs?: number | undefined;
}

interface OfKey {
  readonly producerId: string;
  readonly partitionKey: string;
  readonly epoch: number;
  /** When the record that showed it arrived, about. */
  readonly arrivedAtMs: number;
}

/** What no move explains. */
export type WrongOrder =
  /** No region has the numbers; where an epoch begins with them, there may be fewer. */
  | (OfKey & { readonly kind: 'missing'; readonly from: number; readonly to: number })
  /** A later record is before these in the stream of the region, and no other region has them. */
  | (OfKey & {
      readonly kind: 'reordered';
      readonly from: number;
      readonly to: number;
      readonly region: string;
    });

export interface MoveOrderCheckerOptions {
  /** Keys of producers that are remembered; those used last. Default 100,000. */
  readonly maxKeys?: number;
  /** By how much arrival times of two regions may differ, in milliseconds. Default 10,000. */
  readonly clockSkewMs?: number;
}

interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

interface KeyState {
  readonly producerId: string;
  readonly partitionKey: string;
  /** From the earliest; at most MAX_EPOCHS, never none. */
  readonly epochs: NumberRanges[];
  /** The furthest record read in each region. */
  readonly furthest: Map<string, Place>;
  readonly late: LateRecords;
}

const DEFAULT_MAX_KEYS = 100_000;
const DEFAULT_CLOCK_SKEW_MS = 10_000;
/** Without arrival times, only `settle()` without a time decides. */
const UNKNOWN_MS = Number.POSITIVE_INFINITY;
const MAX_EPOCHS = 4;

/**
 * The order of keys over the streams of all regions: tells what a move of the producer explains from what is wrong. Give it the
 * records of every region, each region's in the order of its stream, the regions in any; all read from about the same time on. What it
 * cannot tell yet stays open until `settle`.
 *
 * It does not see the loss of the last records of an epoch or of a producer, as no number comes after them, and takes a number of which `put`
 * was rejected for missing: the application was told of that one. It counts on a producer that keeps the order, and on requests that are
 * carried out before their producer has moved away and come back, which takes minutes.
 */
export class MoveOrderChecker {
  readonly #maxKeys: number;
  readonly #clockSkewMs: number;
  /** Used last at the end. */
  readonly #keys = new Map<string, KeyState>();
  #forgotten = 0;

  /** @throws ConsumerConfigError */
  constructor({
    maxKeys = DEFAULT_MAX_KEYS,
    clockSkewMs = DEFAULT_CLOCK_SKEW_MS,
  }: MoveOrderCheckerOptions = {}) {
    if (!Number.isInteger(maxKeys) || maxKeys < 1)
      throw new ConsumerConfigError(`\`maxKeys\` is ${maxKeys}; write a whole number from 1.`);
    if (!(clockSkewMs >= 0))
      throw new ConsumerConfigError(`\`clockSkewMs\` is ${clockSkewMs}; write milliseconds from 0.`);
    this.#maxKeys = maxKeys;
    this.#clockSkewMs = clockSkewMs;
  }

  /** Keys in memory: at most `maxKeys`. */
  get size(): number {
    return this.#keys.size;
  }

  /** What was open and had to be forgotten to bound the memory: of this much, nobody knows whether it was wrong. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** @throws ConsumerConfigError for a record without region */
  check(record: MovedRecord): MoveVerdict {
    const { sequence, region, arrivedAtMs = UNKNOWN_MS } = record;
    if (typeof region !== 'string' || region === '')
      throw new ConsumerConfigError('The record has no `region`: say from which region it was read.');
    if (sequence === 0) return { kind: 'unnumbered' };
    const state = this.#stateOf(record);
    const furthest = state.furthest.get(region);
    if (furthest === undefined || comesAfter(record, furthest)) state.furthest.set(region, place(record));
    const known = state.epochs.find(({ epoch }) => epoch === record.epoch);
    const late = { region, epoch: record.epoch, sequence, atMs: arrivedAtMs };
    if (known?.has(sequence)) {
      this.#forgotten += state.late.explain(late, this.#clockSkewMs);
      return { kind: 'copy' };
    }
    const isLate = furthest !== undefined && comesAfter(furthest, record);
    if (isTooOld(state, record, isLate)) return { kind: 'before' };
    const isFurthest = state.epochs.length === 0 || comesAfter(record, highest(state));
    const isNew = state.epochs.length === 0;
    const seen = this.#add(state, record);
    if (isLate) {
      this.#forgotten += state.late.add(late);
      return { kind: 'late' };
    }
    if (isNew || record.first) return { kind: 'first' };
    if (!isFurthest) return { kind: 'elsewhere' };
    const isAfterAnother = state.epochs[0] !== seen;
    const hole = seen.holeBelow(sequence, isAfterAnother);
    if (hole === undefined) return { kind: 'next' };
    return {
      kind: 'ahead',
      missing: hole.from === 1 && isAfterAnother ? undefined : hole.to - hole.from + 1,
    };
  }

  /**
   * What is wrong for certain, and no longer open. Call it when every region was read to `readToMs` by arrival times, or without it
   * when nothing more will come.
   */
  settle({
    readToMs = Number.POSITIVE_INFINITY,
  }: {
    readonly readToMs?: number;
  } = {}): readonly WrongOrder[] {
    const untilMs = readToMs - this.#clockSkewMs;
    const wrong: WrongOrder[] = [];
    for (const state of this.#keys.values()) {
      const { producerId, partitionKey, epochs, late } = state;
      for (const [at, ranges] of epochs.entries())
        for (const { from, to, atMs } of ranges.close(untilMs, at > 0))
          wrong.push({
            ...{ kind: 'missing', producerId, partitionKey, epoch: ranges.epoch },
            ...{ arrivedAtMs: atMs, from, to },
          });
      for (const { epoch, from, to, region, atMs } of late.take(untilMs))
        wrong.push({
          ...{ kind: 'reordered', producerId, partitionKey, epoch },
          ...{ arrivedAtMs: atMs, from, to, region },
        });
    }
    return wrong;
  }

  #stateOf({ producerId, partitionKey }: MovedRecord): KeyState {
    const key = `${producerId} ${partitionKey}`;
    const known = this.#keys.get(key);
    if (known !== undefined) this.#keys.delete(key);
    const state = known ?? {
      producerId,
      partitionKey,
      epochs: [],
      furthest: new Map(),
      late: new LateRecords(),
    };
    this.#keys.set(key, state);
    if (this.#keys.size > this.#maxKeys) {
      const [[oldest, gone]] = this.#keys as unknown as [[string, KeyState]];
      this.#keys.delete(oldest);
      this.#forgotten += gone.late.count;
      for (const [at, ranges] of gone.epochs.entries()) this.#forgotten += ranges.holes(at > 0).length;
    }
    return state;
  }

  #add(state: KeyState, { epoch, sequence, first, arrivedAtMs = UNKNOWN_MS }: MovedRecord): NumberRanges {
    const { epochs } = state;
    const at = epochs.findIndex((one) => one.epoch >= epoch);
    const found = epochs[at];
    const ranges = found?.epoch === epoch ? found : new NumberRanges(epoch);
    if (ranges !== found) epochs.splice(at === -1 ? epochs.length : at, 0, ranges);
    this.#forgotten += ranges.add({ sequence, first, atMs: arrivedAtMs });
    if (epochs.length > MAX_EPOCHS) this.#forgotten += epochs.shift()?.holes(false).length ?? 0;
    return ranges;
  }
}

const place = ({ epoch, sequence }: Place): Place => ({ epoch, sequence });

const comesAfter = (one: Place, other: Place): boolean =>
  one.epoch === other.epoch ? one.sequence > other.sequence : one.epoch > other.epoch;

function highest({ epochs }: KeyState): Place {
  const last = epochs.at(-1);
  return { epoch: last?.epoch ?? 0, sequence: last?.highest ?? 0 };
}

/** Nothing tells whether it was read before. */
function isTooOld({ epochs }: KeyState, record: Place, isLate: boolean): boolean {
  const [oldest] = epochs;
  if (oldest === undefined) return false;
  if (epochs.length === MAX_EPOCHS && record.epoch < oldest.epoch) return true;
  return isLate && comesAfter({ epoch: oldest.epoch, sequence: oldest.lowest }, record);
}
