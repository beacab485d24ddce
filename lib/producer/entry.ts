import type { OutgoingRecord } from './record.ts';

/** Where a record is. `spooled`: on the disk of this machine, durably, on its way to a stream. */
export type Receipt =
  | {
      readonly region: string;
      readonly shardId: string;
      readonly sequenceNumber: string;
      readonly spooled?: false;
    }
  | { readonly spooled: true };

/** One call of `put` or `putMany`: settled when the last of its records is. */
export class Ticket implements EntryOwner {
  readonly receipts: Receipt[];
  readonly promise: Promise<Receipt[]>;
  #remaining: number;
  #resolve!: (receipts: Receipt[]) => void;
  #reject!: (error: unknown) => void;

  constructor(records: number) {
    this.receipts = new Array<Receipt>(records);
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
    this.#remaining--;
    if (this.#remaining === 0) this.#resolve(this.receipts);
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

/** Told what became of an entry. */
export interface EntryOwner {
  settle(index: number, receipt: Receipt): void;
  fail(error: unknown, index: number): void;
}

/** One record on its way: a link in the queue of its key. A class, so that every entry has one hidden shape. */
export class Entry implements OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey: string | undefined;
  readonly size: number;
  readonly owner: EntryOwner;
  readonly index: number;
  /** When `put` was called, by the monotonic clock. */
  readonly acceptedAtMs: number;
  attempts = 0;
  lastError: unknown;
  /** The next record of the same key. */
  next: Entry | undefined;

  constructor(
    record: OutgoingRecord,
    fate: {
      readonly owner: EntryOwner;
      readonly index: number;
      readonly size: number;
      readonly acceptedAtMs: number;
    },
  ) {
    this.partitionKey = record.partitionKey;
    this.data = record.data;
    this.explicitHashKey = record.explicitHashKey;
    this.size = fate.size;
    this.owner = fate.owner;
    this.index = fate.index;
    this.acceptedAtMs = fate.acceptedAtMs;
  }
}
