import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import type { StreamOfCell } from '../../lambda/core/consumer-facts.ts';
import { streamField } from '../aws/stream-field.ts';
import type { Asker } from './asker.ts';
import type { StreamQuestion } from './positions.ts';

export type DescribedStream = Pick<StreamOfCell, 'exists' | 'retentionHours' | 'arn'>;

/** Whether the stream is there, and how long it keeps records; empty: not known. */
export async function describeStream(
  asker: Asker,
  { client, stream }: StreamQuestion,
): Promise<DescribedStream> {
  const answer = await asker.ask({
    service: 'Kinesis',
    action: 'kinesis:DescribeStreamSummary',
    ask: (abortSignal) => client.send(new DescribeStreamSummaryCommand(streamField(stream)), { abortSignal }),
  });
  if (answer === 'missing') return { exists: false };
  const summary = answer?.value.StreamDescriptionSummary;
  if (summary === undefined) return {};
  const { StreamARN: arn, RetentionPeriodHours: hours } = summary;
  return {
    exists: true,
    ...(arn !== undefined && { arn }),
    ...(hours !== undefined && { retentionHours: hours }),
  };
}

const POLLED_WITHIN_MS = 900_000;
const PERIOD_SECONDS = 900;
/** Queries in a call of GetMetricData. */
const AT_ONCE = 500;

/** The streams from which somebody got records in the last 15 minutes. What is not known is not among them. */
export async function polledStreams(
  asker: Asker,
  {
    client,
    streams,
    nowMs,
  }: { readonly client: CloudWatchClient; readonly streams: readonly string[]; readonly nowMs: number },
): Promise<ReadonlySet<string>> {
  const polled = new Set<string>();
  for (let n = 0; n < streams.length; n += AT_ONCE) {
    const some = streams.slice(n, n + AT_ONCE);
    const answer = await asker.ask({
      service: 'CloudWatch',
      action: 'cloudwatch:GetMetricData',
      ask: (abortSignal) =>
        client.send(
          new GetMetricDataCommand({
            StartTime: new Date(nowMs - POLLED_WITHIN_MS),
            EndTime: new Date(nowMs),
            MetricDataQueries: some.map((stream, at) => ({
              Id: `s${at}`,
              MetricStat: {
                Metric: {
                  Namespace: 'AWS/Kinesis',
                  MetricName: 'GetRecords.Success',
                  Dimensions: [{ Name: 'StreamName', Value: stream }],
                },
                Period: PERIOD_SECONDS,
                Stat: 'SampleCount',
              },
            })),
          }),
          { abortSignal },
        ),
    });
    if (answer === undefined || answer === 'missing') continue;
    for (const { Id = '', Values = [] } of answer.value.MetricDataResults ?? []) {
      const stream = some[Number(Id.slice(1))];
      if (stream !== undefined && Values.some((value) => value > 0)) polled.add(stream);
    }
  }
  return polled;
}
