import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type GetMetricDataCommandOutput,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import type { Load } from '../../lambda/core/fitness.ts';
import { readPages } from '../aws/pages.ts';
import { PeaksUnreadableError } from './errors.ts';

/**
 * The peak is that of five minutes. By the minute there would be five times the data: 20,160 points for each
 * metric of a stream, and 80 million for a thousand cells, while an answer holds 100,800. A burst of one
 * minute above the average of its five minutes is not seen. So the peak is never too high, and never calls a
 * stream of the primary too small for what that very stream took.
 */
const PERIOD_SECONDS = 300;
/** Two weeks of 12 streams fit into one page, but AWS may give smaller pages. */
const MAX_PAGES = 10;

export interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Reads the highest load of each stream in the window; 0 where there was none. One call and as many pages as
 * its data needs: at most 250 streams, since GetMetricData takes 500 queries.
 *
 * @throws PeaksUnreadableError, and what the SDK throws
 */
export async function readPeaks(
  client: CloudWatchClient,
  streams: readonly string[],
  { fromMs, untilMs }: Window,
): Promise<readonly Load[]> {
  const sums = new Map<string, number>();
  const { complete } = await readPages<never, string>({
    maxPages: MAX_PAGES,
    ask: async (token) => {
      const answer = await client.send(
        new GetMetricDataCommand({
          StartTime: new Date(fromMs),
          EndTime: new Date(untilMs),
          MetricDataQueries: streams.flatMap((stream, n) => [
            query(`bytes${n}`, 'IncomingBytes', stream),
            query(`records${n}`, 'IncomingRecords', stream),
          ]),
          ...(token === undefined ? {} : { NextToken: token }),
        }),
      );
      keepHighest(sums, answer);
      return { items: [], next: answer.NextToken };
    },
  });
  if (!complete) {
    // Half of the data would look like a lower peak.
    throw new PeaksUnreadableError(
      `CloudWatch has more than ${MAX_PAGES} pages for ${streams.length} streams.`,
    );
  }
  return streams.map((_stream, n) => ({
    bytesPerSecond: (sums.get(`bytes${n}`) ?? 0) / PERIOD_SECONDS,
    recordsPerSecond: (sums.get(`records${n}`) ?? 0) / PERIOD_SECONDS,
  }));
}

function keepHighest(
  sums: Map<string, number>,
  { MetricDataResults = [] }: GetMetricDataCommandOutput,
): void {
  for (const { Id = '', StatusCode, Values = [] } of MetricDataResults) {
    if (StatusCode === 'InternalError' || StatusCode === 'Forbidden') {
      throw new PeaksUnreadableError(`CloudWatch answers ${StatusCode} for a metric.`);
    }
    sums.set(
      Id,
      Values.reduce((most, value) => Math.max(most, value), sums.get(Id) ?? 0),
    );
  }
}

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
