import type { Admission } from './admission.ts';
import { Entry, type EntryOwner } from './entry.ts';
import { SpoolUnavailableError } from './errors.ts';
import type { ProducerOptions } from './options.ts';
import { sizeOf } from './record.ts';
import type { Sender } from './sender.ts';
import { SpoolDirectoryError, SpoolLockedError } from './spool/errors.ts';
import { Spool, type SpooledRecord } from './spool/spool.ts';

export interface SpoolingHooks {
  readonly onSpooling: () => void;
  readonly onDrained: () => void;
  readonly onProblem: (problem: unknown) => void;
  /** Calls that wait may be let in now. */
  readonly onRoom: () => void;
}

export interface SpoolingOptions {
  readonly spool: NonNullable<ProducerOptions['spool']>;
  /** `acknowledge: 'spooled'`: every record takes the way over the disk. */
  readonly always: boolean;
  readonly sender: Sender;
  readonly now: () => number;
  readonly hooks: SpoolingHooks;
  /** Records of one request. */
  readonly batchRecords: number;
}

/** Bytes of appends under way, beyond which calls wait. */
const MAX_APPENDING_BYTES = 8 * 1024 * 1024;
/** Records read back at a time; the next ones are read when all of these are acknowledged. */
const DRAIN_BATCHES = 8;
const DRAIN_BYTES = 8 * 1024 * 1024;
const DEFAULT_AFTER_MS = 2_000;
/** Calls wait at most this long for the last records to leave the disk, before they go there themselves. */
const LONGEST_HOLD_MS = 500;
/** After a failure to divert or to drain. */
const RETRY_MS = 1_000;
/** A refused record that cannot be kept aside has been acknowledged and must not be dropped: it is offered again. */
const REFUSED_RETRY_MS = 30_000;
/** More with none delivered in between, and it is not the records that are at fault. */
const MAX_REFUSED_IN_A_ROW = 10;

/**
 * The way over the disk. `direct`: records go to the sender. `diverting`: the sender is emptied onto the disk, each key
 * in order. `spooling`: records are acknowledged from the disk, and the sender sends what is read back from it; when the
 * disk is empty, records go direct again. So at any time the records of a key take one way only, and keep their order.
 */
export class Spooling {
  readonly #options: SpoolingOptions;
  #state: 'opening' | 'failed' | 'direct' | 'diverting' | 'spooling' | 'closed' = 'opening';
  #spool: Spool | undefined;
  #failure: SpoolUnavailableError | undefined;
  #appendingBytes = 0;
  #refusedInARow = 0;
  #deliveredAtRefusal = 0;
  #heldSinceMs: number | undefined;
  #divertAfterMs = 0;
  #diverting: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #wakeDrain: () => void = () => {};
  #emptied: (() => void)[] = [];
  /** The latest attempt. */
  #opening: Promise<void>;
  #reopening: NodeJS.Timeout | undefined;

  constructor(options: SpoolingOptions) {
    this.#options = options;
    this.#opening = this.#open();
  }

  get records(): number {
    return this.#spool?.stats().records ?? 0;
  }
  get active(): boolean {
    return this.#state === 'spooling' || this.#state === 'diverting';
  }
  /** Records go to the sender. */
  get direct(): boolean {
    return this.#state === 'direct';
  }
  /** Records are taken by `accept`. */
  get takes(): boolean {
    return this.#state === 'failed' || (this.#state === 'spooling' && !this.#holding());
  }

  /** Why calls wait, when the spool cannot be opened now. */
  get unavailable(): SpoolUnavailableError | undefined {
    return this.#state === 'opening' ? this.#failure : undefined;
  }

  /** Takes in what waits, as far as there is room, and acknowledges it when it is durable. */
  accept(admission: Admission): void {
    if (this.#failure !== undefined) {
      admission.failWaiting(this.#failure);
      return;
    }
    const entries: Entry[] = [];
    let bytes = 0;
    const nowMs = this.#options.now();
    while (this.#appendingBytes + bytes < MAX_APPENDING_BYTES) {
      const entry = admission.take(nowMs);
      if (entry === undefined) break;
      entries.push(entry);
      bytes += entry.size;
    }
    if (entries.length > 0) void this.#append(entries, bytes);
  }

  /** Call regularly: diverts to the disk what no region has taken in time. */
  sweep(): void {
    if (this.#state === 'spooling' && this.#heldSinceMs !== undefined && !this.#holding()) {
      this.#options.hooks.onRoom();
    }
    if (this.#state !== 'direct' || this.#options.now() < this.#divertAfterMs) return;
    const oldestMs = this.#options.sender.oldestSinceMs();
    const afterMs = this.#options.spool.afterMs ?? DEFAULT_AFTER_MS;
    if (oldestMs !== undefined && this.#options.now() - oldestMs > afterMs) void this.divert();
  }

  /**
   * Empties the sender onto the disk. What is in flight finishes or times out first: its fate decides its key's order.
   * Calls made while one runs share it.
   */
  divert(): Promise<void> {
    this.#diverting ??= this.#divert().finally(() => {
      this.#diverting = undefined;
    });
    return this.#diverting;
  }

  async #divert(): Promise<void> {
    // Closed while it opens: what is held belongs on the disk all the same.
    await this.#opening;
    if (this.#state !== 'direct') return;
    this.#state = 'diverting';
    const { sender, hooks } = this.#options;
    await sender.quiesce();
    const entries = sender.takeQueued();
    try {
      if (entries.length === 0) return this.#becomeDirect();
      await this.#store(entries);
      for (const entry of entries) entry.owner.settle(entry.index, { spooled: true });
      this.#spoolFromNowOn();
    } catch (problem) {
      // Nothing of this was acknowledged: it goes on waiting in memory for a region, as without a spool.
      for (const entry of entries) sender.add(entry);
      this.#becomeDirect();
      this.#divertAfterMs = this.#options.now() + RETRY_MS;
      hooks.onProblem(problem);
    } finally {
      sender.resume();
      hooks.onRoom();
    }
  }

  /** Resolves when nothing is on the disk. */
  async empty(): Promise<void> {
    if (this.#state !== 'opening' && this.#state !== 'spooling') return;
    if (this.unavailable !== undefined) return;
    if (this.#state === 'spooling' && this.records === 0) return;
    await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#reopening);
    this.#wakeDrain();
    await this.#opening;
    await this.#draining;
    await this.#spool?.close();
  }

  async #open(): Promise<void> {
    const { spool, hooks, always } = this.#options;
    try {
      const { directory, maxBytes } = spool;
      const opened = await Spool.open({
        directory,
        ...(maxBytes === undefined ? {} : { maxBytes }),
        onProblem: hooks.onProblem,
      });
      if (this.#isClosed()) return await opened.close();
      this.#spool = opened;
      this.#failure = undefined;
      if (always || opened.stats().records > 0) this.#spoolFromNowOn();
      else this.#becomeDirect();
    } catch (cause) {
      if (this.#isClosed()) return;
      this.#openFailed(cause);
    }
    hooks.onRoom();
  }

  /** A lock goes with its owner, and a disk may come back: until then calls wait. Other failures would stay what they are. */
  #openFailed(cause: unknown): void {
    const isFirst = this.#failure === undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new SpoolUnavailableError(`The spool cannot be used: ${reason}`, { cause });
    if (cause instanceof SpoolLockedError || cause instanceof SpoolDirectoryError) {
      this.#reopening = setTimeout(() => {
        this.#opening = this.#open();
      }, RETRY_MS);
    } else this.#state = 'failed';
    for (const resolve of this.#emptied.splice(0)) resolve();
    if (isFirst || this.#state === 'failed') this.#options.hooks.onProblem(this.#failure);
  }

  /** A method, as every `await` may have changed it. Nothing leaves this state. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #spoolFromNowOn(): void {
    if (this.#isClosed()) return;
    this.#state = 'spooling';
    this.#heldSinceMs = undefined;
    this.#options.hooks.onSpooling();
    this.#draining = this.#drain();
  }

  #becomeDirect(): void {
    if (!this.#isClosed()) this.#state = 'direct';
    this.#heldSinceMs = undefined;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #holding(): boolean {
    return this.#heldSinceMs !== undefined && this.#options.now() - this.#heldSinceMs < LONGEST_HOLD_MS;
  }

  async #append(entries: readonly Entry[], bytes: number): Promise<void> {
    this.#appendingBytes += bytes;
    try {
      await this.#store(entries);
      for (const entry of entries) entry.owner.settle(entry.index, { spooled: true });
    } catch (error) {
      for (const entry of entries) entry.owner.fail(error, entry.index);
      this.#options.hooks.onProblem(error);
    } finally {
      this.#appendingBytes -= bytes;
      this.#wakeDrain();
      this.#options.hooks.onRoom();
    }
  }

  async #store(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    if (this.#spool === undefined) throw new SpoolUnavailableError('The spool is not open.');
    await this.#spool.append(entries);
  }

  /** Reads back, sends, acknowledges; ends when the disk is empty and records may go direct. */
  async #drain(): Promise<void> {
    const spool = this.#spool as Spool;
    while (this.#state === 'spooling') {
      try {
        await spool.settleCursor();
        if (await this.#drainSome(spool)) continue;
        if (this.#isClosed()) return;
        if (this.#isEmpty() && !this.#options.always) {
          this.#becomeDirect();
          this.#options.hooks.onDrained();
          this.#options.hooks.onRoom();
          return;
        }
        if (this.#isEmpty()) for (const resolve of this.#emptied.splice(0)) resolve();
        await this.#moreToDrain(RETRY_MS);
      } catch (problem) {
        if (this.#isClosed()) return;
        this.#options.hooks.onProblem(problem);
        spool.rewind();
        await this.#moreToDrain(RETRY_MS);
      }
    }
  }

  #isEmpty(): boolean {
    return this.records === 0 && this.#appendingBytes === 0;
  }

  async #drainSome(spool: Spool): Promise<boolean> {
    const { batchRecords, always, now } = this.#options;
    const records = await spool.read({ records: DRAIN_BATCHES * batchRecords, bytes: DRAIN_BYTES });
    const last = records.at(-1);
    if (last === undefined) return false;
    // The end is near: calls wait for it, or a busy application would stay on the disk for ever.
    if (!always && records.length === this.records && records.length <= batchRecords)
      this.#heldSinceMs ??= now();
    else this.#heldSinceMs = undefined;
    const chunk = new Chunk(records, {
      ...this.#options,
      setAside: (record, error) => this.#setAside(spool, record, error),
    });
    if (!(await chunk.sent(() => this.#state !== 'spooling'))) return false;
    await spool.acknowledge(last.position);
    return true;
  }

  async #setAside(spool: Spool, record: SpooledRecord, error: unknown): Promise<void> {
    const { delivered } = this.#options.sender;
    if (delivered > this.#deliveredAtRefusal) this.#refusedInARow = 0;
    this.#deliveredAtRefusal = delivered;
    if (this.#refusedInARow >= MAX_REFUSED_IN_A_ROW) throw error;
    this.#refusedInARow++;
    await spool.refuse(record, error);
  }

  async #moreToDrain(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wakeDrain = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

interface ChunkOptions extends Pick<SpoolingOptions, 'sender' | 'hooks' | 'now'> {
  /** Resolves when a record that was refused for good is safe elsewhere. */
  readonly setAside: (record: SpooledRecord, error: unknown) => Promise<void>;
}

/** Records read back from the disk, on their way to a stream. */
class Chunk implements EntryOwner {
  readonly acceptedAtMs: number;
  readonly #records: readonly SpooledRecord[];
  readonly #options: ChunkOptions;
  readonly #all = Promise.withResolvers<void>();
  #remaining: number;
  #abandoned = false;

  constructor(records: readonly SpooledRecord[], options: ChunkOptions) {
    this.#records = records;
    this.acceptedAtMs = options.now();
    this.#options = options;
    this.#remaining = records.length;
    for (const [index, record] of records.entries()) this.#offer(record, index);
    options.sender.pump();
  }

  /** True when a stream has acknowledged all of them, or they are set aside; false when `abandoned` became true before. */
  async sent(abandoned: () => boolean): Promise<boolean> {
    const watch = Promise.withResolvers<void>();
    const timer = setInterval(() => {
      if (abandoned()) watch.resolve();
    }, 50);
    await Promise.race([this.#all.promise, watch.promise]);
    clearInterval(timer);
    this.#abandoned = this.#remaining > 0;
    return this.#remaining === 0;
  }

  settle(): void {
    this.#remaining--;
    if (this.#remaining === 0) this.#all.resolve();
  }

  fail(error: unknown, index: number): void {
    // What is left when the producer closes stays on the disk.
    if (this.#abandoned) return;
    const record = this.#records[index] as SpooledRecord;
    this.#options.setAside(record, error).then(
      () => this.settle(),
      (problem: unknown) => this.#offerLater(record, { index, problem }),
    );
  }

  #offerLater(
    record: SpooledRecord,
    { index, problem }: { readonly index: number; readonly problem: unknown },
  ): void {
    if (this.#abandoned) return;
    this.#options.hooks.onProblem(problem);
    setTimeout(() => {
      this.#offer(record, index);
      this.#options.sender.pump();
    }, REFUSED_RETRY_MS).unref();
  }

  #offer(record: SpooledRecord, index: number): void {
    this.#options.sender.add(new Entry(record, { owner: this, index, size: sizeOf(record) }));
  }
}
