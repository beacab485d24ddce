import { GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import {
  type CellCapacity,
  type Load,
  type StreamCapacity,
  shortfalls,
} from '../../../lambda/core/fitness.ts';
import type { Cell } from '../../config/config.ts';
import { type Check, type DoctorContext, each, ill, well } from './check.ts';
import { describe, type Role, type StreamFacts } from './streams.ts';

const CHECK = 'standby capacity';
const DAY_MS = 86_400_000;
/** Weekly peaks are in it. */
const LOOK_BACK_DAYS = 14;
/** A world on this machine is not older, and its CloudWatch is slow over long spans. */
const LOCAL_LOOK_BACK_MS = 3_600_000;
/** CloudWatch keeps periods of 5 minutes for 63 days; two weeks of one metric are 4,032 points. */
const PERIOD_SECONDS = 300;
/** Within five minutes traffic is not even. [inferred] */
const BURST = 1.5;
const PARALLEL = 4;
const MAX_PAGES = 10;

/** A cold standby throttles a full evacuation: what the primary really takes must fit. */
export const capacity: Check = {
  check: CHECK,
  purpose: "the standby's streams take the primary's real peak of two weeks",
  run: async (context) => {
    const { config, local } = context;
    const surveyed = await each(config.cells, PARALLEL, (cell) => survey(context, cell));
    const silent = surveyed.filter(({ peak }) => peak.recordsPerSecond === 0).map(({ cell }) => cell);
    const problems = shortfalls(surveyed, 'standby').map((text) =>
      ill(
        CHECK,
        text,
        'Add shards to the stream in the standby, or warm it (UpdateStreamWarmThroughput), before it is needed.',
      ),
    );
    if (problems.length > 0) return problems;
    const unseen = silent.length === 0 ? '' : `; no traffic was measured for ${silent.length}`;
    const period = local ? 'what was measured' : `the peak of ${LOOK_BACK_DAYS} days`;
    return [well(CHECK, `${config.cells.length} cells fit ${period}${unseen}`)];
  },
};

async function survey(context: DoctorContext, cell: Cell): Promise<CellCapacity> {
  const { primary, standby } = cell.streams;
  const [there, here, facts] = await Promise.all([
    peakOf(context, 'primary', primary.name),
    peakOf(context, 'standby', standby.name),
    describe(context, 'standby', standby.name),
  ]);
  return {
    cell: cell.name,
    surveyedAtMs: context.nowMs,
    peak: there,
    ...(typeof facts === 'string' ? {} : { standby: capacityOf(facts, here) }),
  };
}

export const capacityOf = ({ mode, shards }: StreamFacts, peak: Load): StreamCapacity =>
  mode === 'ON_DEMAND' ? { mode: 'on-demand', peak } : { mode: 'provisioned', shards };

async function peakOf(
  { clients, config, nowMs, local }: DoctorContext,
  role: Role,
  stream: string,
): Promise<Load> {
  const cloudWatch = clients.cloudWatch(config.regions[role]);
  let peak: Load = { bytesPerSecond: 0, recordsPerSecond: 0 };
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await cloudWatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(nowMs - (local ? LOCAL_LOOK_BACK_MS : LOOK_BACK_DAYS * DAY_MS)),
        EndTime: new Date(nowMs),
        MetricDataQueries: [
          query('bytes', 'IncomingBytes', stream),
          query('records', 'IncomingRecords', stream),
        ],
        ...(token === undefined ? {} : { NextToken: token }),
      }),
    );
    const most = (id: string): number =>
      Math.max(
        0,
        ...(answer.MetricDataResults ?? [])
          .filter((result) => result.Id === id)
          .flatMap(({ Values = [] }) => Values),
      );
    peak = {
      bytesPerSecond: Math.max(peak.bytesPerSecond, perSecond(most('bytes'))),
      recordsPerSecond: Math.max(peak.recordsPerSecond, perSecond(most('records'))),
    };
    token = answer.NextToken;
    if (token === undefined) break;
  }
  return peak;
}

const perSecond = (sum: number): number => (sum / PERIOD_SECONDS) * BURST;

const query = (id: string, metric: string, stream: string): MetricDataQuery => ({
  Id: id,
  MetricStat: {
    Metric: {
      Namespace: 'AWS/Kinesis',
      MetricName: metric,
      Dimensions: [{ Name: 'StreamName', Value: stream }],
    },
    Period: PERIOD_SECONDS,
    Stat: 'Sum',
  },
});
