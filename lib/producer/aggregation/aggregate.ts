import type { AggregateEncoder } from '../../aggregate/encoder.ts';
import { type Entry, isWhole } from '../entry.ts';
import type { OutgoingRecord } from '../record.ts';
import type { BodyBuffers } from '../wire/body-buffers.ts';
import type { ShardMap } from './shard-map.ts';

/** Entries of one lane that travel together: its head, and those right behind it. */
export class Run {
  readonly aggregate: Aggregate;
  readonly head: Entry;
  length = 1;

  constructor(aggregate: Aggregate, head: Entry) {
    this.aggregate = aggregate;
    this.head = head;
  }
}

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
  readonly runs: Run[] = [];
  readonly entries: Entry[] = [];
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
  begin(first: Entry, kind: AggregateKind): void {
    this.kind = kind;
    this.state = 'open';
    this.#keyBytes = Buffer.byteLength(first.partitionKey);
  }

  /** Lets go of everything. */
  clear(): void {
    this.kind = unopened;
    this.isHeld = false;
    this.runs.length = 0;
    this.entries.length = 0;
    this.#encoder.clear();
    this.#buffer = undefined;
  }

  /** Bytes of the Kinesis record, its key included. */
  get bytes(): number {
    return this.#encoder.bytes + this.#keyBytes;
  }

  /** Adds the entry if the Kinesis record then has at most so many bytes. */
  add(entry: Entry, mostBytes: number): boolean {
    const { hashKey } = this.kind;
    const { partitionKey, data } = entry;
    const record =
      hashKey === undefined || entry.explicitHashKey !== undefined
        ? entry
        : { partitionKey, data, explicitHashKey: hashKey };
    if (!this.#encoder.addChecked(record, mostBytes - this.#keyBytes)) return false;
    this.entries.push(entry);
    return true;
  }

  /** Holds this one entry, which is sent as it is. */
  hold(entry: Entry): void {
    this.entries.push(entry);
  }

  /**
   * Leaves out what does not fill another unit of those that are paid. For an aggregate of one lane: what is left out is the
   * first that the lane sends next.
   */
  trim(): void {
    const [run] = this.runs;
    if (run === undefined) return;
    const wanted = Math.floor(this.bytes / PAYLOAD_UNIT_BYTES) * PAYLOAD_UNIT_BYTES;
    while (this.entries.length > 1 && this.bytes > wanted) {
      this.#encoder.removeLast();
      this.entries.pop();
      run.length--;
    }
  }

  /** Whether no entry lost its bytes while it waited. */
  get isWhole(): boolean {
    return this.entries.every(isWhole);
  }

  /** The Kinesis record. */
  encode(buffers: BodyBuffers): OutgoingRecord {
    const [first] = this.entries as [Entry];
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
