import type { Entry, EntryOwner, Receipt } from './entry.ts';
import type { RecordPlace, SpooledRecord } from './spool/spool.ts';

/** Called with the outcome of records that are both on the disk and in the sender. */
export interface SpooledFate {
  /** A stream has the record: it may leave the disk. */
  readonly delivered: (record: SpooledRecord) => void;
  /** Every region would refuse the record. */
  readonly refused: (record: SpooledRecord, error: unknown) => void;
}

export const placeOf = ({ position: { segment, offset }, bytesOnDisk }: SpooledRecord): RecordPlace => ({
  segment,
  start: offset - bytesOnDisk,
  end: offset,
});

/** Records that were read back from the disk. */
export class ReadBack implements EntryOwner {
  readonly acceptedAtMs: number;
  readonly #records: SpooledRecord[] = [];
  readonly #fate: SpooledFate;

  constructor(acceptedAtMs: number, fate: SpooledFate) {
    this.acceptedAtMs = acceptedAtMs;
    this.#fate = fate;
  }

  /** Adds a record and returns its index. */
  add(record: SpooledRecord): number {
    return this.#records.push(record) - 1;
  }

  settle(index: number): void {
    this.#fate.delivered(this.#records[index] as SpooledRecord);
  }

  fail(error: unknown, index: number): void {
    this.#fate.refused(this.#records[index] as SpooledRecord, error);
  }
}

/**
 * Records in memory that are being written to the disk while they stay on their way. Until they are durable,
 * their callers hear their outcome as before. After that the callers have their receipts from the disk, and
 * the outcome in the stream concerns the copy on disk.
 */
export class Adoption implements EntryOwner {
  readonly acceptedAtMs: number;
  readonly #entries: readonly Entry[];
  readonly #callers: readonly { readonly owner: EntryOwner; readonly index: number }[];
  /** Indexes of records whose outcome was known before they were durable. */
  readonly #ended = new Set<number>();
  readonly #fate: SpooledFate;
  #records: readonly SpooledRecord[] | undefined;

  constructor(
    entries: readonly Entry[],
    { nowMs, fate }: { readonly nowMs: number; readonly fate: SpooledFate },
  ) {
    this.acceptedAtMs = nowMs;
    this.#entries = entries;
    this.#fate = fate;
    this.#callers = entries.map(({ owner, index }) => ({ owner, index }));
    for (const [index, entry] of entries.entries()) {
      entry.owner = this;
      entry.index = index;
      setSpooled(entry, true);
    }
  }

  /** The records are durable. Returns those that are still on their way. */
  stored(places: readonly RecordPlace[]): readonly SpooledRecord[] {
    const records = this.#entries.map((entry, n) => recordAt(entry, places[n] as RecordPlace));
    this.#records = records;
    for (const [index, record] of records.entries()) {
      if (this.#ended.has(index)) this.#fate.delivered(record);
      else this.#tell(index, ({ owner, index: own }) => owner.settle(own, { spooled: true }));
    }
    return records.filter((_, index) => !this.#ended.has(index));
  }

  /**
   * The records could not be written, so everything is as before. Returns those that are still on their way.
   */
  failed(): readonly Entry[] {
    const left = this.#entries.filter((_, index) => !this.#ended.has(index));
    for (const entry of left) {
      const { owner, index } = this.#callers[entry.index] as { owner: EntryOwner; index: number };
      entry.owner = owner;
      entry.index = index;
      setSpooled(entry, false);
    }
    return left;
  }

  settle(index: number, receipt: Receipt): void {
    const record = this.#records?.[index];
    if (record !== undefined) {
      this.#fate.delivered(record);
      return;
    }
    this.#ended.add(index);
    this.#tell(index, ({ owner, index: own }) => owner.settle(own, receipt));
  }

  fail(error: unknown, index: number): void {
    const record = this.#records?.[index];
    if (record !== undefined) {
      this.#fate.refused(record, error);
      return;
    }
    this.#ended.add(index);
    this.#tell(index, ({ owner, index: own }) => owner.fail(error, own));
  }

  #tell(index: number, tell: (caller: { readonly owner: EntryOwner; readonly index: number }) => void): void {
    tell(this.#callers[index] as { readonly owner: EntryOwner; readonly index: number });
  }
}

function setSpooled(entry: Entry, isSpooled: boolean): void {
  entry.shard?.release(entry);
  entry.isSpooled = isSpooled;
  entry.shard?.hold(entry);
}

function recordAt(
  { partitionKey, explicitHashKey, data }: Entry,
  { segment, start, end }: RecordPlace,
): SpooledRecord {
  const position = { segment, offset: end, index: 0 };
  return { partitionKey, explicitHashKey, data, position, bytesOnDisk: end - start };
}
