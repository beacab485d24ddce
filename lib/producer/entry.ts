import type { HotShard } from './hot-shards.ts';
import type { OutgoingRecord } from './record.ts';
import type { SwapRemoveItem } from './swap-remove-list.ts';

/** Where a record is in a stream. */
export interface WrittenReceipt {
  readonly region: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly spooled?: false;
}

/**
 * A receipt, and not a literal: V8 allocates what a literal makes among old objects once most of it has survived, as it
 * does while the heap is still small, and then all that hangs on it stays until the next full collection (measured: a
 * third of what a producer allocates).
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

/** Where a record is. `spooled`: on the disk of this machine, durably, on its way to a stream. */
export type Receipt = WrittenReceipt | { readonly spooled: true };

/** Told what became of its entries. */
export interface EntryOwner {
  /** When its entries were put, by the monotonic clock. */
  readonly acceptedAtMs: number;
  settle(index: number, receipt: Receipt): void;
  fail(error: unknown, index: number): void;
}

/** One call of `put` or `putMany`: its promise is settled by the last receipt or the first failure, and it ends with its last record. */
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
    // The caller may await only the receipts' promise that is made from this one.
    this.promise.catch(() => {});
    if (records === 0) this.#resolve(this.receipts);
  }

  settle(index: number, receipt: Receipt): void {
    this.receipts[index] = receipt;
    this.#ended(1);
  }

  fail(error: unknown): void {
    this.failSome(1, error);
  }

  /** So many of its records fail at once. */
  failSome(records: number, error: unknown): void {
    if (records > 0) this.#reject(error);
    this.#ended(records);
  }

  /** For the end: whatever becomes of its records, nobody waits for it any more. */
  failAll(error: unknown): void {
    this.failSome(this.#remaining, error);
  }

  #ended(records: number): void {
    // A disk that comes to itself after the end may still tell what became of a record.
    if (this.#remaining <= 0) return;
    this.#remaining -= records;
    if (this.#remaining > 0) return;
    this.#resolve(this.receipts);
    this.#onEnd(this);
  }
}

/** One record on its way. A class, so that every entry has one hidden shape; and a small one, as there are many. */
export class Entry implements OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey: string | undefined;
  /** Bytes of its data when it was put. */
  readonly dataBytes: number;
  readonly size: number;
  /** Both change when the record is made durable on its way. */
  owner: EntryOwner;
  index: number;
  /**
   * When it was let into the sender, by the monotonic clock: what waits for room in the admission queue says nothing about a region.
   * Whole, as V8 keeps other numbers outside the object.
   */
  readonly sinceMs: number;
  /** Of `Lanes`: where its key is kept in order, and who follows it there. */
  lane = 0;
  next: Entry | undefined;
  lastError: unknown;
  /** When it was first sent to a region that has not answered for it since; 0: never. Whole monotonic milliseconds. */
  sentMs = 0;
  /** The disk has it, and it leaves the disk when a stream has taken it. */
  isSpooled: boolean;
  /** The shard that it waits for, where that is known to refuse. */
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

/** Whether it has as many bytes as when it was put: a buffer may have been detached or resized since. */
export function isWhole({ data, dataBytes }: Entry): boolean {
  try {
    return data.byteLength === dataBytes;
  } catch {
    return false;
  }
}
