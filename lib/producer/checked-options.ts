import { Resolver } from 'node:dns/promises';
import { MOST_DOMAIN_CHARACTERS } from '../../lambda/core/beacon-item.ts';
import { isRegionName } from '../../lambda/core/signal.ts';
import type { BeaconEndpoints, BeaconOptions } from './beacons/beacon-options.ts';
import { assertArns, streamRules } from './checked-streams.ts';
import { ProducerConfigError } from './errors.ts';
import type { FollowSignalOptions } from './follow-options.ts';
import {
  callback,
  guarded,
  listOf,
  oneOf,
  optional,
  type Rule,
  readOptions,
  refuse,
  rule,
  text,
  timerMs,
  whole,
} from './option-rules.ts';
import type { AggregateOptions, ProducerOptions } from './options.ts';
import { spoolLimits } from './spool/limits.ts';
import { identityProblem } from './wire/identity.ts';

/** Kinesis Data Streams Developer Guide, "Quotas and limits": a stream's record size may be raised to 10 MiB. */
const MAX_RECORD_BYTES = 10 * 1024 * 1024;
/** Kinesis: "each PutRecords request can support up to 500 records" (API Reference, PutRecords). */
const MAX_BATCH_RECORDS = 500;

const server: Rule = (value, name) => {
  const wanted = 'an IP address, or one with a port, in a text';
  if (typeof value !== 'string') return refuse(name, wanted, value);
  try {
    new Resolver().setServers([value]);
  } catch {
    refuse(name, wanted, value);
  }
  return value;
};

const signalRules = {
  name: text('the name of the TXT record to follow'),
  servers: optional(listOf('a list of DNS servers', server)),
  pollMs: optional(timerMs(1)),
  timeoutMs: optional(timerMs(1)),
  ttlSeconds: optional(whole({ least: 1 })),
} as const satisfies Record<keyof ProducerOptions['signal'], Rule>;

const spoolRules = {
  directory: text('the path of a directory', (given) => given !== '' && !given.includes('\0')),
  maxBytes: optional((value, name) => {
    whole({ least: 1 })(value, name);
    try {
      spoolLimits({ maxBytes: value as number });
    } catch (cause) {
      throw new ProducerConfigError(`The spool: ${(cause as Error).message}`, { cause });
    }
    return value;
  }),
  afterMs: optional(whole({ least: 0 })),
} as const satisfies Record<keyof NonNullable<ProducerOptions['spool']>, Rule>;

const url: Rule = rule('a URL with http: or https:, in a text', isUrl);
/** Its text may hold a password and is not shown. */
const proxy: Rule = (value, name) => {
  if (value === 'environment' || value === 'none' || isUrl(value)) return value;
  const wanted = "the URL of an HTTP proxy with http: or https:, 'environment' or 'none'";
  if (typeof value !== 'string') return refuse(name, wanted, value);
  throw new ProducerConfigError(`${name} is ${wanted}.`);
};

const beaconEndpointRules = {
  dynamodb: optional(url),
  sts: optional(url),
} as const satisfies Record<keyof BeaconEndpoints, Rule>;

const beaconEndpoint: Rule = (value, name) => {
  if (typeof value === 'string') return url(value, name);
  const wanted = 'a URL with http: or https:, in a text, or one for each of `dynamodb` and `sts`';
  if (typeof value !== 'object' || value === null) return refuse(name, wanted, value);
  const urls = readOptions(value, { rules: beaconEndpointRules, name, prefix: 'beacons.endpoint.' });
  // A misspelt service would be asked elsewhere than where the application says, without a word.
  const strange = Object.keys(value).find((key) => !(key in beaconEndpointRules));
  if (strange === undefined && Object.keys(urls).length > 0) return urls;
  const found = strange === undefined ? 'an object that names neither' : `one for \`${strange}\``;
  throw new ProducerConfigError(`${name} is ${wanted}, not ${found}.`);
};

const beaconRules = {
  table: text('the name of a table, of 3 to 255 letters, digits, dots, dashes and underscores', (given) =>
    /^[A-Za-z0-9_.-]{3,255}$/.test(given),
  ),
  region: text('the name of a region, such as us-west-2', isRegionName),
  domain: optional(
    text(
      `a name of 1 to ${MOST_DOMAIN_CHARACTERS} characters`,
      (given) => given !== '' && given.length <= MOST_DOMAIN_CHARACTERS,
    ),
  ),
  endpoint: optional(beaconEndpoint),
} as const satisfies Record<keyof BeaconOptions, Rule>;

/** The rules that `followSignal` shares with the producer. */
const followRules = {
  signal: (value) => readOptions(value, { rules: signalRules, name: '`signal`', prefix: 'signal.' }),
  regions: listOf(
    'a list of at least one region',
    text('the name of a region, such as us-east-1', isRegionName),
  ),
  ...streamRules,
  endpoint: optional(callback('a function that is given a region and returns the base URL of its Kinesis')),
  beacons: optional((value) =>
    readOptions(value, { rules: beaconRules, name: '`beacons`', prefix: 'beacons.' }),
  ),
  proxy: optional(proxy),
  lookup: optional(callback('a function with the signature of `dns.lookup`')),
} as const satisfies Partial<Record<keyof ProducerOptions, Rule>>;

const followSignalRules = {
  ...followRules,
  firstSignalTimeoutMs: optional(timerMs(0)),
  createClient: optional(callback('a function that is given a region and returns a KinesisClient')),
  onProblem: optional(callback('a function')),
} as const satisfies Record<keyof FollowSignalOptions, Rule>;

const aggregateOptionRules = {
  by: optional(oneOf('shard', 'key')),
  maxBytes: optional(whole({ least: 1, most: MAX_RECORD_BYTES, why: 'the most that Kinesis takes' })),
  lingerMs: optional(timerMs(0)),
} as const satisfies Record<keyof AggregateOptions, Rule>;

const aggregate: Rule = (value, name) => {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null)
    return refuse(name, 'true, false, or an object such as `{ by: "key" }`', value);
  return readOptions(value, { rules: aggregateOptionRules, name, prefix: 'aggregate.' });
};

const producerRules = {
  ...followRules,
  credentials: optional((value) => identityOrProvider(value)),
  transport: optional(oneOf('fast', 'sdk')),
  encoding: optional(oneOf('cbor', 'json')),
  order: optional(oneOf('perKey', 'none')),
  spool: optional((value) => readOptions(value, { rules: spoolRules, name: '`spool`', prefix: 'spool.' })),
  acknowledge: optional(oneOf('delivered', 'spooled')),
  telemetry: optional(oneOf('auto', false)),
  envelope: optional(oneOf(true, false)),
  aggregate: optional(aggregate),
  maxRecordBytes: optional(whole({ least: 1, most: MAX_RECORD_BYTES, why: 'the most that Kinesis takes' })),
  maxBufferedRecords: optional(whole({ least: 1 })),
  maxBufferedBytes: optional(whole({ least: 1 })),
  maxBatchRecords: optional(whole({ least: 1, most: MAX_BATCH_RECORDS, why: 'the limit of PutRecords' })),
  maxInFlight: optional(whole({ least: 1 })),
  lingerMs: optional(timerMs(0)),
  requestTimeoutMs: optional(timerMs(1)),
  deliveryTimeoutMs: optional(whole({ least: 1 })),
  retryBaseMs: optional(timerMs(1)),
  retryMaxMs: optional(timerMs(1)),
  random: optional(callback('a function that returns a number from 0 to below 1')),
} as const satisfies Record<keyof ProducerOptions, Rule>;

/**
 * A checked copy of the options. Each option is read once, so a bad one fails here and not when a region has
 * failed. For the same reason `endpoint` is called for every region, and `random` once.
 *
 * @throws ProducerConfigError
 */
export function checkedOptions(given: unknown): ProducerOptions {
  const options = readOptions(given, { rules: producerRules, name: 'The options of a producer' });
  const { acknowledge, spool } = options;
  if (acknowledge === 'spooled' && spool === undefined) {
    throw new ProducerConfigError("`acknowledge: 'spooled'` needs `spool: { directory }`.");
  }
  return withCallbacks(options as unknown as ProducerOptions);
}

/** A checked copy of the options of `followSignal`. @throws ProducerConfigError */
export function checkedFollowOptions(given: unknown): FollowSignalOptions {
  const options = readOptions(given, { rules: followSignalRules, name: 'The options of `followSignal`' });
  return withCallbacks(options as unknown as FollowSignalOptions);
}

/**
 * The options with answers of `endpoint` that are known to be URLs, and a `random` that always gives a
 * number.
 */
function withCallbacks<Options extends FollowSignalOptions & Pick<ProducerOptions, 'random'>>(
  options: Options,
): Options {
  const { endpoint, random, regions } = options;
  assertArns(options);
  return {
    ...options,
    ...(endpoint === undefined ? {} : { endpoint: endpointsOf(endpoint, regions) }),
    ...(random === undefined ? {} : { random: steady(random) }),
  };
}

function endpointsOf(
  endpoint: NonNullable<ProducerOptions['endpoint']>,
  regions: readonly string[],
): NonNullable<ProducerOptions['endpoint']> {
  const urls = new Map(regions.map((region) => [region, urlOf(endpoint, region)]));
  return (region) => urls.get(region);
}

function urlOf(endpoint: NonNullable<ProducerOptions['endpoint']>, region: string): string | undefined {
  const name = `\`endpoint\` of ${region}`;
  const url: unknown = guarded(name, () => endpoint(region));
  if (url === undefined) return undefined;
  if (!isUrl(url)) refuse(name, 'a URL with http: or https:, in a text, or undefined', url);
  return url as string;
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '');
}

/**
 * A bad `random` must not end the retries that it spreads: where the callback fails later on, Math.random is
 * used.
 */
function steady(random: () => number): () => number {
  rule('a number from 0 to below 1', isFraction)(guarded('`random`', random), 'What `random` returned');
  return () => {
    try {
      const number = random();
      return isFraction(number) ? number : Math.random();
    } catch {
      return Math.random();
    }
  };
}

function isFraction(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < 1;
}

/** Keeps the given object instead of a copy: some identities renew themselves. */
function identityOrProvider(value: unknown): unknown {
  if (typeof value === 'function') return value;
  const problem = identityProblem(value);
  if (problem === undefined) return value;
  throw new ProducerConfigError(
    `\`credentials\` are \`{ accessKeyId, secretAccessKey }\` or a function that resolves to them: ${problem}.`,
  );
}
