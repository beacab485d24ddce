import {
  type CloudWatchClient,
  GetMetricDataCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  PutRecordCommand,
  type PutRecordCommandOutput,
} from '@aws-sdk/client-kinesis';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import type { RegionOutcomes } from '../core/observation.ts';
import type { SiblingName } from '../core/policy.ts';
import type { ProbeOutcome } from '../core/probe.ts';
import { measure, StaleReadError } from './measure.ts';
import type { SiblingProbes } from './siblings.ts';

/** One region as seen by one observer. */
export interface ProbedRegion {
  readonly kinesis: KinesisClient;
  readonly cloudWatch: CloudWatchClient;
  readonly sts: STSClient;
  readonly siblings: SiblingProbes;
  readonly canaryStream: string;
  readonly metricNamespace: string;
  /** Name that distinguishes this observer's canary records and metrics from the others'. */
  readonly observer: string;
}

export interface ProbeRound {
  readonly timeoutMs: number;
  /** Canary records to put, each in a call of its own. */
  readonly puts: number;
  readonly slowDue: boolean;
  /** Services to probe as well, in slow rounds. */
  readonly siblings: readonly SiblingName[];
  readonly nowMs: number;
  /** First metric ever put to this region by this observer, or null. */
  readonly firstMetricAtMs: number | null;
}

/** The canary has one shard; this is the name Kinesis gives the first shard of any stream. */
const FIRST_SHARD = 'shardId-000000000000';
const READ_ATTEMPTS = 2;
/** CloudWatch shows a point within a minute or two; one that is older than this means that metrics are being lost. */
const METRIC_MAX_AGE_MS = 5 * 60_000;

/** Probes one region once. Takes at most two time-outs, and never throws: a failure is an outcome. */
export async function probeRegion(region: ProbedRegion, round: ProbeRound): Promise<RegionOutcomes> {
  const slow = round.slowDue ? probeSlowly(region, round) : Promise.resolve({});
  const [kinesis, reachability, slowOutcomes] = await Promise.all([
    probeKinesis(region, round),
    measure(round.timeoutMs, (abortSignal) =>
      region.sts.send(new GetCallerIdentityCommand({}), { abortSignal }),
    ),
    slow,
  ]);
  return { ...kinesis, reachability: [reachability.outcome], ...slowOutcomes };
}

/** Sends the puts in parallel, each on its own connection, and reads back the first record that succeeded. */
async function probeKinesis(region: ProbedRegion, round: ProbeRound): Promise<RegionOutcomes> {
  const puts = await Promise.all(
    Array.from({ length: round.puts }, (_, n) =>
      measure(round.timeoutMs, (abortSignal) =>
        region.kinesis.send(
          new PutRecordCommand({
            StreamName: region.canaryStream,
            PartitionKey: `${region.observer}/${n}`,
            Data: new TextEncoder().encode(JSON.stringify({ observer: region.observer, atMs: round.nowMs })),
          }),
          { abortSignal },
        ),
      ),
    ),
  );
  const accepted = puts.find((put) => put.outcome.ok)?.value;
  const read = await measure(round.timeoutMs, (abortSignal) => readBack(region, accepted, abortSignal));
  return { kinesisWrite: puts.map((put) => put.outcome), kinesisRead: [read.outcome] };
}

/**
 * Reads the record just put. Without a put, reading from the tip still shows whether reads work: a failed
 * write must not look like a failed read.
 */
async function readBack(
  region: ProbedRegion,
  put: PutRecordCommandOutput | undefined,
  abortSignal: AbortSignal,
): Promise<void> {
  const { ShardIterator } = await region.kinesis.send(
    new GetShardIteratorCommand({
      StreamName: region.canaryStream,
      ShardId: put?.ShardId ?? FIRST_SHARD,
      ...(put?.SequenceNumber === undefined
        ? { ShardIteratorType: 'LATEST' as const }
        : { ShardIteratorType: 'AT_SEQUENCE_NUMBER' as const, StartingSequenceNumber: put.SequenceNumber }),
    }),
    { abortSignal },
  );
  let iterator = ShardIterator;
  for (let attempt = 0; attempt < READ_ATTEMPTS && iterator !== undefined; attempt++) {
    const page = await region.kinesis.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 10 }), {
      abortSignal,
    });
    if (put === undefined) return;
    if (page.Records?.some((record) => record.SequenceNumber === put.SequenceNumber)) return;
    iterator = page.NextShardIterator;
  }
  throw new StaleReadError('the record just put is not there to be read');
}

async function probeSlowly(region: ProbedRegion, round: ProbeRound): Promise<RegionOutcomes> {
  const [cloudWatch, controlPlane, siblings] = await Promise.all([
    probeCloudWatch(region, round),
    measure(round.timeoutMs, (abortSignal) =>
      region.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: region.canaryStream }), {
        abortSignal,
      }),
    ),
    Promise.all(
      round.siblings.map(async (name) => {
        const { outcome } = await measure(round.timeoutMs, region.siblings[name]);
        return [name, [outcome]] as const;
      }),
    ),
  ]);
  return {
    cloudWatch: [cloudWatch],
    controlPlane: [controlPlane.outcome],
    ...(Object.fromEntries(siblings) as Partial<Record<SiblingName, readonly ProbeOutcome[]>>),
  };
}

async function probeCloudWatch(region: ProbedRegion, round: ProbeRound): Promise<ProbeOutcome> {
  const metric = {
    Namespace: region.metricNamespace,
    MetricName: 'ObserverHeartbeat',
    Dimensions: [{ Name: 'Observer', Value: region.observer }],
  };
  const put = await measure(round.timeoutMs, (abortSignal) =>
    region.cloudWatch.send(
      new PutMetricDataCommand({
        Namespace: metric.Namespace,
        MetricData: [
          { MetricName: metric.MetricName, Dimensions: metric.Dimensions, Value: 1, Unit: 'Count' },
        ],
      }),
      { abortSignal },
    ),
  );
  if (!put.outcome.ok) return put.outcome;
  const read = await measure(round.timeoutMs, async (abortSignal) => {
    const { MetricDataResults } = await region.cloudWatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(round.nowMs - 2 * METRIC_MAX_AGE_MS),
        EndTime: new Date(round.nowMs + 60_000),
        ScanBy: 'TimestampDescending',
        MetricDataQueries: [
          { Id: 'heartbeat', MetricStat: { Metric: metric, Period: 60, Stat: 'SampleCount' } },
        ],
      }),
      { abortSignal },
    );
    const newestMs = MetricDataResults?.[0]?.Timestamps?.[0]?.getTime() ?? 0;
    const expected =
      round.firstMetricAtMs !== null && round.nowMs - round.firstMetricAtMs > METRIC_MAX_AGE_MS;
    if (expected && round.nowMs - newestMs > METRIC_MAX_AGE_MS) {
      throw new StaleReadError('CloudWatch returns no fresh point of the heartbeat metric');
    }
  });
  return read.outcome;
}
