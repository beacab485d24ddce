import { EventEmitter } from 'node:events';
import { formatSignal, parseSignal, type Signal } from '../../lambda/core/signal.ts';
import { DeliveryTimeoutError, ProducerClosedError, ProducerConfigError } from './errors.ts';
import { KeyQueues, type Pending } from './key-queues.ts';
import { type Limits, limitsOf, type ProducerOptions } from './options.ts';
import { outgoing, type ProducerRecord } from './record.ts';
import { SignalFollower } from './signal-follower.ts';
import { sdkTransport, type Transport } from './transport.ts';

/** Where the record is. */
export interface Receipt {
  readonly region: string;
  readonly shardId: string;
  readonly sequenceNumber: string;
}

export interface ProducerStats {
  /** The region records are sent to now; undefined before the first signal. */
  readonly region: string | undefined;
  readonly bufferedRecords: number;
  readonly bufferedBytes: number;
  readonly inFlightRequests: number;
  readonly delivered: number;
  readonly retries: number;
}

export interface ProducerEvents {
  regionChanged: [change: { readonly from: string | undefined; readonly to: string }];
  /** DNS failed or lied; the last good signal stays in force. */
  signalProblem: [problem: string];
  /** A request or a record failed and will be tried again. */
  retrying: [failure: { readonly region: string; readonly records: number; readonly error: unknown }];
}

/** Environment variable that pins the region, whatever DNS says. */
const PIN_VARIABLE = 'SPILLWAY_REGION';
const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;

/**
 * A Kinesis producer that writes where the cell's signal says. Delivers at least once, in order per partition key.
 * A receipt is given only for the stream's own answer; what has no receipt yet is in memory alone.
 */
export class FailoverProducer extends EventEmitter<ProducerEvents> {
  readonly #options: ProducerOptions;
  readonly #limits: Limits;
  readonly #transport: Transport;
  readonly #random: () => number;
  readonly #queues = new KeyQueues();
  readonly #retryTimers = new Map<NodeJS.Timeout, Pending>();
  #follower: SignalFollower | undefined;
  #signal: Signal | undefined;
  #inFlight = 0;
  #delivered = 0;
  #retries = 0;
  #lingering: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];
  #state: 'open' | 'closing' | 'closed' = 'open';

  /** @throws ProducerConfigError */
  constructor(options: ProducerOptions, transport?: Transport) {
    super();
    this.#options = options;
    this.#limits = limitsOf(options);
    this.#random = options.random ?? Math.random;
    const pin = pinned(options);
    this.#transport = transport ?? sdkTransport(options, this.#limits);
    if (pin !== undefined) {
      this.#signal = pin;
      return;
    }
    this.#follower = new SignalFollower(options, {
      onSignal: (signal) => this.#follow(signal),
      onProblem: (problem) => this.emit('signalProblem', problem),
      random: this.#random,
    });
  }

  /**
   * Resolves when a stream has the record. Waits for room while the buffer is full: await it, or memory of your own grows.
   *
   * @throws RecordError, DeliveryTimeoutError, ProducerClosedError
   */
  async put(record: ProducerRecord): Promise<Receipt> {
    const checked = outgoing(record);
    const deadlineMs = performance.now() + this.#limits.deliveryTimeoutMs;
    while (this.#state === 'open' && this.#isFull()) await this.#changed();
    if (this.#state !== 'open') throw new ProducerClosedError('The producer is closed: create another one.');
    return new Promise((resolve, reject) => {
      this.#queues.add({
        record: checked,
        deadlineMs,
        attempts: 0,
        settle: ({ region, shardId, sequenceNumber }) => resolve({ region, shardId, sequenceNumber }),
        fail: reject,
      });
      this.#schedule();
    });
  }

  /** Receipts in the order of the records. Rejects with the first failure; the other records go on. */
  putMany(records: readonly ProducerRecord[]): Promise<readonly Receipt[]> {
    return Promise.all(records.map((record) => this.put(record)));
  }

  /** Resolves when everything put so far is delivered or has failed. */
  async flush(): Promise<void> {
    while (this.#queues.records > 0) await this.#changed();
  }

  /** Delivers what it holds, for at most `timeoutMs` (30,000); the rest is rejected with ProducerClosedError. */
  async close({ timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing';
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, timeoutMs);
    await Promise.race([this.flush(), deadline.promise]);
    clearTimeout(timer);
    this.#state = 'closed';
    this.#follower?.stop();
    clearTimeout(this.#lingering);
    for (const retry of this.#retryTimers.keys()) clearTimeout(retry);
    this.#retryTimers.clear();
    for (const pending of this.#queues.clear()) {
      const options = pending.lastError === undefined ? undefined : { cause: pending.lastError };
      pending.fail(
        new ProducerClosedError('The producer was closed before the record was delivered.', options),
      );
    }
    this.#transport.close();
    this.#wake();
  }

  stats(): ProducerStats {
    return {
      region: this.#signal?.region,
      bufferedRecords: this.#queues.records,
      bufferedBytes: this.#queues.bytes,
      inFlightRequests: this.#inFlight,
      delivered: this.#delivered,
      retries: this.#retries,
    };
  }

  #follow(signal: Signal): void {
    const from = this.#signal?.region;
    this.#signal = signal;
    if (from !== signal.region) this.emit('regionChanged', { from, to: signal.region });
    // What waits for its next attempt waits for the region that failed; the new one may be asked at once.
    for (const [timer, pending] of this.#retryTimers) {
      clearTimeout(timer);
      this.#queues.retry(pending);
    }
    this.#retryTimers.clear();
    this.#pump();
  }

  #schedule(): void {
    if (this.#queues.ready >= this.#limits.maxBatchRecords) this.#pump();
    else this.#linger();
  }

  #linger(): void {
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      this.#pump();
    }, this.#limits.lingerMs);
  }

  #pump(): void {
    const signal = this.#signal;
    if (signal === undefined || this.#state === 'closed') return;
    while (this.#inFlight < this.#limits.maxInFlight && this.#queues.ready > 0) {
      void this.#send(this.#queues.take(this.#limits.maxBatchRecords), signal);
    }
  }

  async #send(batch: readonly Pending[], signal: Signal): Promise<void> {
    const { region } = signal;
    this.#inFlight++;
    try {
      const stream = this.#options.streamName ?? signal.stream;
      if (stream === undefined)
        throw new ProducerConfigError('The signal names no stream: set `streamName`.');
      const records = batch.map((pending) => pending.record);
      const results = await this.#transport.send({ region, stream, records });
      const failed: Pending[] = [];
      batch.forEach((pending, index) => {
        const result = results[index];
        if (result?.ok) {
          this.#delivered++;
          this.#done(pending);
          pending.settle({ ...result, region });
        } else {
          pending.lastError = result?.error;
          failed.push(pending);
        }
      });
      this.#again(failed, region);
    } catch (error) {
      for (const pending of batch) pending.lastError = error;
      this.#again(batch, region);
    } finally {
      this.#inFlight--;
      this.#wake();
      this.#pump();
    }
  }

  #again(failed: readonly Pending[], region: string): void {
    const [first] = failed;
    if (first === undefined || this.#state === 'closed') return;
    this.emit('retrying', { region, records: failed.length, error: first.lastError });
    for (const pending of failed) {
      if (performance.now() >= pending.deadlineMs) {
        this.#done(pending);
        const message = `No region took the record within ${this.#limits.deliveryTimeoutMs} ms (last: ${region}).`;
        pending.fail(new DeliveryTimeoutError(message, { cause: pending.lastError }));
        continue;
      }
      this.#retries++;
      const { retryBaseMs, retryMaxMs } = this.#limits;
      // Full jitter ("Exponential Backoff and Jitter", AWS Architecture Blog).
      const pauseMs =
        this.#random() * Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(pending.attempts++, 20));
      const timer = setTimeout(() => {
        this.#retryTimers.delete(timer);
        this.#queues.retry(pending);
        this.#pump();
      }, pauseMs);
      this.#retryTimers.set(timer, pending);
    }
  }

  #done(pending: Pending): void {
    if (this.#state !== 'closed') this.#queues.remove(pending);
  }

  #isFull(): boolean {
    const { maxBufferedRecords, maxBufferedBytes } = this.#limits;
    return this.#queues.records >= maxBufferedRecords || this.#queues.bytes >= maxBufferedBytes;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}

/** @throws ProducerConfigError for a pin to a region that is not configured. */
function pinned({ regions, streamName }: ProducerOptions): Signal | undefined {
  const region = process.env[PIN_VARIABLE];
  if (region === undefined || region === '') return undefined;
  const stream = streamName === undefined ? {} : { stream: streamName };
  const parsed = parseSignal(formatSignal({ region, ...stream }), regions);
  if (!parsed.ok) {
    throw new ProducerConfigError(`${PIN_VARIABLE} is ${region}, which is not one of ${regions.join(', ')}.`);
  }
  if (streamName === undefined)
    throw new ProducerConfigError(`${PIN_VARIABLE} needs \`streamName\` as well.`);
  return parsed.signal;
}
