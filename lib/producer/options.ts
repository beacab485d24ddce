import type { KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { ProducerConfigError } from './errors.ts';

export interface ProducerOptions {
  readonly signal: {
    /** The cell's TXT record, for example `signal.orders.example.com`. */
    readonly name: string;
    /** DNS servers as `address` or `address:port`. Default: the system's. */
    readonly servers?: readonly string[];
    /** Time between two questions. Default 2,000. */
    readonly pollMs?: number;
    /** Longest wait for one answer. Default 1,000. */
    readonly timeoutMs?: number;
  };
  /** The regions a signal may name; an answer that names another is ignored. */
  readonly regions: readonly string[];
  /** Default: the stream that the signal names. */
  readonly streamName?: string;
  /** Base URL of Kinesis in a region. Default: AWS's own. */
  readonly endpoint?: (region: string) => string | undefined;
  /** Default: the SDK's provider chain. */
  readonly credentials?: NonNullable<KinesisClientConfig['credentials']>;
  /** Records in memory at most; `put` waits for room. Default 10,000. */
  readonly maxBufferedRecords?: number;
  /** Bytes in memory at most; `put` waits for room. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
  /** Records in one request, at most 500. Default 500. */
  readonly maxBatchRecords?: number;
  /** Requests in flight at once. Default 16. */
  readonly maxInFlight?: number;
  /** How long a record may wait for company in its batch. Default 5. */
  readonly lingerMs?: number;
  /** Longest wait for the answer to one request. Default 3,000. */
  readonly requestTimeoutMs?: number;
  /** Longest time from `put` to its rejection with DeliveryTimeoutError. Default 120,000. */
  readonly deliveryTimeoutMs?: number;
  /** First and longest pause before a retry; drawn with full jitter. Default 50 and 2,000. */
  readonly retryBaseMs?: number;
  readonly retryMaxMs?: number;
  /** Uniform in [0, 1), for jitter. Default Math.random. */
  readonly random?: () => number;
}

export type Limits = Required<
  Omit<ProducerOptions, 'signal' | 'regions' | 'streamName' | 'endpoint' | 'credentials' | 'random'>
>;

const defaults: Limits = {
  maxBufferedRecords: 10_000,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxBatchRecords: 500,
  maxInFlight: 16,
  lingerMs: 5,
  requestTimeoutMs: 3_000,
  deliveryTimeoutMs: 120_000,
  retryBaseMs: 50,
  retryMaxMs: 2_000,
};

/** Kinesis: "each PutRecords request can support up to 500 records" (API Reference, PutRecords). */
const MAX_BATCH_RECORDS = 500;

/** @throws ProducerConfigError */
export function limitsOf(options: ProducerOptions): Limits {
  if (options.regions.length === 0) throw new ProducerConfigError('Name at least one region in `regions`.');
  if (options.signal.name === '')
    throw new ProducerConfigError('Give the TXT record to follow in `signal.name`.');
  const given = Object.fromEntries(
    Object.keys(defaults).flatMap((key) => {
      const value = options[key as keyof Limits];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const limits: Limits = { ...defaults, ...given };
  for (const [key, value] of Object.entries(limits)) {
    const least = key === 'lingerMs' ? 0 : 1;
    if (!Number.isInteger(value) || value < least) {
      throw new ProducerConfigError(`\`${key}\` is ${value}; write a whole number from ${least}.`);
    }
  }
  if (limits.maxBatchRecords > MAX_BATCH_RECORDS) {
    throw new ProducerConfigError(
      `\`maxBatchRecords\` is above ${MAX_BATCH_RECORDS}, the limit of PutRecords.`,
    );
  }
  return limits;
}
