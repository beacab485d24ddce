import { once } from 'node:events';
import { join } from 'node:path';
import type { Signal } from '../../lambda/core/signal.ts';
import type { PutOutcome } from '../producer/entry.ts';
import { StreamDistributionError } from '../producer/errors.ts';
import { limitsOf, type ProducerOptions } from '../producer/options.ts';
import { pinnedRegion } from '../producer/pin.ts';
import { FailoverProducer, type ProducerStats } from '../producer/producer.ts';
import { type Following, follow } from '../producer/shared-follower.ts';
import { type StreamTarget, targetOf } from '../producer/stream-target.ts';
import type { SidecarEvent } from './events.ts';
import type { CellStream, SharedProducerOptions, SidecarCell } from './options.ts';
import type { IncomingRecord } from './put-request.ts';
import { ToldShards } from './told-shards.ts';

/** Where the cell's records go now. */
export interface Place extends StreamTarget {
  readonly region: string;
}

/** Records in memory for one cell, unless the options say otherwise: aggregates that are taken apart come in thousands. */
const MAX_BUFFERED_RECORDS = 250_000;
/** Shorter than the patience of the SDKs and of the KPL (6 s): without a spool they are told in time. */
const DELIVERY_TIMEOUT_MS = 5_000;

/** An error that goes on is told once in this time. */
const TELL_AGAIN_MS = 60_000;
const MAX_CODES = 32;

/** A cell that is written to: its producer, and where its signal points. */
export class OpenCell {
  readonly name: string;
  readonly regions: readonly string[];
  readonly toldShards = new ToldShards();
  readonly #producer: FailoverProducer;
  readonly #following: Following | undefined;
  /** Records that a request may hold, those in aggregates counted one by one. */
  readonly maxRecords: number;
  readonly #maxBytes: number;
  readonly #aggregates: boolean;
  #isRefusing = false;
  #place: Place | undefined;
  #sawAggregate = false;
  readonly #tell: (event: SidecarEvent) => void;

  /** @throws ProducerConfigError */
  constructor(cell: SidecarCell, shared: SharedProducerOptions, tell: (event: SidecarEvent) => void) {
    this.name = cell.name;
    this.regions = cell.regions;
    this.#aggregates = shared.aggregate !== undefined;
    this.#tell = tell;
    const options = producerOptions(cell, shared);
    this.maxRecords = options.maxBufferedRecords ?? MAX_BUFFERED_RECORDS;
    this.#maxBytes = limitsOf(options).maxBufferedBytes;
    this.#producer = new FailoverProducer(options);
    this.#report();
    const onSignal = (signal: Signal): void => {
      const targeting = targetOf(options, signal);
      if (targeting.kind === 'target') this.#place = { region: signal.region, ...targeting.target };
    };
    const pin = pinnedRegion(options);
    if (pin !== undefined) onSignal(pin);
    // The question is shared with the producer's.
    else this.#following = follow(options, { onSignal, onProblem: () => {} }, Math.random);
  }

  /** Undefined before the first signal. */
  get place(): Place | undefined {
    return this.#place;
  }

  stats(): ProducerStats {
    return this.#producer.stats();
  }

  /** Whether so many records may be taken together: of an aggregate that is taken in part, all would be sent again. */
  hasRoomFor(records: readonly IncomingRecord[]): boolean {
    const { bufferedRecords, bufferedBytes, spooling } = this.#producer.stats();
    if (spooling) return true;
    if (bufferedRecords + records.length > this.maxRecords) return false;
    return bufferedBytes + records.reduce((sum, { data }) => sum + data.byteLength, 0) <= this.#maxBytes;
  }

  async put(records: readonly IncomingRecord[]): Promise<readonly PutOutcome[]> {
    try {
      const outcomes = await this.#producer.putEach(records);
      this.#isRefusing = false;
      return outcomes;
    } catch (error) {
      this.#isRefusing = error instanceof StreamDistributionError;
      throw error;
    }
  }

  /** Whether the producer takes no record from anybody, because of the stream. */
  get isRefusing(): boolean {
    return this.#isRefusing;
  }

  /** Tells once that aggregates come in and do not go out. */
  sawAggregate(): void {
    if (!this.#sawAggregate && !this.#aggregates) this.#tell({ event: 'aggregatesApart', cell: this.name });
    this.#sawAggregate = true;
  }

  /** Resolves at the first signal, or after the time. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#producer.stats().region !== undefined) return;
    await once(this.#producer, 'regionChanged', { signal: AbortSignal.timeout(timeoutMs) }).catch(() => {});
  }

  async close(timeoutMs: number): Promise<void> {
    this.#following?.stop();
    await this.#producer.close({ timeoutMs });
  }

  #report(): void {
    const { name: cell } = this;
    const tell = this.#tell;
    const producer = this.#producer;
    producer.on('regionChanged', ({ from, to }) =>
      tell({ event: 'regionChanged', cell, from: from ?? null, to }),
    );
    const told = new Map<string, number>();
    producer.on('retrying', ({ region, error }) => {
      const code = error instanceof Error ? error.name : String(error);
      const nowMs = performance.now();
      if (nowMs - (told.get(code) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return;
      // Codes are few; names that an endpoint makes up are not kept.
      if (told.size >= MAX_CODES) told.clear();
      told.set(code, nowMs);
      tell({ event: 'retrying', cell, region, code });
    });
    producer.on('spooling', () => tell({ event: 'spooling', cell }));
    producer.on('drained', () => tell({ event: 'drained', cell }));
    producer.on('signalProblem', (problem) => tell({ event: 'signalProblem', cell, problem }));
    producer.on('endpointProblem', (problem) => tell({ event: 'endpointProblem', cell, problem }));
    producer.on('streamProblem', (problem) => tell({ event: 'streamProblem', cell, problem }));
    producer.on('regrouped', ({ region, records }) => tell({ event: 'regrouped', cell, region, records }));
    for (const event of ['spoolProblem', 'aggregateProblem'] as const) {
      producer.on(event, (problem) => tell({ event, cell, problem: textOf(problem) }));
    }
  }
}

const textOf = (problem: unknown): string =>
  problem instanceof Error ? `${problem.name}: ${problem.message}` : String(problem);

function producerOptions(cell: SidecarCell, shared: SharedProducerOptions): ProducerOptions {
  const { spoolDirectory, spoolAfterMs, maxSpoolBytes, ...rest } = shared;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    maxBufferedRecords: MAX_BUFFERED_RECORDS,
    deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
    ...given,
    signal: cell.signal,
    regions: cell.regions,
    // A client waits for each answer: what came together is sent at once, and requests in flight gather the rest.
    lingerMs: 0,
    ...streamOptions(cell.streams),
    ...(spoolDirectory === undefined
      ? {}
      : {
          spool: {
            directory: spoolOf(spoolDirectory, cell.name),
            ...(spoolAfterMs === undefined ? {} : { afterMs: spoolAfterMs }),
            ...(maxSpoolBytes === undefined ? {} : { maxBytes: maxSpoolBytes }),
          },
        }),
  };
}

export const spoolOf = (directory: string, cell: string): string => join(directory, cell);

function streamOptions(
  streams: Readonly<Record<string, CellStream>> | undefined,
): Pick<ProducerOptions, 'streamName' | 'streamArn'> {
  if (streams === undefined) return {};
  const named = Object.entries(streams);
  const arns = named.flatMap(([region, { arn }]) => (arn === undefined ? [] : [[region, arn] as const]));
  return {
    streamName: Object.fromEntries(named.map(([region, { name }]) => [region, name])),
    ...(arns.length === 0 ? {} : { streamArn: Object.fromEntries(arns) }),
  };
}
