import type { AggregateEncoder } from '../../aggregate/encoder.ts';
import { type Entry, isWhole } from '../entry.ts';
import type { OutgoingRecord } from '../record.ts';
import type { BodyBuffers } from '../wire/body-buffers.ts';
import { ReusedList } from './reused-list.ts';
import type { ShardMap } from './shard-map.ts';

/** What an aggregate is opened for. */
export interface AggregateKind {
  /** What its records have in common: a shard, or a key. */
  readonly group: string | number;
  /** The shard that its records belong to by the shard map; undefined where they share a key instead. */
  readonly shardId: string | undefined;
  readonly map: ShardMap | undefined;
  /** Given to records that have no explicit hash key of their own, so that they share one. */
  readonly hashKey: string | undefined;
  /** When it is to be sent at the latest, by the monotonic clock. */
  readonly dueMs: number;
}

const unopened: AggregateKind = {
  group: '',
  shardId: undefined,
  map: undefined,
  hashKey: undefined,
  dueMs: 0,
};

/**
 * Kinesis bills a record by units of 25 KB, and says that a record of 1 MB has 40 of them (Kinesis pricing, "PUT Payload Unit"): a
 * kilobyte of 1,000 bytes, then, and where one of 1,024 is meant, nothing is lost but two bytes in a hundred.
 */
export const PAYLOAD_UNIT_BYTES = 25_000;

/**
 * One Kinesis record that is being filled, waits, or is on its way; with a single entry it is that entry's record. Used again and
 * again: an aggregate that lives on among old objects would keep its entries from the garbage collector (measured: 100 MB).
 */
export class Aggregate {
  /** What it is open for; set by `begin`. */
  kind: AggregateKind = unopened;
  /** Its records, in their order. */
  readonly entries = new ReusedList<Entry>();
  /** Those that lead their lanes; the `run` of each says how many entries of its lane are here. */
  readonly heads = new ReusedList<Entry>();
  /** Tells it from all others that were begun; never 0. */
  number = 0;
  /** Counts the streams that were written to; aggregates for different ones have different numbers. */
  epoch = 0;
  /** What `OpenAggregates` counted for it. */
  countedBytes = 0;
  /** `open`: records of all lanes may join; `closed`: only those of its one lane; `sealed`: none. */
  state: 'open' | 'closed' | 'sealed' = 'open';
  /** Waits for a shard map that tells whether it is where it has to be. */
  isHeld = false;
  readonly #encoder: AggregateEncoder;
  /** Bytes of its first key, which is the key of the Kinesis record. */
  #keyBytes = 0;
  #buffer: Buffer | undefined;

  constructor(encoder: AggregateEncoder) {
    this.#encoder = encoder;
  }

  /** Call when it is empty. */
  begin(first: Entry, { kind, number }: { readonly kind: AggregateKind; readonly number: number }): void {
    this.kind = kind;
    this.number = number;
    this.state = 'open';
    this.#keyBytes = Buffer.byteLength(first.partitionKey);
  }

  /** Lets go of everything. */
  clear(): void {
    this.kind = unopened;
    this.isHeld = false;
    this.heads.clear();
    this.entries.clear();
    this.#encoder.clear();
    this.#buffer = undefined;
  }

  /** Bytes of the Kinesis record, its key included. */
  get bytes(): number {
    return this.#encoder.bytes + this.#keyBytes;
  }

  /** The most bytes that the Kinesis record may have from now on. */
  limit(mostBytes: number): void {
    this.#encoder.maxBytes = mostBytes - this.#keyBytes;
  }

  /**
   * Adds the entry if there is room for it. `index` is where its key is here, undefined for a key that is new or whose place nobody
   * remembers.
   */
  add(entry: Entry, index: number | undefined): boolean {
    const { hashKey } = this.kind;
    const { partitionKey, data } = entry;
    const record =
      hashKey === undefined || entry.explicitHashKey !== undefined
        ? entry
        : { partitionKey, data, explicitHashKey: hashKey };
    if (!this.#encoder.addAt(record, index)) return false;
    this.entries.push(entry);
    return true;
  }

  /** Where this key is. */
  find(partitionKey: string): number | undefined {
    return this.#encoder.find(partitionKey);
  }

  /** Where the key of the entry that came last is. */
  get lastKeyIndex(): number {
    return this.#encoder.lastKeyIndex;
  }

  /** Holds this one entry, which is sent as it is. */
  hold(entry: Entry): void {
    this.entries.push(entry);
  }

  /** This entry, which was added, leads its lane. */
  lead(entry: Entry): void {
    entry.run = 1;
    this.heads.push(entry);
  }

  /** The head of this lane, if it is here. */
  headIn(lane: number): Entry | undefined {
    for (let n = this.heads.length - 1; n >= 0; n--) {
      const head = this.heads.at(n);
      if (head.lane === lane) return head;
    }
    return undefined;
  }

  /**
   * Leaves out what does not fill another unit of those that are paid. For an aggregate of one lane: what is left out is the
   * first that the lane sends next.
   */
  trim(): void {
    if (this.heads.length === 0) return;
    const head = this.heads.at(0);
    const wanted = Math.floor(this.bytes / PAYLOAD_UNIT_BYTES) * PAYLOAD_UNIT_BYTES;
    while (this.entries.length > 1 && this.bytes > wanted) {
      this.#encoder.removeLast();
      this.entries.pop();
      head.run--;
    }
  }

  /** Whether no entry lost its bytes while it waited. */
  get isWhole(): boolean {
    for (let n = 0; n < this.entries.length; n++) if (!isWhole(this.entries.at(n))) return false;
    return true;
  }

  /** The Kinesis record. */
  encode(buffers: BodyBuffers): OutgoingRecord {
    const first = this.entries.at(0);
    if (this.entries.length === 1) {
      this.#encoder.clear();
      return first;
    }
    this.#buffer = buffers.take(this.#encoder.bytes);
    const data = this.#encoder.finish(this.#buffer);
    const { partitionKey, explicitHashKey = this.kind.hashKey } = first;
    return { partitionKey, data, explicitHashKey };
  }

  /** Gives back what `encode` took. Call when no request reads it any more. */
  release(buffers: BodyBuffers): void {
    if (this.#buffer !== undefined) buffers.give(this.#buffer);
    this.#buffer = undefined;
  }
}
