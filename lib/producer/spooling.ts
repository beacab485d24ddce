import { Backlog } from './backlog.ts';
import type { Leader } from './companions.ts';
import type { Entry } from './entry.ts';
import { SpoolUnavailableError } from './errors.ts';
import { type KeyInLane, KeysOnDisk } from './keys-on-disk.ts';
import { LastOfLane } from './last-of-lane.ts';
import { SHORT_QUEUE } from './memory-share.ts';
import { isOnlyInMemory, NextWrite, RECORD_OVERHEAD_BYTES } from './next-write.ts';
import type { ProducerOptions } from './options.ts';
import type { Route } from './route.ts';
import type { Newcomer, Sender } from './sender.ts';
import { SpoolDirectoryError, SpoolFullError, SpoolLockedError } from './spool/errors.ts';
import { Spool } from './spool/spool.ts';
import { Adoption } from './spooled-records.ts';

export interface SpoolingHooks {
  /** No region takes records: from now on all records are acknowledged from the disk. */
  readonly onSpooling: () => void;
  readonly onDrained: () => void;
  readonly onProblem: (problem: unknown) => void;
  /** Calls that wait may be let in now. */
  readonly onRoom: () => void;
}

export interface SpoolingOptions {
  readonly spool: NonNullable<ProducerOptions['spool']>;
  /** With `acknowledge: 'spooled'`, every record goes through the disk. */
  readonly always: boolean;
  readonly ordered: boolean;
  readonly sender: Sender;
  readonly now: () => number;
  readonly hooks: SpoolingHooks;
  /** Most records in memory that come from the disk. */
  readonly maxRecords: number;
}

/** Bytes of appends in progress beyond which calls wait. */
const MAX_APPENDING_BYTES = 8 * 1024 * 1024;
/** Records go to the disk in groups of this size, so that each write succeeds or fails as a whole. */
const GROUP_BYTES = 2 * 1024 * 1024;
const DEFAULT_AFTER_MS = 2_000;
/** Pause after a failure to open the spool, or to write to it. */
const RETRY_MS = 1_000;
/** With a longer gap between two sweeps, which run ten times a second, this process was suspended or busy. */
const STALL_MS = 500;
const TURNS_TO_CATCH_UP = 3;
/** Good answers in a row after which a region counts as taking records again. */
const GOOD_REQUESTS = 10;
/** This many recent good answers show that the region has not stopped. */
const GOOD_BESIDE = 3;
/**
 * Share of `maxBytes` that busy keys and shards may use on disk while the region is healthy: the rest is for
 * an outage.
 */
const OVERFLOW_SHARE = 1 / 2;
/** Bytes on disk that records take beyond their keys and data, and segments beyond their records. */
const FULL_MARGIN_BYTES = 8 * 1024;

/**
 * Decides which records go through the disk. A record goes there while no region takes records, or while its
 * own key or shard has more waiting in memory than its share, or has older records on disk; all others go to
 * the sender. The records of a lane that are in memory are made durable before the first of its records goes
 * to the disk. So the log has the records of each key in order.
 */
export class Spooling {
  readonly #options: SpoolingOptions;
  readonly #keys: KeysOnDisk;
  readonly #lastOfLane: LastOfLane;
  #state: 'opening' | 'failed' | 'open' | 'closing' | 'closed' = 'opening';
  /** Whether no region takes records. */
  #isOutage = false;
  #spool: Spool | undefined;
  #backlog: Backlog | undefined;
  #failure: SpoolUnavailableError | undefined;
  #appendingBytes = 0;
  readonly #appending = new Set<Promise<void>>();
  /** Lanes of which some records in memory could not be made durable. */
  readonly #torn = new Set<number>();
  #adoptAfterMs = 0;
  #sweptAtMs: number;
  #turnsToCatchUp = 0;
  /** Records for the disk, taken in since the last `flush`. */
  readonly #nextWrite: NextWrite;
  #emptied: (() => void)[] = [];
  /** The latest attempt to open the spool. */
  #opening: Promise<void>;
  #reopening: NodeJS.Timeout | undefined;

  constructor(options: SpoolingOptions) {
    this.#options = options;
    this.#keys = new KeysOnDisk(options.sender.lanes, () => this.#markTorn());
    this.#lastOfLane = new LastOfLane(options.now);
    this.#nextWrite = new NextWrite(options.sender);
    this.#sweptAtMs = options.now();
    this.#opening = this.#open();
  }

  get records(): number {
    return this.#spool?.stats().records ?? 0;
  }
  /** Whether every record is acknowledged from the disk. */
  get active(): boolean {
    return this.#state === 'open' && (this.#isOutage || this.#options.always);
  }
  /** Why no record can ever be taken. */
  get failure(): SpoolUnavailableError | undefined {
    return this.#state === 'failed' ? this.#failure : undefined;
  }
  /** Why calls wait, when the spool cannot be opened now. */
  get unavailable(): SpoolUnavailableError | undefined {
    return this.#state === 'opening' ? this.#failure : undefined;
  }

  /** Whether the disk has not answered yet for the first time, which is soon. */
  get isStarting(): boolean {
    return this.#state === 'opening' && this.#failure === undefined;
  }

  /** Whether no record can be taken now. */
  get isShut(): boolean {
    if (this.#state === 'open' || this.#state === 'closing')
      return this.#appendingBytes >= MAX_APPENDING_BYTES;
    return true;
  }

  /** Whether some records may not go into memory. */
  get isSelective(): boolean {
    const { always, sender } = this.#options;
    return always || this.#isOutage || this.#state === 'closing' || this.#keys.records > 0 || sender.isFull;
  }

  /** Where a record may go now. Records whose route is the disk are then given to `take`. */
  routeOf(newcomer: Newcomer): Route {
    const { always, ordered, sender } = this.#options;
    if (always || this.#isOutage || this.#state === 'closing') return 'disk';
    const onDisk = ordered ? this.#keys.of(newcomer) : 0;
    if (onDisk > 0) {
      const unread = this.#keys.unreadOf(newcomer);
      if (this.#lastOfLane.waits({ lane: newcomer.lane, onDisk, unread })) return 'soon';
      return this.#hasOverflowRoom(onDisk, newcomer) ? 'disk' : 'later';
    }
    if (sender.isFull) return 'stop';
    if (!sender.isCongested || sender.hasShareFor(newcomer)) return 'memory';
    return this.#hasOverflowRoom(onDisk, newcomer) ? 'disk' : 'later';
  }

  /**
   * Whether a key may have one more record on disk: as much as it leaves free for others. A few records fit
   * as long as there is any room.
   */
  #hasOverflowRoom(onDisk: number, newcomer: Newcomer): boolean {
    const { usedBytes, maxBytes } = this.#spool as Spool;
    const { bytes } = newcomer;
    const share = maxBytes * OVERFLOW_SHARE - usedBytes - this.#nextWrite.bytes;
    if (onDisk >= SHORT_QUEUE && onDisk * bytes >= share) return false;
    const freeBytes = maxBytes - usedBytes - FULL_MARGIN_BYTES;
    return this.#nextWrite.fitsIn(freeBytes, { bytes, leader: this.#leaderOf(newcomer) });
  }

  /** Takes a record whose route is the disk. Call `flush` after the last one. */
  take(entry: Entry): void {
    const { partitionKey, shard, size } = entry;
    const lane = this.#options.sender.laneOf(partitionKey);
    entry.lane = lane;
    const key = { partitionKey, lane, shard };
    const leader = this.#leaderOf(key);
    if (this.#options.sender.waitingIn(lane) === 0) this.#torn.delete(lane);
    this.#nextWrite.add(entry, leader);
    this.#keys.add(key);
    this.#appendingBytes += size;
  }

  /** Set where records of this key may be in memory but not on the disk: they have to be written first. */
  #leaderOf({ partitionKey, lane, shard }: KeyInLane & Pick<Leader, 'shard'>): Leader | undefined {
    const { ordered, sender } = this.#options;
    if (!ordered || sender.waitingIn(lane) === 0) return undefined;
    const isTorn = this.#torn.has(lane);
    if (!isTorn && this.#keys.of({ partitionKey, lane }) > 0) return undefined;
    return { partitionKey, lane, shard, isByName: this.#keys.areNamed && !isTorn };
  }

  /** Writes the records that were taken, and acknowledges them when they are durable. */
  flush(): void {
    const { entries, followers, companions } = this.#nextWrite.take();
    if (entries.length === 0) return;
    const isLed = companions.isEmpty || this.#adopt((entry) => companions.has(entry), bytesOf(entries));
    for (const group of groupsOf(isLed ? entries : entries.filter((entry) => !followers.has(entry)))) {
      this.#during(this.#append(group));
    }
    if (!isLed) this.#failed([...followers], this.#fullError(), { isLater: true });
  }

  /** Call regularly: finds out whether a region takes records. */
  sweep(): void {
    this.#lastOfLane.sweep();
    const isStalled = this.#isStalled();
    if (this.#state !== 'open') return;
    const { sender, hooks } = this.#options;
    if (this.#isOutage) {
      const isOver = sender.goodRequests >= GOOD_REQUESTS || this.#isAllDelivered();
      if (isOver && sender.hasTarget) {
        this.#isOutage = false;
        sender.restartWaits();
        hooks.onRoom();
      } else this.#adoptAll();
    } else if (!isStalled && this.#isRegionSilent()) {
      this.#isOutage = true;
      sender.forgetGoodRequests();
      hooks.onSpooling();
      this.#adoptAll();
      hooks.onRoom();
    }
  }

  /**
   * Whether this process was stalled. A stalled process has not read the answers that may have come
   * meanwhile, and gets a few turns to do so.
   */
  #isStalled(): boolean {
    const nowMs = this.#options.now();
    if (nowMs - this.#sweptAtMs > STALL_MS) this.#turnsToCatchUp = TURNS_TO_CATCH_UP;
    else if (this.#turnsToCatchUp > 0) this.#turnsToCatchUp--;
    this.#sweptAtMs = nowMs;
    return this.#turnsToCatchUp > 0;
  }

  /**
   * Whether the region is silent, judged by records that were sent and have failed or not come back. A record
   * that waits for its own key or shard is no evidence.
   */
  #isRegionSilent(): boolean {
    const { sender, now, spool } = this.#options;
    const { afterMs = DEFAULT_AFTER_MS } = spool;
    // One request that hangs beside many that are answered is not the region's fault.
    if (sender.goodRequests >= GOOD_BESIDE && now() - sender.goodAtMs < afterMs) return false;
    const sinceMs = sender.hasTarget ? sender.oldestSentMs() : sender.oldestSinceMs();
    return sinceMs !== undefined && now() - sinceMs > afterMs;
  }

  /** Resolves when nothing is on the disk. */
  async empty(): Promise<void> {
    if (this.#state === 'opening' && this.#failure === undefined) await this.#opening;
    if (this.#state !== 'open' || this.#keys.records === 0) return;
    await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /**
   * Sends everything to the disk from now on: what waits, and what is in memory. Resolves when it is on the
   * disk.
   */
  async divert(): Promise<void> {
    await this.#opening;
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#adoptAfterMs = 0;
    this.#adoptAll();
    this.#options.hooks.onRoom();
    while (this.#appending.size > 0) await Promise.all(this.#appending);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#reopening);
    for (const resolve of this.#emptied.splice(0)) resolve();
    await this.#opening;
    await this.#backlog?.close();
    await this.#spool?.close();
  }

  async #open(): Promise<void> {
    const { spool, sender, hooks, now, maxRecords } = this.#options;
    // An attempt that failed half-way has counted keys as well.
    this.#keys.clear();
    try {
      const { directory, maxBytes } = spool;
      const opened = await Spool.open({
        directory,
        ...(maxBytes === undefined ? {} : { maxBytes }),
        onProblem: hooks.onProblem,
        onRecord: (partitionKey) => this.#keys.add({ partitionKey, lane: sender.laneOf(partitionKey) }),
      });
      if (this.#isClosed()) return await opened.close();
      this.#spool = opened;
      this.#failure = undefined;
      this.#backlog = new Backlog({
        spool: opened,
        sender,
        keys: this.#keys,
        now,
        maxRecords,
        onProblem: hooks.onProblem,
        onReleased: () => this.#released(),
        onEmpty: () => this.#emptiedByDamage(),
      });
      this.#state = 'open';
      if (this.#keys.records === 0) for (const resolve of this.#emptied.splice(0)) resolve();
    } catch (cause) {
      if (this.#isClosed()) return;
      this.#openFailed(cause);
    }
    hooks.onRoom();
  }

  /**
   * Handles a failure to open. A lock ends with its owner, and a disk may recover: until then calls wait.
   * Other failures are permanent.
   */
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

  /** A method, because every `await` may have changed the state. A closed spool stays closed. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Corrects the counts: records that were damaged after they were counted will never come back from the
   * disk.
   */
  #emptiedByDamage(): void {
    if (this.#keys.records === 0 || this.#appending.size > 0 || this.#nextWrite.bytes > 0) return;
    this.#keys.clear();
    this.#released();
  }

  /** Whether no record is on the disk, or in memory because it could not be written to the disk. */
  #isAllDelivered(): boolean {
    return this.#keys.records === 0 && this.#options.sender.records === 0;
  }

  #released(): void {
    const { always, hooks } = this.#options;
    if (this.#keys.records === 0) {
      const isOpen = this.#state === 'open';
      if (isOpen && this.#isAllDelivered() && this.#options.sender.hasTarget) this.#isOutage = false;
      for (const resolve of this.#emptied.splice(0)) resolve();
      if (isOpen && !always) hooks.onDrained();
    }
    hooks.onRoom();
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    const { hooks } = this.#options;
    try {
      await (this.#spool as Spool).append(entries);
    } catch (error) {
      this.#written(entries);
      this.#failed(entries, error, { isLater: false });
      // Wait until the other entries that failed with it have been told: those that they leave in memory come
      // first.
      setImmediate(() => hooks.onRoom());
      return;
    }
    this.#written(entries);
    for (const { owner, index } of entries) owner.settle(index, { spooled: true });
    hooks.onRoom();
  }

  #written(entries: readonly Entry[]): void {
    for (const { size } of entries) this.#appendingBytes -= size;
    this.#backlog?.wake();
  }

  /**
   * The entries are not on the disk. `isLater`: their bytes were counted, and none of their writes will end.
   */
  #failed(entries: readonly Entry[], error: unknown, { isLater }: { readonly isLater: boolean }): void {
    for (const entry of entries) {
      this.#keys.read(entry);
      this.#keys.remove(entry);
      if (isLater) this.#appendingBytes -= entry.size;
      entry.owner.fail(error, entry.index);
    }
    this.#wakeIfEmpty();
    this.#options.hooks.onProblem(error);
  }

  #wakeIfEmpty(): void {
    if (this.#keys.records === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #fullError(): SpoolFullError {
    const { usedBytes, maxBytes } = this.#spool as Spool;
    return new SpoolFullError(
      `The spool has no room for a record with those of its key that are in memory (${usedBytes} of ${maxBytes} bytes are used). Wait until a region takes records again, or raise \`maxBytes\`.`,
      { usedBytes, maxBytes },
    );
  }

  /** Marks lanes that have both keys with records on the disk, and keys with records in memory alone. */
  #markTorn(): void {
    const { sender } = this.#options;
    for (const { isSpooled, partitionKey } of sender.entries()) {
      if (!isSpooled) this.#torn.add(sender.laneOf(partitionKey));
    }
  }

  #adoptAll(): void {
    if (this.#options.now() < this.#adoptAfterMs) return;
    if (this.#adopt(() => true, 0)) return;
    this.#adoptAfterMs = this.#options.now() + RETRY_MS;
    this.#options.hooks.onProblem(this.#fullError());
  }

  /**
   * Makes records in memory durable, each key's in order; they stay on their way. Returns false, and takes
   * none, when the disk has no room for all of them and `bytesBesides` more bytes.
   */
  #adopt(isWanted: (entry: Entry) => boolean, bytesBesides: number): boolean {
    const { sender } = this.#options;
    const entries = [...sender.entries()].filter((entry) => isOnlyInMemory(entry) && isWanted(entry));
    const { usedBytes, maxBytes } = this.#spool as Spool;
    const overhead = (entries.length + 1) * RECORD_OVERHEAD_BYTES + FULL_MARGIN_BYTES;
    if (entries.length > 0 && usedBytes + bytesOf(entries) + bytesBesides + overhead > maxBytes) {
      for (const { partitionKey } of entries) this.#torn.add(sender.laneOf(partitionKey));
      return false;
    }
    for (const group of groupsOf(entries)) this.#during(this.#adoptGroup(group));
    return true;
  }

  async #adoptGroup(entries: readonly Entry[]): Promise<void> {
    const { sender, now, hooks } = this.#options;
    const backlog = this.#backlog as Backlog;
    const keys = entries.map(({ partitionKey }) => ({ partitionKey, lane: sender.laneOf(partitionKey) }));
    const adoption = new Adoption(entries, { nowMs: now(), fate: backlog });
    for (const key of keys) this.#keys.addRead(key);
    try {
      const places = await (this.#spool as Spool).appendPlaced(entries);
      for (const { lane } of keys) this.#torn.delete(lane);
      backlog.adopted(adoption.stored(places));
    } catch (problem) {
      for (const key of keys) this.#keys.remove(key);
      for (const { partitionKey } of adoption.failed()) this.#torn.add(sender.laneOf(partitionKey));
      this.#wakeIfEmpty();
      this.#adoptAfterMs = now() + RETRY_MS;
      hooks.onProblem(problem);
    }
    hooks.onRoom();
  }

  #during(writing: Promise<void>): void {
    this.#appending.add(writing);
    void writing.finally(() => this.#appending.delete(writing));
  }
}

const bytesOf = (entries: readonly Entry[]): number => entries.reduce((sum, { size }) => sum + size, 0);

/** Splits the entries in order into groups, each of them one write. */
function groupsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const groups: Entry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (bytes + entry.size > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(entry);
    bytes += entry.size;
  }
  return groups;
}
