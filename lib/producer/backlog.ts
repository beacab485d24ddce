import { Entry } from './entry.ts';
import type { KeysOnDisk } from './keys-on-disk.ts';
import { hasShare, SHORT_QUEUE } from './memory-share.ts';
import { sizeOf } from './record.ts';
import type { Newcomer, Sender } from './sender.ts';
import { type Skip, Skips } from './skips.ts';
import { comparePositions, type SpoolPosition } from './spool/position.ts';
import type { RecordPlace, Spool, SpooledRecord } from './spool/spool.ts';
import { placeOf, ReadBack } from './spooled-records.ts';

export interface BacklogOptions {
  readonly spool: Spool;
  readonly sender: Sender;
  readonly keys: KeysOnDisk;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /**
   * Most records in memory that come from the disk; records that are made durable while in memory are not
   * counted.
   */
  readonly maxRecords: number;
  readonly onProblem: (problem: unknown) => void;
  /** Nothing durable is on the disk or being read from it. May be called repeatedly. */
  readonly onEmpty: () => void;
  /** Records were removed from the disk for good. */
  readonly onReleased: () => void;
}

/** Bytes in memory that come from the disk, at most. */
const MAX_BYTES = 8 * 1024 * 1024;
/** With less room than this a read is not worth it, while any record is on its way. */
const LEAST_ROOM = 100;
/** Bytes read in one step, before other work gets its turn. */
const STEP_BYTES = 4 * 1024 * 1024;
/** Records that one pass over skipped records covers at most. */
const PASS_RECORDS = 500;
const PASS_STEPS = 8;
/** A pass that takes fewer records is not followed by another one immediately. */
const WORTHWHILE_RECORDS = 100;
/**
 * An acknowledged record that waits this long for the cursor, because of an older record, is written to the
 * journal.
 */
const JOURNAL_AFTER_MS = 50;
const SETTLE_AGAIN_MS = 25;
const RETRY_MS = 1_000;
/** Interval between checks while keys or shards are waited for, since no event announces their room. */
const LOOK_AGAIN_MS = 50;
const IDLE_MS = 1_000;
/**
 * Pause before a refused record that could not be kept aside is offered again. It was acknowledged, so it
 * must not be dropped.
 */
const REFUSED_RETRY_MS = 30_000;
/** With more refusals than this and no delivery in between, the records are not the cause. */
const MAX_REFUSED_IN_A_ROW = 10;

/** In segments of less than 256 MiB, each place has a number of its own. */
const numberOf = ({ segment, start }: RecordPlace): number => segment * 2 ** 28 + start;

interface Delivered {
  readonly place: RecordPlace;
  readonly partitionKey: string;
  readonly lane: number;
  readonly atMs: number;
}

/**
 * Reads records back from the disk in the order of the log, hands them to the sender beside the live traffic,
 * and releases those that a stream has taken. A key that has enough in memory, or a hot shard, does not block
 * the records behind it in the log: the backlog reads past its records and returns to them when it has room.
 * Each key keeps the order of the log.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #skips: Skips;
  /** Every record before this place was read or skipped. */
  #frontier: SpoolPosition;
  /** Records that are in the sender, by their place. */
  readonly #taken = new Set<number>();
  #records = 0;
  #bytes = 0;
  /**
   * The sender took records that it was not yet told to send. A count would not show this: others are
   * delivered during a read.
   */
  #hasTaken = false;
  #delivered: Delivered[] = [];
  #revisitAtMs = 0;
  #settling: Promise<void> | undefined;
  #settleAgain: NodeJS.Timeout | undefined;
  #refusedInARow = 0;
  #deliveredAtRefusal = 0;
  #closed = false;
  #isWoken = false;
  #wake: (() => void) | undefined;
  readonly #reading: Promise<void>;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#skips = new Skips(options.sender.lanes);
    this.#frontier = options.spool.oldest;
    this.#reading = this.#read();
  }

  /** Records that are both on the disk and in the sender. */
  get records(): number {
    return this.#records;
  }

  /** Call when there may be something to read, or room for it. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** These records are in the sender, and now on the disk as well. */
  adopted(records: readonly SpooledRecord[]): void {
    for (const record of records) {
      this.#taken.add(numberOf(placeOf(record)));
      this.#records++;
      this.#bytes += sizeOf(record);
    }
  }

  /** A stream has this record. `adopted` may or may not have been told of the record before. */
  readonly delivered = (record: SpooledRecord): void => {
    const place = placeOf(record);
    if (this.#taken.has(numberOf(place))) {
      this.#records--;
      this.#bytes -= sizeOf(record);
    } else this.#taken.add(numberOf(place));
    const { partitionKey } = record;
    const lane = this.#options.sender.laneOf(partitionKey);
    this.#delivered.push({ place, partitionKey, lane, atMs: this.#options.now() });
    if (!this.#closed) this.#settleSoon();
  };

  readonly refused = (record: SpooledRecord, error: unknown): void => {
    // Records left when the producer closes stay on the disk.
    if (this.#closed) return;
    this.#setAside(record, error).then(
      () => this.delivered(record),
      (problem: unknown) => this.#offerLater(record, problem),
    );
  };

  /** Stops reading, and makes acknowledgements durable. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#settleAgain);
    this.wake();
    await this.#reading;
    await this.#settling;
    await this.#settleSome({ beyondCursor: true }).catch(() => {});
  }

  async #read(): Promise<void> {
    // Start after the constructor has ended.
    await undefined;
    while (!this.#closed) {
      this.#isWoken = false;
      try {
        if (!(await this.#step())) await this.#pause(this.#skips.size > 0 ? LOOK_AGAIN_MS : IDLE_MS);
      } catch (problem) {
        if (this.#closed) return;
        this.#options.onProblem(problem);
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #pause(timeoutMs: number): Promise<void> {
    if (this.#closed || this.#isWoken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Reads once; false when there is nothing to do now. */
  async #step(): Promise<boolean> {
    const { maxRecords } = this.#options;
    const room = maxRecords - this.#records;
    if (this.#records > 0 && (room < Math.min(LEAST_ROOM, maxRecords / 4) || this.#bytes >= MAX_BYTES / 2))
      return false;
    const { sender, spool } = this.#options;
    const isAhead = comparePositions(spool.oldest, this.#frontier) > 0;
    if (isAhead) this.#frontier = spool.oldest;
    const isTime = this.#options.now() >= this.#revisitAtMs;
    const from = isTime ? this.#skips.earliest((skip) => this.#hasRoomAgain(skip)) : undefined;
    const isUnfinished = from !== undefined && (await this.#revisit(from));
    const mayAdvance = !spool.isAtEnd(this.#frontier) && this.#skips.hasSlot;
    const frontier = this.#frontier;
    if (mayAdvance) await this.#advance();
    if (this.#hasTaken) sender.pump();
    this.#hasTaken = false;
    if (this.#records === 0 && this.#delivered.length === 0 && spool.stats().records === 0)
      this.#options.onEmpty();
    return isUnfinished || comparePositions(frontier, this.#frontier) !== 0;
  }

  /** Reads on from the frontier. */
  async #advance(): Promise<void> {
    const { spool, maxRecords } = this.#options;
    const limit = { records: Math.max(maxRecords - this.#records, 1), bytes: STEP_BYTES };
    const { records, next } = await spool.readFrom(this.#frontier, limit);
    const owner = this.#newOwner();
    for (const record of records) {
      const lane = this.#options.sender.laneOf(record.partitionKey);
      if (!this.#isTaken(record) && !this.#takeOrSkip(record, { lane, owner })) {
        this.#frontier = startOf(record);
        return;
      }
      this.#frontier = record.position;
    }
    if (comparePositions(next, this.#frontier) > 0) this.#frontier = next;
  }

  /**
   * False when the record must be looked at again: there is no room for any record, or none to remember
   * another skip.
   */
  #takeOrSkip(record: SpooledRecord, { lane, owner }: Offer): boolean {
    if (this.#skips.has(lane)) {
      this.#skips.addTo(lane);
      return true;
    }
    if (this.#isFull()) return false;
    const newcomer = this.#newcomer(record, lane);
    if (this.#refusalOf(newcomer) === undefined) {
      this.#take(record, { ...newcomer, owner });
      return true;
    }
    return this.#skips.begin({ lane, shard: newcomer.shard, at: startOf(record) });
  }

  /**
   * Reads skipped records from this place on. True when there is room for more and only the pass was full.
   */
  async #revisit(from: SpoolPosition): Promise<boolean> {
    const { spool, sender } = this.#options;
    const pass = this.#skips.pass(from);
    let taken = 0;
    let at = from;
    for (let step = 0; step < PASS_STEPS && pass.isOpen; step++) {
      const { records, next } = await spool.readFrom(at, { records: PASS_RECORDS, bytes: STEP_BYTES });
      const owner = this.#newOwner();
      for (const record of records) {
        if (comparePositions(record.position, this.#frontier) > 0 || !pass.isOpen) break;
        at = record.position;
        const lane = sender.laneOf(record.partitionKey);
        if (!pass.covers(lane) || this.#isTaken(record)) continue;
        if (pass.isRefused(lane)) continue;
        const newcomer = this.#newcomer(record, lane);
        const by = this.#isFull() ? 'shard' : this.#refusalOf(newcomer);
        if (by === undefined) {
          this.#take(record, { ...newcomer, owner });
          pass.took(lane);
          taken++;
        } else pass.refuse(lane, { at: startOf(record), by });
      }
      if (comparePositions(next, this.#frontier) >= 0) {
        if (pass.isOpen) at = this.#frontier;
        pass.end(at);
        if (taken < WORTHWHILE_RECORDS) this.#revisitAtMs = this.#options.now() + LOOK_AGAIN_MS;
        return false;
      }
      if (records.length === 0) at = next;
    }
    pass.end(at);
    // Repeat without a pause only while it is useful: all that is left may be records that were refused for
    // their key.
    const isWorthwhile = taken >= WORTHWHILE_RECORDS;
    if (!isWorthwhile) this.#revisitAtMs = this.#options.now() + LOOK_AGAIN_MS;
    return isWorthwhile && pass.isOpen && !this.#isFull();
  }

  /** The record is in the sender, or was delivered while it was being read. */
  #isTaken(record: SpooledRecord): boolean {
    const place = placeOf(record);
    return this.#taken.has(numberOf(place)) || this.#options.spool.isAcknowledged(place);
  }

  #newOwner(): ReadBack {
    return new ReadBack(this.#options.now(), this);
  }

  #isFull(): boolean {
    return this.#records >= this.#options.maxRecords || this.#bytes >= MAX_BYTES;
  }

  #newcomer(record: SpooledRecord, lane: number): Newcomer {
    const shard = this.#options.sender.hotShardOf(record.partitionKey, record.explicitHashKey);
    return { partitionKey: record.partitionKey, lane, shard, bytes: sizeOf(record) };
  }

  /** What the record has to wait for: fewer records of its key in memory, or its shard. */
  #refusalOf({ lane, shard, bytes }: Newcomer): 'key' | 'shard' | undefined {
    const { sender, now } = this.#options;
    if (!this.#hasShare(sender.waitingIn(lane), bytes)) return 'key';
    if (shard === undefined || (this.#hasShare(shard.spooled, bytes) && shard.takeToken(now())))
      return undefined;
    return 'shard';
  }

  #hasShare(records: number, nextBytes: number): boolean {
    const { maxRecords } = this.#options;
    const window = { records: this.#records, bytes: this.#bytes, maxRecords, maxBytes: MAX_BYTES };
    return hasShare(window, { records, nextBytes });
  }

  /** Whether the skip is worth a pass: half of what its key or shard may hold has gone. */
  #hasRoomAgain({ lane, shard }: Skip): boolean {
    if (shard !== undefined)
      return shard.hasToken(this.#options.now()) && this.#hasShare(2 * shard.spooled, 0);
    const waiting = this.#options.sender.waitingIn(lane);
    return waiting < SHORT_QUEUE / 2 || this.#hasShare(2 * waiting, 0);
  }

  #take(record: SpooledRecord, { lane, shard, bytes, owner }: Newcomer & { readonly owner: ReadBack }): void {
    this.#hasTaken = true;
    this.#taken.add(numberOf(placeOf(record)));
    this.#options.keys.read({ partitionKey: record.partitionKey, lane });
    this.#records++;
    this.#bytes += bytes;
    const fate = { owner, index: owner.add(record), size: bytes, isSpooled: true, shard };
    this.#options.sender.add(new Entry(record, fate));
  }

  #settleSoon(): void {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
  }

  async #settle(): Promise<void> {
    // Collect all acknowledgements of one answer.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (!this.#closed && this.#delivered.length > 0) {
      const before = this.#delivered.length;
      try {
        const oldestMs = this.#delivered[0]?.atMs ?? 0;
        await this.#settleSome({ beyondCursor: this.#options.now() - oldestMs > JOURNAL_AFTER_MS });
      } catch (problem) {
        if (!this.#closed) this.#options.onProblem(problem);
        this.#laterAgain(RETRY_MS);
        return;
      }
      if (this.#delivered.length >= before) {
        this.#laterAgain(SETTLE_AGAIN_MS);
        return;
      }
    }
  }

  #laterAgain(afterMs: number): void {
    clearTimeout(this.#settleAgain);
    this.#settleAgain = setTimeout(() => this.#settleSoon(), afterMs);
    this.#settleAgain.unref();
  }

  async #settleSome(how: { readonly beyondCursor: boolean }): Promise<void> {
    const { spool, keys, onReleased } = this.#options;
    const fresh = this.#delivered.filter(({ place }) => this.#taken.has(numberOf(place)));
    spool.acknowledgeRecords(fresh.map(({ place }) => place));
    for (const { place } of fresh) this.#taken.delete(numberOf(place));
    this.wake();
    const known = new Set(this.#delivered);
    const isDurable = await spool.settle(how);
    this.#delivered = this.#delivered.filter((one) => {
      if (!known.has(one) || !isDurable(one.place)) return true;
      keys.remove(one);
      return false;
    });
    onReleased();
  }

  async #setAside(record: SpooledRecord, error: unknown): Promise<void> {
    const { sender, spool } = this.#options;
    if (sender.delivered > this.#deliveredAtRefusal) this.#refusedInARow = 0;
    this.#deliveredAtRefusal = sender.delivered;
    if (this.#refusedInARow >= MAX_REFUSED_IN_A_ROW) throw error;
    this.#refusedInARow++;
    await spool.refuse(record, error);
  }

  #offerLater(record: SpooledRecord, problem: unknown): void {
    if (this.#closed) return;
    this.#options.onProblem(problem);
    const timer = setTimeout(() => {
      if (this.#closed) return;
      const owner = this.#newOwner();
      const fate = { owner, index: owner.add(record), size: sizeOf(record), isSpooled: true };
      this.#options.sender.add(new Entry(record, fate));
      this.#options.sender.pump();
    }, REFUSED_RETRY_MS);
    timer.unref();
  }
}

interface Offer {
  readonly lane: number;
  readonly owner: ReadBack;
}

const startOf = ({ position: { segment, offset, index }, bytesOnDisk }: SpooledRecord): SpoolPosition => ({
  segment,
  offset: offset - bytesOnDisk,
  index: index - 1,
});
