import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import pMap from 'p-map';
import type { ConsumerKind } from '../../lambda/core/consumers.ts';
import { streamField } from '../aws/stream-field.ts';
import { type AgeSource, readAges } from './iterator-age.ts';
import type { Lease } from './lease-item.ts';
import { leasesOf, readLeaseTable } from './leases.ts';

/** A consumer of a stream of the standby, by its name there. */
export interface StandbyConsumer {
  readonly cell: string;
  /** The stream by its name or its ARN. */
  readonly stream: string;
  readonly kind: ConsumerKind;
  readonly name: string;
}

/** Whether a consumer has taken up what arrives. */
export interface Taker extends StandbyConsumer {
  /** `no`: nothing is seen of it so far. `unknown`: it could not be asked for. */
  readonly took: 'yes' | 'no' | 'unknown';
  /** How old the last record was that it took, about. */
  readonly ageMs?: number;
}

export interface TakersQuestion {
  readonly cloudWatch: Pick<CloudWatchClient, 'send'>;
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  readonly kinesis: Pick<KinesisClient, 'send'>;
  /** Records of this time or later count. */
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const MINUTE_MS = 60_000;
const MOST_MINUTES = 60;
/** One lease that moves is enough, and looking up takes from the consumers' own reads: so many at a time, and so many in all. */
const LEASES_AT_ONCE = 4;
const MOST_LEASES = 32;
const PARALLEL = 4;

/** Which consumers have taken records since then: by their iterator age, or by the arrival of their checkpoints. Never throws. */
export async function readTakers(
  consumers: readonly StandbyConsumer[],
  question: TakersQuestion,
): Promise<readonly Taker[]> {
  const byMetric = consumers.flatMap((consumer) => {
    const source = sourceOf(consumer);
    return source === undefined ? [] : [{ consumer, source }];
  });
  const byLease = consumers.filter(({ kind }) => kind === 'kcl');
  const [measured, leased] = await Promise.all([
    byMetrics(byMetric, question),
    pMap(byLease, (consumer) => byLeases(consumer, question), { concurrency: PARALLEL }),
  ]);
  return [...measured, ...leased];
}

function sourceOf({ kind, name, stream }: StandbyConsumer): AgeSource | undefined {
  switch (kind) {
    case 'lambda':
      return { kind, function: name };
    case 'enhancedFanOut':
      return { kind, stream: nameOf(stream), name };
    case 'firehose':
      return { kind, name };
    case 'kcl':
    case 'other':
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** Of a stream that is named by its ARN. */
const nameOf = (stream: string): string => stream.split(':stream/').at(-1) ?? stream;

async function byMetrics(
  asked: readonly { readonly consumer: StandbyConsumer; readonly source: AgeSource }[],
  { cloudWatch: client, sinceMs, nowMs, timeoutMs, signal }: TakersQuestion,
): Promise<readonly Taker[]> {
  if (asked.length === 0) return [];
  const fromMs = Math.floor(sinceMs / MINUTE_MS) * MINUTE_MS;
  const minutes = Math.min(MOST_MINUTES, Math.ceil((nowMs - fromMs) / MINUTE_MS) + 1);
  try {
    const ages = await readAges(
      asked.map(({ source }) => source),
      { client, nowMs, minutes, timeoutMs, signal },
    );
    return asked.map(({ consumer }, n) => {
      const latest = ages[n]?.latest;
      if (latest === undefined || latest === null || latest.atMs < fromMs) return { ...consumer, took: 'no' };
      return { ...consumer, took: 'yes', ageMs: latest.maxMs };
    });
  } catch {
    return asked.map(({ consumer }) => ({ ...consumer, took: 'unknown' }));
  }
}

async function byLeases(consumer: StandbyConsumer, question: TakersQuestion): Promise<Taker> {
  const { dynamo: client, sinceMs, nowMs, timeoutMs, signal } = question;
  const table = await readLeaseTable({ client, table: consumer.name, timeoutMs, signal, maxPages: 1 });
  if (table.state === 'missing') return { ...consumer, took: 'no' };
  if (table.state !== 'leases') return { ...consumer, took: 'unknown' };
  const begun = leasesOf(table.leases, nameOf(consumer.stream)).flatMap((lease) =>
    lease.checkpoint.kind === 'record' ? [{ lease, at: BigInt(lease.checkpoint.sequenceNumber) }] : [],
  );
  // The highest first: of shards that are equally old, that is about the latest.
  const latest = begun.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, MOST_LEASES);
  let answered = 0;
  for (let from = 0; from < latest.length; from += LEASES_AT_ONCE) {
    const arrivals = await Promise.all(
      latest
        .slice(from, from + LEASES_AT_ONCE)
        .map(({ lease }) => arrivalOf(lease, consumer.stream, question)),
    );
    const known = arrivals.filter((atMs) => atMs !== undefined);
    const latestMs = Math.max(...known);
    if (latestMs >= sinceMs) return { ...consumer, took: 'yes', ageMs: Math.max(0, nowMs - latestMs) };
    answered += known.length;
  }
  const isSure = table.complete && table.damaged === 0 && answered === begun.length;
  return { ...consumer, took: isSure ? 'no' : 'unknown' };
}

/** When the record of a checkpoint arrived; undefined where it cannot be read. */
async function arrivalOf(
  { shardId, checkpoint }: Lease,
  stream: string,
  { kinesis, timeoutMs, signal }: TakersQuestion,
): Promise<number | undefined> {
  if (checkpoint.kind !== 'record') return undefined;
  const options = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  try {
    const start = new GetShardIteratorCommand({
      ...streamField(stream),
      ShardId: shardId,
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      StartingSequenceNumber: checkpoint.sequenceNumber,
    });
    const { ShardIterator } = await kinesis.send(start, options());
    const read = await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit: 1 }), options());
    const [record] = read.Records ?? [];
    // Another one comes when that of the checkpoint has expired, and says nothing of the application.
    if (record?.SequenceNumber !== checkpoint.sequenceNumber) return undefined;
    return record.ApproximateArrivalTimestamp?.getTime();
  } catch {
    return undefined;
  }
}
