import type { Entry, EntryOwner, Receipt } from './entry.ts';
import type { RecordPlace, SpooledRecord } from './spool/spool.ts';

/** What becomes of records that the disk has and the sender too. */
export interface SpooledFate {
  /** A stream has it: it may leave the disk. */
  readonly delivered: (record: SpooledRecord) => void;
  /** Every region would refuse it. */
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

  /** The record's index. */
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
 * Records in memory that are being written to the disk while they stay on their way. Until they are durable their
 * callers hear what becomes of them as ever; from then on the callers have their receipt from the disk, and what the
 * stream says concerns the copy there.
 */
export class Adoption implements EntryOwner {
  readonly acceptedAtMs: number;
  readonly #entries: readonly Entry[];
  readonly #callers: readonly { readonly owner: EntryOwner; readonly index: number }[];
  /** Of each whose fate was known before it was durable. */
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

  /** They are durable. Returns those that are still on their way. */
  stored(places: readonly RecordPlace[]): readonly SpooledRecord[] {
    const records = this.#entries.map((entry, n) => recordAt(entry, places[n] as RecordPlace));
    this.#records = records;
    for (const [index, record] of records.entries()) {
      if (this.#ended.has(index)) this.#fate.delivered(record);
      else this.#tell(index, ({ owner, index: own }) => owner.settle(own, { spooled: true }));
    }
    return records.filter((_, index) => !this.#ended.has(index));
  }

  /** They could not be written: everything is as it was. Returns those that are still on their way. */
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
