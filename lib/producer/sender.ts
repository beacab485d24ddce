import type { Aggregate } from './aggregation/aggregate.ts';
import { Aggregation, REQUEST_BYTES } from './aggregation/aggregation.ts';
import type { Regrouped } from './aggregation/regrouped.ts';
import type { AggregateRules } from './aggregation/rules.ts';
import { type Bisection, Bisections } from './bisections.ts';
import { asRecordError, BYTES_CHANGED } from './checked-record.ts';
import { type Entry, isWhole, type WrittenReceipt, WrittenWithin } from './entry.ts';
import { RecordError, RecordFailure } from './errors.ts';
import { type HotShard, HotShards, hashPlaceOf } from './hot-shards.ts';
import { Lanes } from './lanes.ts';
import { hasShare } from './memory-share.ts';
import type { Limits } from './options.ts';
import type { OutgoingRecord } from './record.ts';
import { type CountedRequest, RecordCounts } from './record-counts.ts';
import { RegionHealth } from './region-health.ts';
import {
  byRefusal,
  entriesOf,
  headsOf,
  type Outcome,
  recordsIn,
  type Sending,
  throttledIn,
} from './sending.ts';
import { isStreamRefusal, refusals, throttles } from './service-codes.ts';
import { ShardBackoff } from './shard-backoff.ts';
import { SwapRemoveList } from './swap-remove-list.ts';
import type { SentBatch } from './telemetry/attributes.ts';
import type { RecordResult, RegionalStream, Transport } from './transport.ts';
import { EncodingError } from './wire/errors.ts';

export interface SenderHooks {
  /** A request or some of its records failed and will be tried again. */
  readonly onRetry: (failure: {
    readonly region: string;
    readonly records: number;
    readonly error: unknown;
  }) => void;
  /** Called for a record that is refused for good: another attempt, or another region, would not help. */
  readonly onRefused: (entry: Entry, error: unknown) => void;
  /** No region took the record in time. */
  readonly onOverdue: (entry: Entry) => void;
  /** Called when records left the sender, so that there is room; `records` may be 0. */
  readonly onProgress: () => void;
  /** Shards cannot be asked for, so that records are aggregated by key. */
  readonly onAggregateProblem?: (problem: unknown) => void;
  /** An aggregate landed in a shard that does not have all of its keys: its records are sent again, and are there twice. */
  readonly onRegrouped?: (regrouped: Regrouped) => void;
  /** Called after each request that was sent, once its records are queued again or done. */
  readonly onAnswer?: ((answer: SentRequest) => void) | undefined;
  /** The same, with every record of the request, however often it is tried. */
  readonly onSent?: ((batch: SentBatch) => void) | undefined;
}

/** A request that was sent, and what became of it. */
export interface SentRequest extends Omit<RegionalStream, 'streamArn'> {
  /** Records that count (`RecordCounts`). */
  readonly records: number;
  readonly tookMs: number;
  /** Why single records of those are not in the stream. */
  readonly refused: readonly unknown[];
  /** Why the request failed as a whole. */
  readonly failure: unknown;
}

export interface SenderOptions {
  readonly limits: Limits;
  readonly ordered: boolean;
  /** Undefined: each record is a Kinesis record of its own. */
  readonly aggregate?: AggregateRules | undefined;
  /** False for a region whose stream is known to place records without regard to their keys. Default: true everywhere. */
  readonly mayAggregate?: ((region: string | undefined) => boolean) | undefined;
  /**
   * Counts from when a record is let in; undefined = records wait without limit, and the caller handles those
   * that are overdue.
   */
  readonly deliveryTimeoutMs: number | undefined;
  readonly transport: Transport;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly hooks: SenderHooks;
}

/** Kinesis takes 10 MiB in a request; base64 makes records a third larger, and names and quotes come on top. */
const MAX_BATCH_BYTES = 5 * 1024 * 1024;
/**
 * Share of a batch. From this share on, the stream as a whole is throttled, and fewer requests help. Below
 * it, single shards are (one hot shard of three or more has less than a third where keys are spread), and
 * their own back-off handles them.
 */
const THROTTLED_SHARE = 1 / 3;

/**
 * Sends records to the current target: forms batches, keeps each key's order, retries, and never asks more
 * than a region takes.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #lanes: Lanes;
  readonly #counts: RecordCounts;
  readonly #health = new Map<string, RegionHealth>();
  readonly #backoff: ShardBackoff;
  readonly #hotShards = new HotShards();
  /** Parts of refused batches; they are sent before anything else. */
  readonly #bisections = new Bisections();
  readonly #aggregation: Aggregation | undefined;
  /** Heads that wait for their shard, by the timer that ends the wait. */
  readonly #waiting = new Map<NodeJS.Timeout, readonly Entry[]>();
  #target: RegionalStream | undefined;
  #records = 0;
  #bytes = 0;
  #inFlight = 0;
  readonly #underWay = new SwapRemoveList<Sending>();
  #delivered = 0;
  #retries = 0;
  #aggregates = 0;
  #regrouped = 0;
  #goodRequests = 0;
  #goodAtMs = Number.NEGATIVE_INFINITY;
  #paused = false;
  #closed = false;
  #quiet: (() => void)[] = [];
  /** Aggregates have waited long enough for others to share their request. */
  #isUrgent = false;
  /** Calls of `flushUntil` under way. */
  #flushes = 0;
  #lingering: NodeJS.Timeout | undefined;
  #isSoon = false;
  #resuming: NodeJS.Timeout | undefined;
  /** For the aggregate that is due next. */
  #due: NodeJS.Timeout | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { ordered, limits, random } = options;
    this.#lanes = new Lanes({ ordered, records: limits.maxBufferedRecords, random });
    this.#counts = new RecordCounts(this.#lanes);
    this.#backoff = new ShardBackoff({ ...limits, random, now: options.now });
    const { aggregate: rules } = options;
    if (rules !== undefined) this.#aggregation = this.#createAggregation(rules);
  }

  get records(): number {
    return this.#records;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get inFlight(): number {
    return this.#inFlight;
  }
  get delivered(): number {
    return this.#delivered;
  }
  get retries(): number {
    return this.#retries;
  }
  /** Kinesis records with more than one record in them that a stream has taken. */
  get aggregates(): number {
    return this.#aggregates;
  }
  /** Records that were sent again because their aggregate landed in the wrong shard. */
  get regrouped(): number {
    return this.#regrouped;
  }
  /** Whether the sender takes no more records. */
  get isFull(): boolean {
    const { maxBufferedRecords, maxBufferedBytes } = this.#options.limits;
    return this.#records >= maxBufferedRecords || this.#bytes >= maxBufferedBytes;
  }
  /** Whether a target is known. */
  get hasTarget(): boolean {
    return this.#target !== undefined;
  }
  /** Requests of which the region took something, since the last request that failed as a whole. */
  get goodRequests(): number {
    return this.#goodRequests;
  }
  /** Restarts the count of good requests. */
  forgetGoodRequests(): void {
    this.#goodRequests = 0;
  }
  /** When the last good request was. */
  get goodAtMs(): number {
    return this.#goodAtMs;
  }
  /** Number of lanes, and so the bound of `laneOf`. */
  get lanes(): number {
    return this.#lanes.count;
  }
  /**
   * Whether a key or a shard may have more waiting than its share. While none has, callers need not ask
   * `hasShareFor`.
   */
  get isCongested(): boolean {
    return this.#lanes.hasLongLanes || this.#hotShards.size > 0;
  }

  laneOf(partitionKey: string): number {
    return this.#lanes.laneOf(partitionKey);
  }

  /** Records of this lane in the sender. */
  waitingIn(lane: number): number {
    return this.#lanes.lengthOf(lane);
  }

  /** The shard of this record, if that shard is known to refuse now. */
  hotShardOf(partitionKey: string, explicitHashKey: string | undefined): HotShard | undefined {
    if (this.#hotShards.size === 0) return undefined;
    const place = hashPlaceOf(partitionKey, explicitHashKey);
    return place === undefined ? undefined : this.#hotShards.at(place);
  }

  /** Whether the record's key and shard leave room for others after one more of their records is let in. */
  hasShareFor({ lane, shard, bytes }: Newcomer): boolean {
    const { maxBufferedRecords: maxRecords, maxBufferedBytes: maxBytes } = this.#options.limits;
    const buffer = { records: this.#records, bytes: this.#bytes, maxRecords, maxBytes };
    if (!hasShare(buffer, { records: this.#lanes.lengthOf(lane), nextBytes: bytes })) return false;
    return shard === undefined || hasShare(buffer, { records: shard.live, nextBytes: bytes });
  }

  /**
   * Sets the target for all records from now on. A request in flight ends or times out in the old region
   * before its keys move.
   */
  aim(target: RegionalStream): void {
    if (target.region !== this.#target?.region) {
      this.#goodRequests = 0;
      this.#counts.restart(this.entries());
    }
    this.#target = target;
    // Entries that wait for their next attempt wait because of the region that failed. The new region may be
    // asked immediately.
    for (const [timer, entries] of this.#waiting) {
      clearTimeout(timer);
      for (const entry of entries) this.#lanes.retry(entry);
    }
    this.#waiting.clear();
    for (const entry of this.#bisections.abandonAll()) this.#lanes.retry(entry);
    this.#backoff.clear();
    this.#hotShards.clear();
    this.#aggregation?.aim(target);
    this.pump();
  }

  add(entry: Entry): void {
    this.#records++;
    this.#bytes += entry.size;
    entry.shard?.hold(entry);
    this.#lanes.add(entry);
    this.#aggregation?.follow(entry);
  }

  /** Call after adding: sends what makes a full batch, and lets the rest wait for more records. */
  offered(): void {
    const { lingerMs, maxBatchRecords } = this.#options.limits;
    if (this.#aggregation !== undefined || this.#lanes.ready >= maxBatchRecords) this.pump();
    else if (lingerMs === 0) this.#pumpSoon();
    else this.#lingering ??= setTimeout(() => this.#lingered(), lingerMs);
  }

  /** Until `recorded` settles, no record waits for others to share its aggregate or its request. */
  async flushUntil(recorded: Promise<void>): Promise<void> {
    this.#flushes++;
    this.pump();
    try {
      await recorded;
    } finally {
      this.#flushes--;
    }
  }

  /** All records in the sender, in flight or not, each key in order. */
  *entries(): Generator<Entry> {
    for (const head of this.#heads()) yield* this.#lanes.laneFrom(head);
  }

  /**
   * When the record that has waited longest for its region was first sent to that region; undefined when no
   * record waits. A record that waits behind its key, or that a shard refused for its throughput, does not
   * wait for the region.
   */
  oldestSentMs(): number | undefined {
    let oldest: number | undefined;
    for (const { sentMs } of this.#heads()) {
      if (sentMs > 0 && (oldest === undefined || sentMs < oldest)) oldest = sentMs;
    }
    return oldest;
  }

  /**
   * Stops sending, and resolves when nothing is in flight. Bounded by the request's time-out. For `close`.
   */
  async quiesce(): Promise<void> {
    this.#paused = true;
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  /**
   * Removes and returns what is not in flight, each key in order. Only while nothing is in flight: after
   * `quiesce`, or `close`.
   */
  takeQueued(): Entry[] {
    for (const timer of this.#waiting.keys()) clearTimeout(timer);
    const heads = [...this.#bisections.abandonAll(), ...[...this.#waiting.values()].flat()];
    if (this.#aggregation !== undefined) heads.push(...this.#aggregation.dissolve());
    const entries = this.#lanes.clear(heads);
    this.#waiting.clear();
    for (const entry of entries) this.#forget(entry);
    if (entries.every(isWhole)) return entries;
    for (const entry of entries) {
      if (!isWhole(entry)) this.#options.hooks.onRefused(entry, new RecordError(BYTES_CHANGED));
    }
    return entries.filter(isWhole);
  }

  /** Since when the oldest record has been in the sender; undefined when the sender is empty. */
  oldestSinceMs(): number | undefined {
    let oldest: number | undefined;
    for (const { sinceMs } of this.#heads()) {
      if (oldest === undefined || sinceMs < oldest) oldest = sinceMs;
    }
    return oldest;
  }

  /** The region takes records again: records that it did not take before are no evidence against it now. */
  restartWaits(): void {
    const nowMs = Math.max(1, Math.floor(this.#options.now()));
    for (const head of this.#heads()) if (head.sentMs > 0) head.sentMs = nowMs;
  }

  *#heads(): Generator<Entry> {
    yield* this.#lanes.heads();
    yield* this.#bisections.entries();
    if (this.#aggregation !== undefined) yield* this.#aggregation.heads();
    for (const entries of this.#waiting.values()) yield* entries;
    for (const { batch } of this.#underWay) yield* batch;
  }

  /** Forgets shards that have refused nothing for a while. Call regularly. */
  cool(): void {
    if (this.#hotShards.size > 0) this.#hotShards.cool(this.#options.now());
  }

  /** Gives up records that are overdue and not in flight. Call regularly. */
  sweep(): void {
    const beforeMs = this.#overdueBeforeMs();
    for (const [timer, entries] of this.#waiting) {
      if (entries.every(({ sinceMs }) => sinceMs >= beforeMs)) continue;
      clearTimeout(timer);
      this.#waiting.delete(timer);
      for (const entry of entries) this.#lanes.retry(entry);
    }
    if ([...this.#bisections.entries()].some(({ sinceMs }) => sinceMs < beforeMs)) {
      for (const entry of this.#bisections.abandonAll()) this.#lanes.retry(entry);
    }
    this.#dissolveOverdue(beforeMs);
    for (const entry of this.#lanes.expire(({ sinceMs }) => sinceMs < beforeMs)) {
      this.#forget(entry);
      this.#options.hooks.onOverdue(entry);
    }
  }

  /**
   * Closes for good. Answers of requests in flight are not waited for: their records are queued again, and
   * may be written all the same.
   */
  close(): void {
    this.#paused = true;
    this.#closed = true;
    clearTimeout(this.#lingering);
    clearTimeout(this.#resuming);
    clearTimeout(this.#due);
    this.#aggregation?.close();
    for (const timer of this.#waiting.keys()) clearTimeout(timer);
    for (const sending of [...this.#underWay]) {
      for (const entry of sending.batch) this.#lanes.retry(entry);
      this.#underWay.delete(sending);
    }
    this.#inFlight = 0;
    for (const resolve of this.#quiet.splice(0)) resolve();
  }

  pump(): void {
    const { limits, now } = this.#options;
    const target = this.#target;
    const aggregation = this.#aggregation;
    if (aggregation !== undefined) this.#gather(aggregation);
    if (target === undefined || this.#paused) return;
    const health = this.#healthOf(target.region);
    while (this.#hasWork && health.mayStart(now())) {
      const part = this.#bisections.next();
      if (part !== undefined) {
        void this.#send({ ...part, target, health, aggregates: undefined, place: 0 });
        continue;
      }
      if (aggregation !== undefined) {
        const aggregates = aggregation.take(limits.maxBatchRecords);
        const batch = headsOf(aggregates);
        if (batch.length > 0)
          void this.#send({ batch, target, health, aggregates, bisection: undefined, place: 0 });
        continue;
      }
      const taken = this.#lanes.take({ records: limits.maxBatchRecords, bytes: MAX_BATCH_BYTES });
      const batch = this.#whole(this.#inTime(taken));
      if (batch.length > 0) {
        void this.#send({ batch, target, health, aggregates: undefined, bisection: undefined, place: 0 });
      }
    }
    this.#isUrgent = false;
    if (this.#hasWork && this.#inFlight === 0) this.#resumeAt(health.openUntilMs);
  }

  get #hasWork(): boolean {
    if (this.#bisections.queued > 0) return true;
    return this.#aggregation === undefined ? this.#lanes.ready > 0 : this.#isWorthRequest(this.#aggregation);
  }

  /** Whether there is enough for a request, or no reason to wait for more. */
  #isWorthRequest({ ready, readyBytes }: Aggregation): boolean {
    if (ready === 0) return false;
    return (
      this.#isUrgent ||
      this.#flushes > 0 ||
      this.#inFlight === 0 ||
      readyBytes >= REQUEST_BYTES ||
      ready >= this.#options.limits.maxBatchRecords
    );
  }

  /** Puts what is ready into aggregates, and sees to it that none waits for too long. */
  #gather(aggregation: Aggregation): void {
    aggregation.gather();
    if (this.#flushes > 0) aggregation.closeAll();
    else aggregation.closeDue();
    // No more records can come until some have left.
    if (this.isFull && aggregation.ready === 0 && this.#inFlight === 0) aggregation.closeAll();
    const { lingerMs } = this.#options.limits;
    // An urgent turn sends all that the region takes; what it leaves waits for answers, and needs no timer.
    const isLeft = aggregation.ready > 0 && !this.#isUrgent;
    if (isLeft || aggregation.isHurried) this.#lingering ??= setTimeout(() => this.#lingered(), lingerMs);
    const { nextDueMs } = aggregation;
    if (nextDueMs === undefined || this.#due !== undefined) return;
    this.#due = setTimeout(
      () => {
        this.#due = undefined;
        this.pump();
      },
      Math.max(1, nextDueMs - this.#options.now()),
    );
  }

  #createAggregation(rules: AggregateRules): Aggregation {
    const { limits, ordered, transport, random, now, hooks } = this.#options;
    return new Aggregation({
      rules,
      lanes: this.#lanes,
      ordered,
      maxInFlight: limits.maxInFlight,
      transport,
      mayAggregate: this.#options.mayAggregate ?? (() => true),
      random,
      now,
      hooks: {
        onBroken: (head) => {
          head.lastError = new RecordError(BYTES_CHANGED);
          this.#refuse([head]);
        },
        onPlaced: (aggregate, place) => {
          this.#placed(aggregate, place);
          this.#options.hooks.onProgress();
        },
        onMisplaced: (aggregate, place) => this.#misplaced(aggregate, place),
        onChange: () => this.pump(),
        onProblem: (problem) => hooks.onAggregateProblem?.(problem),
      },
    });
  }

  /** All entries of the aggregate are in the stream. */
  #placed(aggregate: Aggregate, place: WrittenReceipt): void {
    const { entries, heads } = aggregate;
    const { length } = entries;
    const hotShards = this.#hotShards.size > 0 ? this.#hotShards : undefined;
    const nowMs = hotShards === undefined ? 0 : this.#options.now();
    // Before the entries are settled: callers then put more of these lanes.
    for (let n = 0; n < heads.length; n++) this.#lanes.doneRun(heads.at(n));
    let bytes = 0;
    for (let n = 0; n < length; n++) {
      const entry = entries.at(n);
      bytes += entry.size;
      hotShards?.accepted(place.shardId, { nowMs, isFromDisk: entry.isSpooled });
      entry.shard?.release(entry);
      entry.owner.settle(entry.index, length === 1 ? place : new WrittenWithin(place, n));
    }
    if (length > 1) this.#aggregates++;
    this.#delivered += length;
    this.#records -= length;
    this.#bytes -= bytes;
  }

  #misplaced(aggregate: Aggregate, { region, shardId }: WrittenReceipt): void {
    const { entries, heads, kind } = aggregate;
    const records = entries.length;
    this.#regrouped += records;
    for (const head of heads) this.#lanes.retry(head);
    const expectedShardId = kind.shardId ?? '';
    this.#options.hooks.onRegrouped?.({ region, records, expectedShardId, shardId });
  }

  /** Lets lanes give up what is overdue in aggregates that were not sent. */
  #dissolveOverdue(beforeMs: number): void {
    const aggregation = this.#aggregation;
    if (aggregation === undefined) return;
    for (const { sinceMs } of aggregation.heads()) {
      if (sinceMs >= beforeMs) continue;
      for (const head of aggregation.dissolve()) this.#lanes.retry(head);
      return;
    }
  }

  #overdueBeforeMs(): number {
    const { deliveryTimeoutMs, now } = this.#options;
    return deliveryTimeoutMs === undefined ? Number.NEGATIVE_INFINITY : now() - deliveryTimeoutMs;
  }

  #inTime(batch: readonly Entry[]): readonly Entry[] {
    const beforeMs = this.#overdueBeforeMs();
    if (batch.every(({ sinceMs }) => sinceMs >= beforeMs)) return batch;
    return batch.filter((entry) => {
      if (entry.sinceMs >= beforeMs) return true;
      this.#lanes.done(entry);
      this.#forget(entry);
      this.#options.hooks.onOverdue(entry);
      return false;
    });
  }

  /** The batch without records whose buffer has changed its size since they were put. Those fail. */
  #whole(batch: readonly Entry[]): readonly Entry[] {
    if (batch.every(isWhole)) return batch;
    const changed = batch.filter((entry) => !isWhole(entry));
    for (const entry of changed) entry.lastError = new RecordError(BYTES_CHANGED);
    this.#refuse(changed);
    return batch.filter(isWhole);
  }

  /** After what else comes in this turn of the event loop: a timer would wait for a millisecond at least. */
  #pumpSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    setImmediate(() => {
      this.#isSoon = false;
      this.pump();
    });
  }

  #lingered(): void {
    this.#lingering = undefined;
    this.#isUrgent = true;
    this.pump();
  }

  /** Sets a timer, since no request in flight will call `pump` when it ends. */
  #resumeAt(atMs: number): void {
    clearTimeout(this.#resuming);
    this.#resuming = setTimeout(() => this.pump(), Math.max(1, atMs - this.#options.now()));
  }

  #healthOf(region: string): RegionHealth {
    let health = this.#health.get(region);
    if (health === undefined) {
      health = new RegionHealth({ ...this.#options.limits, random: this.#options.random });
      this.#health.set(region, health);
    }
    return health;
  }

  async #send(sending: Sending): Promise<void> {
    const { batch, target, health } = sending;
    this.#inFlight++;
    health.inFlight++;
    this.#underWay.add(sending);
    const sentMs = Math.max(1, Math.floor(this.#options.now()));
    for (const entry of batch) if (entry.sentMs === 0) entry.sentMs = sentMs;
    let results: readonly RecordResult[] | undefined;
    let failure: unknown;
    try {
      const records = this.#recordsOf(sending);
      results = await this.#options.transport.send({ ...target, records });
    } catch (error) {
      failure = error;
    }
    if (this.#closed) return;
    this.#inFlight--;
    health.inFlight--;
    this.#underWay.delete(sending);
    const goodAtMs = this.#goodAtMs;
    let refused: readonly Entry[] = [];
    if (results === undefined) {
      this.#requestFailed(sending, failure);
    } else refused = this.#answered(sending, this.#outcomeOf(sending, results));
    this.#report(sending, { sentMs, refused, failure, goodAtMs });
    if (sending.aggregates !== undefined) this.#aggregation?.recycle(sending.aggregates);
    if (this.#inFlight === 0) for (const resolve of this.#quiet.splice(0)) resolve();
    this.#options.hooks.onProgress();
    this.pump();
  }

  #recordsOf({ batch, aggregates }: Sending): readonly OutgoingRecord[] {
    const aggregation = this.#aggregation;
    if (aggregates === undefined || aggregation === undefined) return batch;
    return aggregates.map((aggregate) => aggregation.encode(aggregate));
  }

  #report(
    sending: Sending,
    sent: Pick<CountedRequest, 'refused' | 'failure' | 'goodAtMs'> & { readonly sentMs: number },
  ): void {
    const { hooks, now } = this.#options;
    const { sentMs, failure } = sent;
    // What could not be encoded was not sent.
    if (failure instanceof EncodingError) return;
    const nowMs = now();
    const { region, stream } = sending.target;
    if (hooks.onSent !== undefined) {
      const why = sent.refused.map(({ lastError }) => lastError);
      const records = recordsIn(sending);
      hooks.onSent({ region, stream, records, refused: why, failure, tookMs: nowMs - sentMs });
    }
    if (hooks.onAnswer === undefined) return;
    const isForGood = failure instanceof Error && refusals.has(failure.name);
    const { records, refused } = this.#counts.of({ ...sent, batch: entriesOf(sending), isForGood, nowMs });
    hooks.onAnswer({ region, stream, records, tookMs: nowMs - sentMs, refused, failure });
  }

  /** Settles what the stream took. */
  #outcomeOf(sending: Sending, results: readonly RecordResult[]): Outcome {
    return sending.aggregates === undefined
      ? this.#singles(sending.batch, results)
      : this.#aggregated(sending.aggregates, results);
  }

  #singles(batch: readonly Entry[], results: readonly RecordResult[]): Outcome {
    const failed: Entry[] = [];
    const lanes = this.#lanes;
    const backoff = this.#backoff.isActive ? this.#backoff : undefined;
    const hotShards = this.#hotShards.size > 0 ? this.#hotShards : undefined;
    const nowMs = hotShards === undefined ? 0 : this.#options.now();
    let bytes = 0;
    for (let n = 0; n < batch.length; n++) {
      const entry = batch[n] as Entry;
      const result = results[n];
      if (result === undefined || result instanceof RecordFailure) {
        entry.lastError = result;
        failed.push(entry);
        continue;
      }
      bytes += entry.size;
      backoff?.accepted(result.shardId);
      hotShards?.accepted(result.shardId, { nowMs, isFromDisk: entry.isSpooled });
      entry.shard?.release(entry);
      lanes.done(entry);
      entry.owner.settle(entry.index, result);
    }
    const taken = batch.length - failed.length;
    this.#delivered += taken;
    this.#records -= taken;
    this.#bytes -= bytes;
    return { sent: batch.length, taken, failed, heads: failed };
  }

  #aggregated(aggregates: readonly Aggregate[], results: readonly RecordResult[]): Outcome {
    const aggregation = this.#aggregation as Aggregation;
    const backoff = this.#backoff.isActive ? this.#backoff : undefined;
    const failed: Entry[] = [];
    const heads: Entry[] = [];
    let sent = 0;
    for (let n = 0; n < aggregates.length; n++) {
      const aggregate = aggregates[n] as Aggregate;
      const result = results[n];
      sent += aggregate.entries.length;
      aggregation.answered(aggregate);
      if (result === undefined || result instanceof RecordFailure) {
        for (const entry of aggregate.entries) {
          entry.lastError = result;
          failed.push(entry);
        }
        for (const head of aggregate.heads) heads.push(head);
        continue;
      }
      backoff?.accepted(result.shardId);
      // The region has answered for these, wherever they are.
      for (let n = 0; n < aggregate.heads.length; n++) aggregate.heads.at(n).sentMs = 0;
      if (aggregation.accepts(aggregate, result)) this.#placed(aggregate, result);
    }
    return { sent, taken: sent - failed.length, failed, heads };
  }

  /** Returns the entries that the stream did not take. */
  #answered(
    { target, health, bisection }: Sending,
    { sent, taken, failed, heads }: Outcome,
  ): readonly Entry[] {
    if (taken > 0) this.#bisections.taken();
    this.#ended(bisection, taken > 0);
    if (failed.length === 0) {
      this.#wasGood();
      health.succeeded();
      if (this.#backoff.isActive) this.#backoff.acceptedAll();
      return failed;
    }
    const throttled = throttledIn(failed);
    // A region that took at least one record is not down: the records that it refused wait in their own lane.
    if (taken > 0) this.#wasGood();
    if (throttled >= sent * THROTTLED_SHARE) health.throttled();
    else if (taken === 0) health.failed(this.#options.now());
    // Otherwise a shard that always refuses would keep the region at its slow start without end.
    else if (failed.length < sent * THROTTLED_SHARE) health.succeeded();
    this.#again({ failed, heads, region: target.region });
    return failed;
  }

  #wasGood(): void {
    this.#goodRequests++;
    this.#goodAtMs = this.#options.now();
  }

  /** Failed entries of one answer wait together by shard; each is still the head of its key's lane. */
  #again({ failed, heads, region }: Pick<Outcome, 'failed' | 'heads'> & { readonly region: string }): void {
    this.#retries += failed.length;
    this.#options.hooks.onRetry({ region, records: failed.length, error: failed[0]?.lastError });
    for (const [shard, entries] of byRefusal(failed)) if (shard !== '') this.#refusedBy(shard, entries);
    for (const [shard, entries] of byRefusal(heads)) {
      const timer = setTimeout(() => {
        this.#waiting.delete(timer);
        for (const entry of entries) this.#lanes.retry(entry);
        this.pump();
      }, this.#backoff.refused(shard));
      this.#waiting.set(timer, entries);
    }
  }

  /** A throttled shard is no fault of the region: the region has answered for these records. */
  #refusedBy(shardId: string, entries: readonly Entry[]): void {
    const nowMs = this.#options.now();
    this.#hotShards.cool(nowMs);
    for (const entry of entries) {
      if (!(entry.lastError instanceof RecordFailure && throttles.has(entry.lastError.name))) continue;
      entry.sentMs = 0;
      const place = hashPlaceOf(entry.partitionKey, entry.explicitHashKey);
      if (place === undefined) return;
      const shard = this.#hotShards.refused(shardId, { place, nowMs });
      shard.refused(nowMs);
      if (entry.shard === shard) continue;
      entry.shard?.release(entry);
      entry.shard = shard;
      shard.hold(entry);
    }
  }

  #requestFailed(sending: Sending, error: unknown): void {
    const { batch, health, bisection } = sending;
    if (error instanceof EncodingError) {
      this.#unencodable(sending, error);
      return;
    }
    this.#goodRequests = 0;
    const name = error instanceof Error ? error.name : '';
    if (name === 'ResourceNotFoundException') this.#aggregation?.streamGone();
    const isStreams = isStreamRefusal(error);
    if (refusals.has(name) && !isStreams) {
      this.#requestRefused(sending, error);
      return;
    }
    if (throttles.has(name)) health.throttled();
    this.#ended(bisection, false);
    // No other attempt can succeed, and whoever waits should hear so. Records on a disk wait for a stream with another name.
    if (isStreams && this.#options.deliveryTimeoutMs !== undefined) {
      for (const entry of batch) entry.lastError = error;
      health.failed(this.#options.now());
      this.#refuse(batch);
      return;
    }
    this.#failedWith(sending, { entries: batch, error });
  }

  #failedWith(
    { target, health }: Sending,
    { entries, error }: { readonly entries: readonly Entry[]; readonly error: unknown },
  ): void {
    health.failed(this.#options.now());
    this.#retries += entries.length;
    for (const entry of entries) {
      entry.lastError = error;
      this.#lanes.retry(entry);
    }
    this.#options.hooks.onRetry({ region: target.region, records: entries.length, error });
  }

  /**
   * The batch could not be encoded and was not sent: the records at fault fail, the others go on, and the
   * region is not to blame.
   */
  #unencodable({ batch, aggregates, bisection }: Sending, { culprits }: EncodingError): void {
    this.#ended(bisection, false);
    const refused = culprits.map(({ index, reason }) => {
      const entry = aggregates?.[index]?.heads.at(0) ?? (batch[index] as Entry);
      entry.lastError = asRecordError(reason);
      return entry;
    });
    const isRefused = new Set(refused);
    for (const entry of batch) if (!isRefused.has(entry)) this.#lanes.retry(entry);
    this.#refuse(refused);
  }

  #requestRefused(sending: Sending, error: unknown): void {
    const { batch, target, bisection } = sending;
    for (const entry of batch) entry.lastError = error;
    const { refused, again, isDoubted } = this.#bisections.refused(batch, bisection);
    this.#refuse(refused);
    if (isDoubted) this.#failedWith(sending, { entries: again, error });
    else {
      for (const entry of again) this.#lanes.retry(entry);
      if (batch.length > 1)
        this.#options.hooks.onRetry({ region: target.region, records: batch.length, error });
    }
  }

  #ended(bisection: Bisection | undefined, isTaken: boolean): void {
    if (bisection !== undefined) this.#refuse(this.#bisections.ended(bisection, { isTaken }));
  }

  #refuse(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#lanes.done(entry);
      this.#forget(entry);
      this.#options.hooks.onRefused(entry, entry.lastError);
    }
  }

  #forget(entry: Entry): void {
    entry.shard?.release(entry);
    this.#records--;
    this.#bytes -= entry.size;
  }
}

/** A record that is to be let in. */
export interface Newcomer {
  readonly partitionKey: string;
  readonly lane: number;
  readonly shard: HotShard | undefined;
  readonly bytes: number;
}
