import {
  type CloudWatchClient,
  type Dimension,
  GetMetricDataCommand,
  type MetricDataQuery,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import { readPages } from '../aws/pages.ts';
import { AgesUnreadableError } from './errors.ts';

/** Whose age is asked for. */
export type AgeSource =
  /** A function by its name, `name:alias`, or an ARN: the age of the last record of each batch that it was given. */
  | { readonly kind: 'lambda'; readonly function: string }
  /** Everybody who calls GetRecords on the stream, together; those of a registered consumer do not. */
  | { readonly kind: 'stream'; readonly stream: string }
  | { readonly kind: 'enhancedFanOut'; readonly stream: string; readonly name: string }
  | { readonly kind: 'firehose'; readonly name: string };

/** The highest age in a minute. */
export interface AgeMinute {
  /** The beginning of the minute. */
  readonly atMs: number;
  readonly maxMs: number;
}

export interface Ages {
  /** Minutes with data, oldest first. A minute without data is absent: nothing was read in it, or nothing is known. */
  readonly minutes: readonly AgeMinute[];
  /** The newest one; null where there is no data at all, which is not an age of 0. */
  readonly latest: AgeMinute | null;
}

export interface AgeQuestion {
  readonly client: Pick<CloudWatchClient, 'send'>;
  readonly nowMs: number;
  /** How many minutes back. CloudWatch keeps minutes for 15 days. */
  readonly minutes: number;
  /** Longest wait for one call. Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const PERIOD_SECONDS = 60;
const PERIOD_MS = PERIOD_SECONDS * 1_000;
/** API Reference, GetMetricData: 500 queries a call; an answer has up to 100,800 points. */
const MAX_QUERIES = 500;
const MAX_PAGES = 20;
const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * The ages of many consumers of one region, in the order asked, by one call for up to 500 of them. A metric that nobody
 * writes has no data, like one of a consumer that does not exist.
 *
 * @throws AgesUnreadableError, and what the SDK throws
 */
export async function readAges(
  sources: readonly AgeSource[],
  question: AgeQuestion,
): Promise<readonly Ages[]> {
  const found: Ages[] = [];
  for (let n = 0; n < sources.length; n += MAX_QUERIES) {
    found.push(...(await readSome(sources.slice(n, n + MAX_QUERIES), question)));
  }
  return found;
}

async function readSome(
  sources: readonly AgeSource[],
  { client, nowMs, minutes, timeoutMs = DEFAULT_TIMEOUT_MS, signal }: AgeQuestion,
): Promise<readonly Ages[]> {
  const endMs = Math.ceil(nowMs / PERIOD_MS) * PERIOD_MS;
  const window = { StartTime: new Date(endMs - minutes * PERIOD_MS), EndTime: new Date(endMs) };
  const { items, complete } = await readPages<MetricDataResult, string>({
    maxPages: MAX_PAGES,
    ask: async (token) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      const answer = await client.send(
        new GetMetricDataCommand({
          ...window,
          MetricDataQueries: sources.map(queryOf),
          ScanBy: 'TimestampAscending',
          ...(token === undefined ? {} : { NextToken: token }),
        }),
        { abortSignal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]) },
      );
      return { items: answer.MetricDataResults ?? [], next: answer.NextToken };
    },
  });
  if (!complete) throw new AgesUnreadableError(`CloudWatch has more than ${MAX_PAGES} pages of ages.`);
  const byId = Map.groupBy(items, ({ Id = '' }) => Id);
  return sources.map((_source, n) => agesOf(byId.get(idOf(n)) ?? []));
}

function agesOf(results: readonly MetricDataResult[]): Ages {
  const byMinute = new Map<number, number>();
  for (const { StatusCode, Timestamps = [], Values = [] } of results) {
    if (StatusCode === 'InternalError' || StatusCode === 'Forbidden') {
      throw new AgesUnreadableError(`CloudWatch answers ${StatusCode} for a metric.`);
    }
    for (const [n, time] of Timestamps.entries()) {
      const value = Values[n];
      const atMs = Math.floor(time.getTime() / PERIOD_MS) * PERIOD_MS;
      if (value !== undefined) byMinute.set(atMs, Math.max(value, byMinute.get(atMs) ?? 0));
    }
  }
  const minutes = [...byMinute].map(([atMs, maxMs]) => ({ atMs, maxMs })).toSorted((a, b) => a.atMs - b.atMs);
  return { minutes, latest: minutes.at(-1) ?? null };
}

const idOf = (n: number): string => `age${n}`;

function queryOf(source: AgeSource, n: number): MetricDataQuery {
  const { namespace, name, dimensions } = metricOf(source);
  return {
    Id: idOf(n),
    MetricStat: {
      Metric: { Namespace: namespace, MetricName: name, Dimensions: [...dimensions] },
      Period: PERIOD_SECONDS,
      Stat: 'Maximum',
    },
  };
}

interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly Dimension[];
}

function metricOf(source: AgeSource): Metric {
  switch (source.kind) {
    case 'lambda':
      return {
        namespace: 'AWS/Lambda',
        name: 'IteratorAge',
        dimensions: functionDimensions(source.function),
      };
    case 'stream':
      return {
        namespace: 'AWS/Kinesis',
        name: 'GetRecords.IteratorAgeMilliseconds',
        dimensions: [{ Name: 'StreamName', Value: source.stream }],
      };
    case 'enhancedFanOut':
      return {
        namespace: 'AWS/Kinesis',
        name: 'SubscribeToShardEvent.MillisBehindLatest',
        dimensions: [
          { Name: 'StreamName', Value: source.stream },
          { Name: 'ConsumerName', Value: source.name },
        ],
      };
    case 'firehose':
      return {
        namespace: 'AWS/Firehose',
        name: 'KinesisMillisBehindLatest',
        dimensions: [{ Name: 'DeliveryStreamName', Value: source.name }],
      };
    default:
      return source satisfies never;
  }
}

/**
 * Lambda Developer Guide, "Dimensions for Lambda metrics": `FunctionName` is everything that runs under the name; `Resource`,
 * `name:alias`, is one alias of it. The metric knows no mapping: a function with mappings to two streams has the age of the
 * slower one.
 */
function functionDimensions(named: string): readonly Dimension[] {
  const [name = '', qualifier] = (named.split(':function:').at(-1) ?? named).split(':');
  const dimensions = [{ Name: 'FunctionName', Value: name }];
  return qualifier === undefined
    ? dimensions
    : [...dimensions, { Name: 'Resource', Value: `${name}:${qualifier}` }];
}
