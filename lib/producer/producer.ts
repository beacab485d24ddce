import { EventEmitter } from 'node:events';
import type { Signal } from '../../lambda/core/signal.ts';
import { Admission } from './admission.ts';
import type { Regrouped } from './aggregation/regrouped.ts';
import { aggregateRules } from './aggregation/rules.ts';
import type { BeaconReporter } from './beacons/reporter.ts';
import { reporterOf } from './beacons/reporter-choice.ts';
import { checkedOptions } from './checked-options.ts';
import { type DistributionWatch, distributionWatch } from './distribution.ts';
import { endpointProblem } from './endpoint-problem.ts';
import type { PutOutcome, Receipt } from './entry.ts';
import { type Enveloping, enveloping } from './enveloping.ts';
import { DeliveryTimeoutError, ProducerClosedError, StreamDistributionError } from './errors.ts';
import { Gate } from './gate.ts';
import { Grace } from './grace.ts';
import { closeTimeoutOf, type Limits, limitsOf, type ProducerOptions } from './options.ts';
import { pinnedRegion } from './pin.ts';
import { largestRecordBytes, type ProducerRecord } from './record.ts';
import { Sender } from './sender.ts';
import { type Following, follow } from './shared-follower.ts';
import { Spooling } from './spooling.ts';
import { targetOf, targetProblem } from './stream-target.ts';
import { receiptsOf, writableOf } from './streams.ts';
import { type Telemetry, telemetryOf } from './telemetry/telemetry.ts';
import type { Transport } from './transport.ts';
import { transportOf } from './transport-choice.ts';

export interface ProducerStats {
  /** The region records are sent to now; undefined before the first signal. */
  readonly region: string | undefined;
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  readonly inFlightRequests: number;
  /** Records that a stream has acknowledged, those from the spool included. */
  readonly delivered: number;
  readonly retries: number;
  /** Kinesis records with more than one record in them that a stream has acknowledged. */
  readonly aggregates: number;
  /** Records that were sent again, and are in the stream twice, because of `regrouped`. */
  readonly regrouped: number;
  /** Records on disk that no stream has acknowledged yet. */
  readonly spooledRecords: number;
  /**
   * Whether every `put` is acknowledged from the disk now: because no region takes records, or because the
   * options say so.
   */
  readonly spooling: boolean;
}

export interface ProducerEvents {
  regionChanged: [change: { readonly from: string | undefined; readonly to: string }];
  /**
   * DNS failed or gave an invalid answer; the last good signal stays in force. Or the resolver keeps answers
   * beyond their TTL, which delays a move: emitted once, until the resolver has recovered.
   */
  signalProblem: [problem: string];
  /** A request or a record failed and will be tried again. */
  retrying: [failure: { readonly region: string; readonly records: number; readonly error: unknown }];
  /**
   * The stream was split or merged under way, and an aggregate landed in a shard that does not have all of its keys. The KCL drops
   * such an aggregate, so its records are sent again; other consumers see them twice.
   */
  regrouped: [regrouped: Regrouped];
  /**
   * The shards of the stream cannot be read, so that records are aggregated by key; or the stream ignores keys, so that they are
   * put one by one. Told once for each stream.
   */
  aggregateProblem: [problem: unknown];
  /**
   * No region takes records: from now on all records are acknowledged from the disk. Not emitted for a busy
   * key or shard.
   */
  spooling: [];
  /** The disk is empty again: every record that was acknowledged from it is in a stream. */
  drained: [];
  /** The spool is damaged, full, or cannot be written; records acknowledged before are not affected. */
  spoolProblem: [problem: unknown];
  /**
   * The settings of the AWS SDK send both regions to one host, or name no host for a region: an evacuation would lead
   * nowhere. Looked for once, at the start.
   */
  endpointProblem: [problem: string];
  /**
   * The stream of a region keeps no key together, so that order (or aggregates) cannot be kept there, or nothing tells whether it
   * does. Emitted once for each such stream.
   */
  streamProblem: [problem: string];
  /** Beacons cannot be written, which affects no record: emitted once, until one is written again. */
  beaconProblem: [problem: string];
}

/** Parts that tests replace. */
export interface ProducerParts {
  readonly transport?: Transport;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** The encoding of requests; the SDK's client writes JSON. */
const encodingOf = ({ transport, encoding }: ProducerOptions): 'cbor' | 'json' =>
  transport === 'sdk' ? 'json' : (encoding ?? 'cbor');
/**
 * Extra time after the time-out of `close`: for answers in flight, and for everything that concerns the disk.
 */
const IN_FLIGHT_GRACE_MS = 200;
const DISK_GRACE_MS = 1_000;
/** Most records in memory that come from the disk, in full batches. */
const DRAIN_BATCHES = 8;
/** How often overdue records are looked for. */
const SWEEP_MS = 100;

/**
 * A Kinesis producer that writes to the region that the cell's signal names. Delivers at least once, in order
 * per partition key; a receipt says where the record is. Without a spool, records without a receipt are in
 * memory alone.
 */
export class FailoverProducer extends EventEmitter<ProducerEvents> {
  readonly #options: ProducerOptions;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #transport: Transport;
  readonly #sender: Sender;
  readonly #admission: Admission;
  readonly #enveloping: Enveloping | undefined;
  readonly #spooling: Spooling | undefined;
  readonly #beacons: BeaconReporter | undefined;
  readonly #distribution: DistributionWatch | undefined;
  readonly #telemetry: Telemetry | undefined;
  readonly #gate: Gate;
  readonly #following: Following | undefined;
  readonly #sweep: NodeJS.Timeout;
  #region: string | undefined;
  #closing: Promise<void> | undefined;
  /** Resolved at the earliest deadline of all callers of `close`. */
  readonly #closeDeadline = Promise.withResolvers<void>();
  #deliveredBefore = 0;
  /** When the sweep last found that something had been delivered. */
  #deliveredAtMs = Number.NEGATIVE_INFINITY;

  /** @throws ProducerConfigError */
  constructor(given: ProducerOptions, parts: ProducerParts = {}) {
    super();
    const options = checkedOptions(given);
    this.#options = options;
    this.#limits = limitsOf(options);
    this.#now = parts.now ?? (() => performance.now());
    const random = options.random ?? Math.random;
    const pin = pinnedRegion(options);
    this.#transport = parts.transport ?? transportOf(options, this.#limits);
    void endpointProblem(options).then((problem) => {
      if (problem !== undefined) this.#tell('endpointProblem', problem);
    });
    this.#enveloping = options.envelope ? enveloping() : undefined;
    this.#admission = new Admission({
      maxRecordBytes: Math.min(this.#limits.maxRecordBytes, largestRecordBytes(encodingOf(options))),
      now: this.#now,
      envelope: this.#enveloping,
    });
    const beacons = reporterOf(options, (problem) => this.#tell('beaconProblem', problem));
    this.#beacons = beacons;
    const rules = aggregateRules(options, this.#limits);
    const telemetry = telemetryOf(options, () => this.stats());
    this.#telemetry = telemetry;
    this.#sender = new Sender({
      limits: this.#limits,
      ordered: (options.order ?? 'perKey') === 'perKey',
      aggregate: rules,
      mayAggregate: (region) => region === undefined || this.#distribution?.isServiceManaged(region) !== true,
      deliveryTimeoutMs: options.spool === undefined ? this.#limits.deliveryTimeoutMs : undefined,
      transport: this.#transport,
      random,
      now: this.#now,
      hooks: {
        onRetry: (failure) => this.#tell('retrying', failure),
        onRefused: ({ owner, index }, error) => owner.fail(error, index),
        onOverdue: ({ owner, index, lastError }) => owner.fail(this.#overdue(lastError), index),
        onProgress: () => this.#admit(),
        onRegrouped: (regrouped) => this.#tell('regrouped', regrouped),
        onAggregateProblem: (problem) => this.#tell('aggregateProblem', problem),
        onAnswer: beacons === undefined ? undefined : (answer) => beacons.answered(answer),
        onSent: telemetry === undefined ? undefined : (batch) => telemetry.sent(batch),
      },
    });
    this.#spooling = this.#createSpooling();
    // A transport of a test reaches no Kinesis that could be asked.
    if (parts.transport === undefined) {
      this.#distribution = distributionWatch(options, {
        needs: { order: (options.order ?? 'perKey') === 'perKey', aggregates: rules !== undefined },
        onProblem: (problem) => this.#tell('streamProblem', problem),
      });
    }
    this.#gate = new Gate({ sender: this.#sender, spooling: this.#spooling });
    this.#sweep = setInterval(() => this.#sweepOverdue(), SWEEP_MS);
    this.#sweep.unref();
    if (pin !== undefined) this.#aim(pin);
    else {
      const onSignal = (signal: Signal) => this.#aim(signal);
      const onProblem = (problem: string) => this.#tell('signalProblem', problem);
      this.#following = follow(options, { onSignal, onProblem }, random);
    }
  }

  /**
   * Resolves when a stream has the record, or when the spool has it because it must wait there. Waits for
   * room while the buffer is full, or while the share of its key or shard is: await it, or memory of your own
   * grows. Each field is read once, before `put` returns; an ill-typed one rejects immediately.
   *
   * @throws RecordError, DeliveryTimeoutError, SpoolFullError, SpoolUnavailableError, StreamDistributionError,
   * ProducerClosedError
   */
  async put(record: ProducerRecord): Promise<Receipt> {
    const [receipt] = await this.#call([record]);
    return receipt as Receipt;
  }

  /** Receipts in the order of the records. Rejects with the first failure; the other records go on. @throws as `put` */
  async putMany(records: readonly ProducerRecord[]): Promise<readonly Receipt[]> {
    return this.#call(records);
  }

  /**
   * What became of each record, in their order: its receipt, or the error with which `put` would reject. For callers that pass
   * back-pressure on: a record for which there is no room fails immediately with BufferFullError, and so do later records of the
   * call with the same key.
   *
   * @throws RecordError when `records` is not an array, ProducerClosedError
   */
  async putEach(records: readonly ProducerRecord[]): Promise<readonly PutOutcome[]> {
    this.#assertOpen();
    const ticket = this.#admission.callEach(records);
    this.#admit();
    // A spool that is being opened makes the call wait, as there is room.
    const waits = this.#spooling?.isStarting === true;
    if (this.#admission.isWaiting && !waits) this.#admission.refuse(ticket, this.#spooling?.unavailable);
    else if (waits) this.#admission.keep();
    return ticket.outcomes;
  }

  /**
   * Puts the records of a source, and yields each receipt in order as soon as it is known. Pauses the source
   * while `window` (1,000) receipts are outstanding. The first failure ends the iteration; records put by
   * then go on.
   *
   * @throws as `put`, ProducerConfigError, and what the source throws
   */
  receipts(
    source: AsyncIterable<ProducerRecord> | Iterable<ProducerRecord>,
    options: { readonly window?: number } = {},
  ): AsyncGenerator<Receipt, void, undefined> {
    return receiptsOf((record) => this.put(record), source, options);
  }

  /**
   * An object-mode stream of records, with back-pressure. It finishes when all records are acknowledged. As
   * with any stream, the first record that fails ends it with that error; records written before go on.
   *
   * @throws ProducerConfigError
   */
  writable(options: { readonly highWaterMark?: number } = {}): ReturnType<typeof writableOf> {
    return writableOf((records) => this.putMany(records), options);
  }

  /** Resolves when everything put so far is acknowledged or has failed. */
  async flush(): Promise<void> {
    await this.#sender.flushUntil(this.#admission.settled());
  }

  /**
   * Takes no more records and delivers those it holds, including the spool's, for at most `timeoutMs`
   * (30,000). The remaining records then stay in the spool; without a spool they are rejected with
   * ProducerClosedError. Records in flight at that time are not waited for: they are spooled or rejected like
   * the rest, and may be written all the same.
   *
   * Ends a second after `timeoutMs` at the latest; that second is for the disk. If the disk hangs for longer,
   * records that it has not acknowledged are rejected, and the directory is released when the disk answers or
   * the process ends; records acknowledged as spooled are on the disk. Calls made meanwhile share the end,
   * and the shortest `timeoutMs` counts.
   *
   * @throws ProducerConfigError when `timeoutMs` is no number; then the producer stays open.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const timer = setTimeout(this.#closeDeadline.resolve, closeTimeoutOf(options));
    this.#closing ??= this.#close();
    try {
      await this.#closing;
    } finally {
      clearTimeout(timer);
    }
  }

  stats(): ProducerStats {
    return {
      region: this.#region,
      bufferedRecords: this.#sender.records,
      bufferedBytes: this.#sender.bytes,
      inFlightRequests: this.#sender.inFlight,
      delivered: this.#sender.delivered,
      retries: this.#sender.retries,
      aggregates: this.#sender.aggregates,
      regrouped: this.#sender.regrouped,
      spooledRecords: this.#spooling?.records ?? 0,
      spooling: this.#spooling?.active ?? false,
    };
  }

  async #close(): Promise<void> {
    const delivered = this.flush().then(() => this.#spooling?.empty());
    await Promise.race([delivered, this.#closeDeadline.promise]);
    const grace = new Grace(DISK_GRACE_MS);
    // Records acknowledged now need not be written again by the next owner of the spool.
    if (this.#spooling !== undefined) await grace.wait(this.#sender.quiesce(), IN_FLIGHT_GRACE_MS);
    this.#sender.close();
    await grace.wait(this.#spooling?.divert());
    this.#following?.stop();
    this.#beacons?.close();
    this.#distribution?.close();
    this.#telemetry?.close();
    clearInterval(this.#sweep);
    const closed = new ProducerClosedError('The producer was closed before the record was delivered.');
    this.#admission.failWaiting(closed);
    await grace.wait(this.#spooling?.close());
    grace.end();
    for (const { owner, index, lastError } of this.#sender.takeQueued()) {
      const because = lastError === undefined ? {} : { cause: lastError };
      owner.fail(new ProducerClosedError(closed.message, because), index);
    }
    this.#admission.failOpen(closed);
    this.#transport.close();
  }

  #createSpooling(): Spooling | undefined {
    const { spool, acknowledge } = this.#options;
    if (spool === undefined) return undefined;
    const { maxBatchRecords, maxBufferedRecords } = this.#limits;
    return new Spooling({
      spool,
      always: acknowledge === 'spooled',
      ordered: (this.#options.order ?? 'perKey') === 'perKey',
      sender: this.#sender,
      now: this.#now,
      hooks: {
        onSpooling: () => this.#tell('spooling'),
        onDrained: () => this.#tell('drained'),
        onProblem: (problem) => this.#tell('spoolProblem', problem),
        onRoom: () => this.#admit(),
      },
      maxRecords: Math.min(DRAIN_BATCHES * maxBatchRecords, Math.ceil(maxBufferedRecords / 2)),
    });
  }

  async #call(records: readonly ProducerRecord[]): Promise<Receipt[]> {
    this.#assertOpen();
    const ticket = this.#admission.call(records);
    this.#admit();
    if (this.#admission.isWaiting) this.#admission.keep();
    return ticket.promise;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined)
      throw new ProducerClosedError('The producer is closed: create another one.');
    const refusal = this.#distribution?.refusal;
    if (refusal !== undefined) throw new StreamDistributionError(refusal);
  }

  /** Takes in the records that there is room for. */
  #admit(): void {
    if (!this.#admission.isWaiting) return;
    const failure = this.#spooling?.failure;
    if (failure !== undefined) {
      this.#admission.failWaiting(failure);
      return;
    }
    const before = this.#sender.records;
    this.#admission.letIn(this.#gate);
    this.#spooling?.flush();
    if (this.#sender.records > before) this.#sender.offered();
  }

  #aim(signal: Signal): void {
    const from = this.#region;
    const targeting = targetOf(this.#options, signal);
    if (targeting.kind !== 'target') {
      this.#tell('signalProblem', targetProblem(targeting, signal.region));
      return;
    }
    this.#region = signal.region;
    if (from !== signal.region) {
      if (from !== undefined) this.#enveloping?.moved();
      this.#tell('regionChanged', { from, to: signal.region });
    }
    this.#sender.aim({ region: signal.region, ...targeting.target });
    this.#distribution?.aim(signal);
  }

  /** Moves records that no region has taken in time to the spool, or fails them. */
  #sweepOverdue(): void {
    this.#sender.cool();
    if (this.#spooling !== undefined) {
      this.#spooling.sweep();
      this.#admit();
      const { unavailable } = this.#spooling;
      if (unavailable !== undefined) {
        this.#admission.expire(this.#now() - this.#limits.deliveryTimeoutMs, unavailable);
      }
      return;
    }
    this.#sender.sweep();
    this.#expireWaiting();
    this.#admit();
  }

  /**
   * Fails calls in the admission queue that wait too long, but only if nothing at all was delivered
   * meanwhile.
   */
  #expireWaiting(): void {
    const { delivered } = this.#sender;
    const nowMs = this.#now();
    if (delivered > this.#deliveredBefore) this.#deliveredAtMs = nowMs;
    this.#deliveredBefore = delivered;
    const beforeMs = nowMs - this.#limits.deliveryTimeoutMs;
    if (this.#deliveredAtMs < beforeMs) this.#admission.expire(beforeMs, this.#overdue(undefined));
  }

  #overdue(cause: unknown): DeliveryTimeoutError {
    const within = `within ${this.#limits.deliveryTimeoutMs} ms`;
    const message =
      this.#region === undefined
        ? `${this.#options.signal.name} gave no signal ${within}: check the name and the resolver.`
        : `No region took the record ${within} (last: ${this.#region}).`;
    return new DeliveryTimeoutError(message, cause === undefined ? {} : { cause });
  }

  /**
   * Emits an event. Call once the state is consistent: a listener that throws must not leave the producer
   * half-way.
   */
  #tell<Name extends keyof ProducerEvents>(name: Name, ...details: ProducerEvents[Name]): void {
    queueMicrotask(() => (this as EventEmitter).emit(name, ...details));
  }
}
