import { setTimeout as sleep } from 'node:timers/promises';
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
} from '@aws-sdk/client-kinesis';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { looksHarder, type RegionOutcomes } from '../core/observation.ts';
import type { SiblingName } from '../core/policy.ts';
import { type ProbeOutcome, READ_BACK } from '../core/probe.ts';
import type { PutPlace } from '../core/put-plan.ts';
import { type Measured, measure, StaleReadError } from './measure.ts';
import { type AcceptedPut, putOnce } from './put.ts';
import type { SiblingProbes } from './siblings.ts';

/** One region as seen by one observer. */
export interface ProbedRegion {
  readonly kinesis: KinesisClient;
  readonly cloudWatch: CloudWatchClient;
  readonly sts: STSClient;
  readonly siblings: SiblingProbes;
  readonly canaryStream: string;
  readonly metricNamespace: string;
  /** The shard that last took a record: to read from while none does. */
  lastShardId?: string | undefined;
  /** Name that distinguishes this observer's canary records and metrics from the others'. */
  readonly observer: string;
}

export interface ProbeRound {
  readonly timeoutMs: number;
  /** Where each put goes, each in a call of its own; all that the round may make. */
  readonly puts: readonly PutPlace[];
  /** How many of them are made in any case. The others follow if one of these fails. */
  readonly firstPuts: number;
  readonly slowDue: boolean;
  /** Services to probe as well, in slow rounds. */
  readonly siblings: readonly SiblingName[];
  readonly nowMs: number;
  /** First metric ever put to this region by this observer, or null. */
  readonly firstMetricAtMs: number | null;
}

/** The name that Kinesis gives the first shard of any stream. After a resharding it is closed, and later gone. */
const FIRST_SHARD = 'shardId-000000000000';
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

/**
 * Sends the first puts in parallel, each on its own connection. Then it reads back the first record that was
 * accepted, and if a put failed, sends the others meanwhile.
 */
async function probeKinesis(region: ProbedRegion, round: ProbeRound): Promise<RegionOutcomes> {
  const put = (place: PutPlace): Promise<Measured<AcceptedPut>> =>
    measure(round.timeoutMs, (abortSignal) => putOnce(region, { place, nowMs: round.nowMs, abortSignal }));
  const first = await Promise.all(round.puts.slice(0, round.firstPuts).map(put));
  const outcomes = first.map(({ outcome }) => outcome);
  const accepted = first.find(({ outcome }) => outcome.ok)?.value;
  region.lastShardId = accepted?.shardId ?? region.lastShardId;
  const [read, more] = await Promise.all([
    measure(round.timeoutMs, (abortSignal) => readBack(region, accepted, abortSignal)),
    Promise.all(looksHarder(outcomes) ? round.puts.slice(round.firstPuts).map(put) : []),
  ]);
  return {
    kinesisWrite: [...outcomes, ...more.map(({ outcome }) => outcome)],
    kinesisRead: [read.outcome],
  };
}

/**
 * Reads the record just put. Without a put, reading from the tip still shows whether reads work: a failed
 * write must not look like a failed read.
 */
async function readBack(
  region: ProbedRegion,
  put: AcceptedPut | undefined,
  abortSignal: AbortSignal,
): Promise<void> {
  const { ShardIterator } = await region.kinesis.send(
    new GetShardIteratorCommand({
      StreamName: region.canaryStream,
      ...(put === undefined
        ? { ShardId: region.lastShardId ?? FIRST_SHARD, ShardIteratorType: 'LATEST' as const }
        : {
            ShardId: put.shardId,
            ShardIteratorType: 'AT_SEQUENCE_NUMBER' as const,
            StartingSequenceNumber: put.sequenceNumber,
          }),
    }),
    { abortSignal },
  );
  let iterator = ShardIterator;
  for (let attempt = 0; attempt < READ_BACK.attempts && iterator !== undefined; attempt++) {
    if (attempt > 0) await sleep(READ_BACK.pauseMs, undefined, { signal: abortSignal });
    const page = await region.kinesis.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 10 }), {
      abortSignal,
    });
    if (put === undefined) return;
    if (page.Records?.some((record) => record.SequenceNumber === put.sequenceNumber)) return;
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
