import { EventEmitter } from 'node:events';
import { formatSignal, parseSignal, type Signal } from '../../lambda/core/signal.ts';
import { DeliveryTimeoutError, ProducerClosedError, ProducerConfigError } from './errors.ts';
import { KeyQueues, type Pending } from './key-queues.ts';
import { type Limits, limitsOf, type ProducerOptions } from './options.ts';
import { outgoing, type ProducerRecord } from './record.ts';
import { SignalFollower } from './signal-follower.ts';
import { type RecordResult, sdkTransport, type Transport } from './transport.ts';

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
  /** Every record without an outcome, in the order of the calls, which is that of the deadlines too. */
  readonly #open = new Set<Pending>();
  /** Those of them that wait for room, in the order of the calls. */
  readonly #outside = new Set<Pending>();
  #follower: SignalFollower | undefined;
  #signal: Signal | undefined;
  #inFlight = 0;
  #delivered = 0;
  #retries = 0;
  #lingering: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
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
    if (this.#state !== 'open') throw new ProducerClosedError('The producer is closed: create another one.');
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        record: checked,
        deadlineMs: performance.now() + this.#limits.deliveryTimeoutMs,
        attempts: 0,
        inFlight: false,
        settle: ({ region, shardId, sequenceNumber }) => resolve({ region, shardId, sequenceNumber }),
        fail: reject,
      };
      this.#open.add(pending);
      this.#outside.add(pending);
      this.#admit();
      this.#watchDeadlines();
    });
  }

  /** Receipts in the order of the records. Rejects with the first failure; the other records go on. */
  putMany(records: readonly ProducerRecord[]): Promise<readonly Receipt[]> {
    return Promise.all(records.map((record) => this.put(record)));
  }

  /** Resolves when everything put so far is delivered or has failed; what is put later is not waited for. */
  async flush(): Promise<void> {
    const waiting = new Set(this.#open);
    for (;;) {
      for (const pending of waiting) if (!this.#open.has(pending)) waiting.delete(pending);
      if (waiting.size === 0) return;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
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
    clearTimeout(this.#deadline);
    const undelivered = [...this.#open];
    this.#open.clear();
    this.#outside.clear();
    this.#queues.clear();
    for (const pending of undelivered) {
      clearTimeout(pending.retryTimer);
      pending.fail(
        new ProducerClosedError('The producer was closed before the record was delivered.', causeOf(pending)),
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
    for (const pending of this.#open) if (pending.retryTimer !== undefined) this.#retryNow(pending);
    this.#pump();
  }

  /** Lets in what waits outside, as far as there is room, and nothing before what was put earlier. */
  #admit(): void {
    for (const pending of this.#outside) {
      if (this.#isFull()) return;
      this.#outside.delete(pending);
      this.#queues.add(pending);
      this.#schedule();
    }
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

  async #send(batch: readonly Pending[], { region, stream }: Signal): Promise<void> {
    this.#inFlight++;
    for (const pending of batch) pending.inFlight = true;
    const results = await this.#attempt(batch, { region, stream: this.#options.streamName ?? stream });
    this.#inFlight--;
    if (this.#state === 'closed') return;
    const failed: Pending[] = [];
    batch.forEach((pending, index) => {
      pending.inFlight = false;
      const result = results[index];
      if (result?.ok) {
        this.#delivered++;
        this.#remove(pending);
        pending.settle({ ...result, region });
        return;
      }
      pending.lastError = result?.error;
      failed.push(pending);
    });
    for (const pending of failed) this.#again(pending);
    this.#moveOn();
    const [first] = failed;
    // Last of all: a listener that throws must find everything in order.
    if (first) this.emit('retrying', { region, records: failed.length, error: first.lastError });
  }

  /** One request; what fails as a whole fails for each record. */
  async #attempt(
    batch: readonly Pending[],
    { region, stream }: { readonly region: string; readonly stream: string | undefined },
  ): Promise<readonly Attempted[]> {
    try {
      if (stream === undefined)
        throw new ProducerConfigError('The signal names no stream: set `streamName`.');
      return await this.#transport.send({ region, stream, records: batch.map(({ record }) => record) });
    } catch (error) {
      return batch.map(() => ({ ok: false, error }));
    }
  }

  #again(pending: Pending): void {
    if (performance.now() >= pending.deadlineMs) {
      this.#expire(pending);
      return;
    }
    this.#retries++;
    const { retryBaseMs, retryMaxMs } = this.#limits;
    // Full jitter ("Exponential Backoff and Jitter", AWS Architecture Blog).
    const pauseMs =
      this.#random() * Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(pending.attempts++, 20));
    pending.retryTimer = setTimeout(() => {
      this.#retryNow(pending);
      this.#pump();
    }, pauseMs);
  }

  #retryNow(pending: Pending): void {
    clearTimeout(pending.retryTimer);
    pending.retryTimer = undefined;
    this.#queues.retry(pending);
  }

  /** Rejects what is past its deadline: what was never sent too, for want of a signal or behind others of its key. */
  #watchDeadlines(): void {
    if (this.#deadline !== undefined) return;
    const next = this.#open.values().find(({ inFlight }) => !inFlight);
    if (next === undefined) return;
    this.#deadline = setTimeout(
      () => {
        this.#deadline = undefined;
        const nowMs = performance.now();
        for (const pending of this.#open) {
          if (pending.deadlineMs > nowMs) break;
          if (!pending.inFlight) this.#expire(pending);
        }
        this.#moveOn();
      },
      Math.max(1, next.deadlineMs - performance.now()),
    );
  }

  #expire(pending: Pending): void {
    this.#remove(pending);
    const why =
      this.#signal === undefined
        ? `${this.#options.signal.name} gave no signal`
        : `no region took the record (last: ${this.#signal.region})`;
    const message = `Within ${this.#limits.deliveryTimeoutMs} ms ${why}.`;
    pending.fail(new DeliveryTimeoutError(message, causeOf(pending)));
  }

  #remove(pending: Pending): void {
    clearTimeout(pending.retryTimer);
    this.#open.delete(pending);
    this.#outside.delete(pending);
    this.#queues.remove(pending);
  }

  #moveOn(): void {
    this.#admit();
    this.#pump();
    this.#watchDeadlines();
    this.#wake();
  }

  #isFull(): boolean {
    const { maxBufferedRecords, maxBufferedBytes } = this.#limits;
    return this.#queues.records >= maxBufferedRecords || this.#queues.bytes >= maxBufferedBytes;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}

type Attempted = Extract<RecordResult, { ok: true }> | { readonly ok: false; readonly error: unknown };

const causeOf = ({ lastError }: Pending): ErrorOptions =>
  lastError === undefined ? {} : { cause: lastError };

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
