import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  PutRecordsCommand,
  type PutRecordsOutput,
  type Shard,
} from '@aws-sdk/client-kinesis';
import { type Distribution, distributionOf } from '../../lambda/core/distribution.ts';
import { listShards } from '../aws/shards.ts';
import { streamField } from '../aws/stream-field.ts';
import { DrainError } from './errors.ts';
import { failureOf, keyAdvice } from './failure.ts';
import type { DrainLimits } from './limits.ts';
import type { StreamPlace } from './plan.ts';
import { type CopiedRecord, NO_KEY, type SourceRecord } from './record.ts';

/** Where to begin in a shard. */
export type Position =
  | { readonly after: string }
  /** With the record itself, if the shard still keeps it. */
  | { readonly at: string }
  | { readonly atMs: number }
  | 'oldest';

export interface StreamFacts {
  readonly createdAtMs: number;
  readonly retentionMs: number;
  readonly distribution: Distribution;
}

export interface ShardPage {
  readonly records: readonly SourceRecord[];
  /** Undefined when the shard is closed and read to its end. */
  readonly next: string | undefined;
  readonly behindMs: number;
}

export interface StreamOptions {
  /** With `maxAttempts: 1`: attempts are counted here. */
  readonly client: KinesisClient;
  readonly place: StreamPlace;
  readonly limits: DrainLimits;
  readonly signal: AbortSignal;
}

/** A thousand shards each; a stream may keep as many closed shards as it was resharded in its retention. */
const MAX_LISTINGS = 100;

/** One stream. Reads are retried until they succeed or a retry is useless; a put is sent once. */
export class DrainStream {
  readonly #client: KinesisClient;
  readonly #place: StreamPlace;
  readonly #limits: DrainLimits;
  readonly #signal: AbortSignal;

  constructor({ client, place, limits, signal }: StreamOptions) {
    this.#client = client;
    this.#place = place;
    this.#limits = limits;
    this.#signal = signal;
  }

  get name(): string {
    return `${this.#place.stream} in ${this.#place.region}`;
  }

  async facts(): Promise<StreamFacts> {
    const command = new DescribeStreamSummaryCommand(streamField(this.#place.stream));
    const { StreamDescriptionSummary: summary } = await this.#read('DescribeStreamSummary', (options) =>
      this.#client.send(command, options),
    );
    return {
      createdAtMs: summary?.StreamCreationTimestamp?.getTime() ?? 0,
      retentionMs: (summary?.RetentionPeriodHours ?? 24) * 3_600_000,
      distribution: distributionOf(summary?.RecordDistributionStrategy),
    };
  }

  /** Open and closed ones. */
  async shards(): Promise<readonly Shard[]> {
    const { shards, complete } = await listShards({
      ...streamField(this.#place.stream),
      maxAnswers: MAX_LISTINGS,
      ask: (command) => this.#read('ListShards', (options) => this.#client.send(command, options)),
    });
    if (complete) return shards;
    throw new DrainError(`${this.name} has more shards than ${MAX_LISTINGS} listings hold.`);
  }

  async iterator(shardId: string, position: Position): Promise<string | undefined> {
    const command = new GetShardIteratorCommand({
      ...streamField(this.#place.stream),
      ShardId: shardId,
      ...startOf(position),
    });
    const answer = await this.#read('GetShardIterator', (options) => this.#client.send(command, options));
    return answer.ShardIterator;
  }

  /** Undefined when the iterator has expired: get a new one. */
  async page(iterator: string): Promise<ShardPage | undefined> {
    const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: this.#limits.recordsPerRead });
    try {
      const answer = await this.#read('GetRecords', (options) => this.#client.send(command, options));
      const records = (answer.Records ?? []).map((record) => ({
        sequenceNumber: record.SequenceNumber ?? '',
        partitionKey: record.PartitionKey ?? NO_KEY,
        data: record.Data ?? new Uint8Array(),
        arrivedAtMs: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
      }));
      return { records, next: answer.NextShardIterator, behindMs: answer.MillisBehindLatest ?? 0 };
    } catch (error) {
      if (error instanceof DrainError && failureOf(error.cause) === 'expired') return undefined;
      throw error;
    }
  }

  /** Sends once. An interruption does not abort the call, so that its outcome is known. */
  put(records: readonly CopiedRecord[]): Promise<PutRecordsOutput> {
    const command = new PutRecordsCommand({
      ...streamField(this.#place.stream),
      Records: records.map(({ partitionKey, explicitHashKey, data }) => ({
        ...(partitionKey === NO_KEY ? {} : { PartitionKey: partitionKey }),
        ExplicitHashKey: explicitHashKey,
        Data: data,
      })),
    });
    return this.#client.send(command, { abortSignal: AbortSignal.timeout(this.#limits.requestTimeoutMs) });
  }

  async #read<Answer>(
    operation: string,
    call: (options: { abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      this.#signal.throwIfAborted();
      try {
        const timeout = AbortSignal.timeout(this.#limits.requestTimeoutMs);
        return await call({ abortSignal: AbortSignal.any([this.#signal, timeout]) });
      } catch (cause) {
        this.#signal.throwIfAborted();
        const failure = failureOf(cause);
        if (failure === 'fatal' || failure === 'expired' || attempt === this.#limits.maxAttempts) {
          const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
          const advice = keyAdvice(cause, 'read');
          throw new DrainError(
            `${operation} on ${this.name} failed after ${attempt} attempts: ${reason}.${advice}`,
            { cause },
          );
        }
      }
      await sleep(pauseMs(this.#limits, attempt), undefined, { signal: this.#signal });
    }
  }
}

function startOf(
  position: Position,
): Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'> {
  if (position === 'oldest') return { ShardIteratorType: 'TRIM_HORIZON' };
  if ('after' in position)
    return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: position.after };
  if ('at' in position)
    return { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: position.at };
  return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(position.atMs) };
}

/** Full jitter ("Exponential Backoff and Jitter", AWS Architecture Blog). */
export function pauseMs({ retryBaseMs, retryMaxMs }: DrainLimits, attempt: number): number {
  return Math.random() * Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(attempt - 1, 20));
}
