import type { LookupFunction } from 'node:net';
import type { KinesisClientConfig } from '@aws-sdk/client-kinesis';
import type { BeaconOptions } from './beacons/beacon-options.ts';
import { MAX_TIMER_MS, optional, readOptions, rule } from './option-rules.ts';
import type { ProxyChoice } from './wire/proxy.ts';

export interface ProducerOptions {
  readonly signal: {
    /** The cell's TXT record, for example `signal.orders.example.com`. */
    readonly name: string;
    /**
     * DNS servers as `address` or `address:port`. Default: what was given to `dns.setServers`, else the system's, which are
     * read again before each question.
     */
    readonly servers?: readonly string[];
    /** Time between two questions. Default 2,000. */
    readonly pollMs?: number;
    /** Longest wait for one answer. Default 1,000. */
    readonly timeoutMs?: number;
    /** The record's TTL (`delivery.dnsTtlSeconds`); a resolver that keeps it for longer is a problem. Default 5. */
    readonly ttlSeconds?: number;
  };
  /** The regions a signal may name; an answer that names another is ignored. */
  readonly regions: readonly string[];
  /** Default: the stream that the signal names. Either one name for every region, or one for each. */
  readonly streamName?: string | Readonly<Record<string, string>>;
  /**
   * The ARN of the stream, by region, for a stream of another account (docs/other-accounts.md). In its region it goes before
   * `streamName` and the signal.
   */
  readonly streamArn?: Readonly<Record<string, string>>;
  /**
   * Accounts that a signal may name, as `regions`: a signal that names another is ignored. Default: none. The streams that signals
   * name are then in the account of the credentials.
   */
  readonly accounts?: readonly string[];
  /**
   * Base URL of Kinesis in a region, asked once for each of `regions`. Default: the host that the AWS SDK would ask, by the
   * environment and the shared config file.
   */
  readonly endpoint?: (region: string) => string | undefined;
  /**
   * How AWS is reached, with CONNECT: the URL of an HTTP proxy (http: or https:, with a login where it wants one); `environment`:
   * as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say; `none`: directly. Also for beacons, and for the services that the
   * default credentials come from. Default: directly, as the SDK does; where the environment names a proxy, the event
   * `endpointProblem` says so.
   */
  readonly proxy?: ProxyChoice;
  /**
   * How hosts are looked up for all of this, with the signature of `dns.lookup`. Default: DNS queries that take no thread from the
   * spool (docs/resolvers.md). Give `dns.lookup` on a machine where only the system knows the hosts.
   */
  readonly lookup?: LookupFunction;
  /**
   * Default: the SDK's provider chain. `fast` waits 10 s for credentials, and refreshes them beside the
   * traffic.
   */
  readonly credentials?: NonNullable<KinesisClientConfig['credentials']>;
  /** `fast`: Spillway's own transport, several times as fast. `sdk`: the SDK's client. Default `fast`. */
  readonly transport?: 'fast' | 'sdk';
  /**
   * What `fast` sends: `cbor`, Kinesis' binary protocol, is a quarter smaller; an endpoint that turns out not
   * to understand it gets JSON. `json` always sends JSON. Default `cbor`. (`sdk` sends JSON.)
   */
  readonly encoding?: 'cbor' | 'json';
  /**
   * `perKey`: only one record of a key is in flight, which keeps its order. `none`: as fast as possible.
   * Default `perKey`.
   */
  readonly order?: 'perKey' | 'none';
  /**
   * Where records wait on disk while no region takes them, or while their own key or shard is overloaded
   * (docs/producer.md). With a spool, `put` is not rejected for an outage, and acknowledged records survive
   * this process. Default: none, and records wait in memory.
   */
  readonly spool?: {
    /** Directory of the spool. One process at a time owns it. */
    readonly directory: string;
    /**
     * Default 1 GiB. Beyond this size `put` rejects with SpoolFullError while no region takes records. While
     * a region does, busy keys and shards may use half of it, and further calls for them wait.
     */
    readonly maxBytes?: number;
    /**
     * All records are acknowledged from the disk once a region has failed or not answered for this long since
     * a record was sent, or once there has been no signal for this long. Milliseconds, default 2,000.
     */
    readonly afterMs?: number;
  };
  /**
   * Who acknowledges: `delivered`: the stream, or the spool for a record that has to wait there. `spooled`:
   * always the spool. Default `delivered`.
   */
  readonly acknowledge?: 'delivered' | 'spooled';
  /**
   * Reports in the background how the writes of this process fare, for the observers of Spillway (docs/beacons.md).
   * Default: no reports.
   */
  readonly beacons?: BeaconOptions;
  /**
   * `auto`: tells OpenTelemetry what the producer does, if the application has `@opentelemetry/api` (docs/telemetry.md). `false`: does
   * not look for it. Default `auto`.
   */
  readonly telemetry?: 'auto' | false;
  /**
   * Wraps each record with an id for deduplication and a number per key (docs/envelope.md), for consumers
   * that use `spillway/consumer`. Costs 56 bytes a record. Default false: consumers see the bytes that were
   * put.
   */
  readonly envelope?: boolean;
  /**
   * Puts many records into one record of Kinesis, in the KPL's format (docs/aggregates.md), for consumers that take aggregates apart:
   * the KCL, `aws-kinesis-agg`, `spillway/consumer`. Default false; `true` is `{}`.
   */
  readonly aggregate?: boolean | AggregateOptions;
  /**
   * Most bytes of one record with its key, as the streams allow. At most 10 MiB, less 4 KiB that a request
   * needs; 7.5 MiB as JSON. Default 1 MiB.
   */
  readonly maxRecordBytes?: number;
  /** Records in memory at most; `put` waits for room. Default 10,000. */
  readonly maxBufferedRecords?: number;
  /** Bytes in memory at most; `put` waits for room. Default 64 MiB. */
  readonly maxBufferedBytes?: number;
  /** Records in one request, at most 500. Default 500. */
  readonly maxBatchRecords?: number;
  /** Requests in flight at once, to one region. Default 16. */
  readonly maxInFlight?: number;
  /** How long a record may wait for others to share its batch. Default 5. */
  readonly lingerMs?: number;
  /** Longest wait for the answer to one request. Default 3,000. */
  readonly requestTimeoutMs?: number;
  /**
   * Without a spool: a record that no region has taken within this time is rejected with
   * DeliveryTimeoutError. The time counts from when the record has room in memory; a call that waits for room
   * is rejected when it has waited this long and no record at all was delivered in that time. With a spool:
   * how long a call waits for a spool that cannot be opened, because another process has it or the disk
   * fails. Default 120,000.
   */
  readonly deliveryTimeoutMs?: number;
  /** First and longest pause before a retry; drawn with full jitter. Default 50 and 2,000. */
  readonly retryBaseMs?: number;
  readonly retryMaxMs?: number;
  /**
   * Uniform in [0, 1), for jitter; if it fails later on, Math.random is used instead. Default Math.random.
   */
  readonly random?: () => number;
}

export interface AggregateOptions {
  /**
   * `shard`: records that belong to one shard share an aggregate; needs the right to ListShards, and aggregates by key without it.
   * `key`: records of one partition key, or, with `order: 'none'`, records that get one explicit hash key. Default `shard`.
   */
  readonly by?: 'shard' | 'key';
  /**
   * Most bytes of a Kinesis record with its key. Default 50,000, which is two of the units that Kinesis bills; then a key
   * that alone has more waiting may fill more units, up to 1 MiB.
   */
  readonly maxBytes?: number;
  /** How long a record may wait for others to share its aggregate. Default 100. */
  readonly lingerMs?: number;
}

/** Every number of the options, with its default filled in. */
export interface Limits {
  readonly maxRecordBytes: number;
  readonly maxBufferedRecords: number;
  readonly maxBufferedBytes: number;
  readonly maxBatchRecords: number;
  readonly maxInFlight: number;
  readonly lingerMs: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
}

const defaults: Limits = {
  maxRecordBytes: 1024 * 1024,
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

/** Of options that have been checked. */
export function limitsOf(options: ProducerOptions): Limits {
  const given = Object.entries(options).filter(
    ([key, value]) => Object.hasOwn(defaults, key) && value !== undefined,
  );
  return { ...defaults, ...(Object.fromEntries(given) as Partial<Limits>) };
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;

/**
 * Reads `timeoutMs` of the options of `close`. Infinity and other long times become the longest time of a
 * timer.
 *
 * @throws ProducerConfigError
 */
export function closeTimeoutOf(options: unknown): number {
  if (options === undefined) return DEFAULT_CLOSE_TIMEOUT_MS;
  const { timeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = readOptions(options, {
    rules: { timeoutMs: optional(someMs) },
    name: 'The options of `close`',
  });
  return Math.min(Math.max(timeoutMs as number, 0), MAX_TIMER_MS);
}

/** Any number but NaN: the rest of a caller's time budget may be a fraction, or negative. */
const someMs = rule('a number of milliseconds', (value) => typeof value === 'number' && !Number.isNaN(value));
