import type { HotShard } from './hot-shards.ts';
import type { OutgoingRecord } from './record.ts';
import type { SwapRemoveItem } from './swap-remove-list.ts';

/** Where a record is in a stream. */
export interface WrittenReceipt {
  readonly region: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** The index in an aggregate, whose records share a sequence number; undefined for a record of its own. */
  readonly subSequenceNumber?: number | undefined;
  readonly spooled?: false;
}

/**
 * A receipt. Not a literal: once most objects of a literal have survived, as they do while the heap is still
 * small, V8 allocates them among old objects, and everything they refer to stays until the next full
 * collection (measured: a third of what a producer allocates).
 */
export class Written implements WrittenReceipt {
  readonly region: string;
  readonly shardId: string;
  readonly sequenceNumber: string;

  constructor(place: WrittenReceipt) {
    this.region = place.region;
    this.shardId = place.shardId;
    this.sequenceNumber = place.sequenceNumber;
  }
}

/** A receipt for one record of an aggregate. A class of its own, so that other receipts stay as small as they are. */
export class WrittenWithin extends Written {
  readonly subSequenceNumber: number;

  constructor(place: WrittenReceipt, subSequenceNumber: number) {
    super(place);
    this.subSequenceNumber = subSequenceNumber;
  }
}

/** Where a record is. `spooled`: on the disk of this machine, durably, on its way to a stream. */
export type Receipt = WrittenReceipt | { readonly spooled: true };

/** The caller of a group of entries, told the outcome of each. */
export interface EntryOwner {
  /** When its entries were put, by the monotonic clock. */
  readonly acceptedAtMs: number;
  settle(index: number, receipt: Receipt): void;
  fail(error: unknown, index: number): void;
}

/**
 * One call of `put` or `putMany`: its promise settles with the last receipt or the first failure, and the
 * ticket ends with its last record.
 */
export class Ticket implements EntryOwner, SwapRemoveItem {
  readonly receipts: Receipt[];
  readonly promise: Promise<Receipt[]>;
  readonly acceptedAtMs: number;
  place = 0;
  readonly #onEnd: (ticket: Ticket) => void;
  #remaining: number;
  #resolve!: (receipts: Receipt[]) => void;
  #reject!: (error: unknown) => void;

  constructor(records: number, acceptedAtMs: number, onEnd: (ticket: Ticket) => void = () => {}) {
    this.#onEnd = onEnd;
    this.receipts = new Array<Receipt>(records);
    this.acceptedAtMs = acceptedAtMs;
    this.#remaining = records;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The caller may await only the promise of receipts, which is made from this one.
    this.promise.catch(() => {});
    if (records === 0) this.#resolve(this.receipts);
  }

  settle(index: number, receipt: Receipt): void {
    this.receipts[index] = receipt;
    this.ended(1);
  }

  fail(error: unknown, _index: number): void {
    this.failSome(1, error);
  }

  /** This many of its records fail together: those from `from` on whose outcome is open. */
  failSome(records: number, error: unknown, _from = 0): void {
    if (records > 0) this.#reject(error);
    this.ended(records);
  }

  /** Fails the call whatever happens to its records, so that nobody waits for it any more. For `close`. */
  failAll(error: unknown): void {
    this.failSome(this.#remaining, error);
  }

  protected ended(records: number): void {
    // A disk that recovers after the end may still report the outcome of a record.
    if (this.#remaining <= 0) return;
    this.#remaining -= records;
    if (this.#remaining > 0) return;
    this.#resolve(this.receipts);
    this.#onEnd(this);
  }
}

/** What became of a record: its receipt, or why it failed. */
export type PutOutcome = Receipt | Error;

/** One call of `putEach`: its promise never rejects, and gives the outcome of each record. */
export class EachTicket extends Ticket {
  readonly #outcomes = this.receipts as PutOutcome[];
  /** Lanes of which a record was refused: later records of the call must not overtake it. */
  readonly refusedLanes = new Set<number>();

  get outcomes(): Promise<readonly PutOutcome[]> {
    return this.promise;
  }

  override fail(error: unknown, index: number): void {
    this.#outcomes[index] = asError(error);
    this.ended(1);
  }

  override failSome(records: number, error: unknown, from = 0): void {
    if (records <= 0) return;
    const failure = asError(error);
    for (let index = from; index < this.#outcomes.length; index++) this.#outcomes[index] ??= failure;
    this.ended(records);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** One record on its way. A class, so that every entry has one hidden shape; and a small one, as there are many. */
export class Entry implements OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey: string | undefined;
  /** Bytes of its data when it was put. */
  readonly dataBytes: number;
  readonly size: number;
  /** `owner` and `index` change when the record is made durable while in memory. */
  owner: EntryOwner;
  index: number;
  /**
   * When the record was let into the sender, by the monotonic clock: time spent in the admission queue says
   * nothing about a region. An integer, as V8 keeps other numbers outside the object.
   */
  readonly sinceMs: number;
  /** For `Lanes`: the lane that keeps its key in order, and the entry that follows in it. */
  lane = 0;
  next: Entry | undefined;
  /** In an aggregate, while it leads its lane there: how many entries of the lane are in the aggregate, itself included. */
  run = 1;
  lastError: unknown;
  /**
   * When the record was first sent to a region that has not answered for it since; 0: never. Integer
   * monotonic milliseconds.
   */
  sentMs = 0;
  /** When the record last counted as failed in what beacons report; 0: never. Integer monotonic milliseconds. */
  countedMs = 0;
  /** The record is on the disk, and is removed from there when a stream has taken it. */
  isSpooled: boolean;
  /** The shard that the record waits for, where that shard is known to refuse. */
  shard: HotShard | undefined;

  constructor(
    record: OutgoingRecord,
    fate: {
      readonly owner: EntryOwner;
      readonly index: number;
      readonly size: number;
      /** Default: when it was put. */
      readonly sinceMs?: number;
      readonly isSpooled?: boolean;
      readonly shard?: HotShard | undefined;
    },
  ) {
    this.partitionKey = record.partitionKey;
    this.data = record.data;
    this.explicitHashKey = record.explicitHashKey;
    this.dataBytes = record.data.byteLength;
    this.size = fate.size;
    this.owner = fate.owner;
    this.index = fate.index;
    this.sinceMs = Math.floor(fate.sinceMs ?? fate.owner.acceptedAtMs);
    this.isSpooled = fate.isSpooled ?? false;
    this.shard = fate.shard;
  }
}

/**
 * Whether the data has as many bytes as when it was put: a buffer may have been detached or resized since.
 */
export function isWhole({ data, dataBytes }: Entry): boolean {
  try {
    return data.byteLength === dataBytes;
  } catch {
    return false;
  }
}
