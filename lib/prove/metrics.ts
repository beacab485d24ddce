import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { metricNamespace } from '../../lambda/core/names.ts';
import { observerRegions } from '../config/config.ts';
import type { Check } from './check.ts';
import { type ProveContext, within } from './context.ts';
import { judged, spread, undecided } from './judgement.ts';

export interface MetricsSeen {
  readonly heartbeats: readonly {
    readonly observer: string;
    /** The region that the heartbeat was put to. */
    readonly region: string;
    /** Age of the newest point; undefined when there is none within half an hour. */
    readonly ageMs: number | undefined;
  }[];
}

const TIMEOUT_MS = 5_000;
const LOOK_BACK_MS = 30 * 60_000;
/** Observers put one every two minutes, and call CloudWatch stale after five more; a point is stamped by its minute. */
const MOST_AGE_MS = (2 + 5) * 60_000;
const SECOND_MS = 1_000;

export const metrics: Check<'metrics', MetricsSeen> = {
  observe: async (context) => {
    const { primary, standby } = context.config.regions;
    const pairs = [primary, standby].flatMap((region) =>
      observerRegions(context.config.regions).map((observer) => ({ observer, region })),
    );
    const heartbeats = await Promise.all(
      pairs.map(async (pair) => ({ ...pair, ageMs: await newestAgeMs(context, pair) })),
    );
    return { heartbeats };
  },
  judges: {
    'metrics-within-minutes': ({ heartbeats }) => {
      const known = heartbeats.flatMap(({ ageMs }) => (ageMs === undefined ? [] : [ageMs]));
      if (known.length === 0) return undecided('no observer has put a heartbeat for half an hour');
      const figures = spread(
        'AgeSeconds',
        known.map((ms) => ms / SECOND_MS),
      );
      const late = heartbeats.filter(({ ageMs }) => ageMs === undefined || ageMs > MOST_AGE_MS);
      const note = late.map(({ observer, region }) => `${observer} in ${region}`).join(', ');
      return judged(late.length === 0, figures, late.length === 0 ? undefined : `late: ${note}`);
    },
  },
};

async function newestAgeMs(
  { clients, config, nowMs }: ProveContext,
  { observer, region }: { readonly observer: string; readonly region: string },
): Promise<number | undefined> {
  const atMs = nowMs();
  const Metric = {
    Namespace: metricNamespace(config.name),
    MetricName: 'ObserverHeartbeat',
    Dimensions: [{ Name: 'Observer', Value: observer }],
  };
  const { MetricDataResults } = await clients.cloudWatch(region).send(
    new GetMetricDataCommand({
      StartTime: new Date(atMs - LOOK_BACK_MS),
      EndTime: new Date(atMs + 60_000),
      ScanBy: 'TimestampDescending',
      MetricDataQueries: [{ Id: 'heartbeat', MetricStat: { Metric, Period: 60, Stat: 'SampleCount' } }],
    }),
    within(TIMEOUT_MS),
  );
  const newest = MetricDataResults?.[0]?.Timestamps?.[0]?.getTime();
  return newest === undefined ? undefined : atMs - newest;
}
