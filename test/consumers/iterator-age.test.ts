import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterEach, describe, expect, it } from 'vitest';
import { clientSettings } from '../../lib/aws/clients.ts';
import { AgesUnreadableError } from '../../lib/consumers/errors.ts';
import { type AgeSource, readAges } from '../../lib/consumers/iterator-age.ts';
import { type Answer, type Asked, startFakeRegion } from '../survey/fake-region.ts';

const MINUTE_MS = 60_000;
const nowMs = Date.UTC(2026, 10, 30, 12, 0, 30);
const minuteMs = (n: number): number => Date.UTC(2026, 10, 30, 11, n);

let close: () => Promise<void> = async () => {};
afterEach(() => close());

interface Query {
  readonly Id: string;
  readonly MetricStat: { readonly Metric: { readonly MetricName: string; readonly Dimensions: unknown } };
}
type Body = Readonly<Record<string, unknown>>;

async function asking(sources: readonly AgeSource[], answer: (body: Body) => Answer) {
  const region = await startFakeRegion(({ body }) => answer(body));
  const client = new CloudWatchClient({
    ...clientSettings('us-east-1', { timeoutMs: 1_000, maxSockets: 4 }),
    endpoint: region.url,
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  });
  close = async () => {
    client.destroy();
    await region.close();
  };
  const ages = readAges(sources, { client, nowMs, minutes: 60 });
  return { ages, asked: region.asked };
}

const queries = (body: Body | undefined) => body?.MetricDataQueries as readonly Query[];
const result = (id: string, minutes: Readonly<Record<number, number>>, StatusCode = 'Complete') => ({
  ...{ Id: id, StatusCode },
  Timestamps: Object.keys(minutes).map((n) => minuteMs(Number(n)) / 1_000),
  Values: Object.values(minutes),
});

describe('the ages of consumers', () => {
  it('are asked for with one call, each by its own metric', async () => {
    const sources: readonly AgeSource[] = [
      { kind: 'lambda', function: 'indexer' },
      { kind: 'lambda', function: 'arn:aws:lambda:us-east-1:111122223333:function:indexer:live' },
      { kind: 'stream', stream: 'orders' },
      { kind: 'enhancedFanOut', stream: 'orders', name: 'fraud' },
      { kind: 'firehose', name: 'lake' },
    ];
    const { ages, asked } = await asking(sources, () => ({ MetricDataResults: [] }));
    await ages;
    expect(asked).toHaveLength(1);
    const metrics = queries(asked[0]?.body).map(({ MetricStat }) => MetricStat);
    expect(metrics.map(({ Metric: { MetricName, Dimensions } }) => [MetricName, Dimensions])).toEqual([
      ['IteratorAge', [{ Name: 'FunctionName', Value: 'indexer' }]],
      [
        'IteratorAge',
        [
          { Name: 'FunctionName', Value: 'indexer' },
          { Name: 'Resource', Value: 'indexer:live' },
        ],
      ],
      ['GetRecords.IteratorAgeMilliseconds', [{ Name: 'StreamName', Value: 'orders' }]],
      [
        'SubscribeToShardEvent.MillisBehindLatest',
        [
          { Name: 'StreamName', Value: 'orders' },
          { Name: 'ConsumerName', Value: 'fraud' },
        ],
      ],
      ['KinesisMillisBehindLatest', [{ Name: 'DeliveryStreamName', Value: 'lake' }]],
    ]);
  });

  it('have the highest of each minute with data, over all pages; no data is null, not 0', async () => {
    const sources: readonly AgeSource[] = [
      { kind: 'lambda', function: 'a' },
      { kind: 'lambda', function: 'b' },
    ];
    const { ages } = await asking(sources, (body) =>
      body.NextToken === undefined
        ? { MetricDataResults: [result('age0', { 58: 900 }, 'PartialData')], NextToken: 'more' }
        : { MetricDataResults: [result('age0', { 59: 0 })] },
    );
    expect(await ages).toEqual([
      {
        minutes: [
          { atMs: minuteMs(58), maxMs: 900 },
          { atMs: minuteMs(59), maxMs: 0 },
        ],
        latest: { atMs: minuteMs(59), maxMs: 0 },
      },
      { minutes: [], latest: null },
    ]);
  });

  it('include the minute that is not over, and go back as far as asked', async () => {
    const { ages, asked } = await asking([{ kind: 'stream', stream: 's' }], () => ({}));
    await ages;
    const { StartTime, EndTime } = (asked[0] as Asked).body as { StartTime: number; EndTime: number };
    expect(EndTime * 1_000).toBe(nowMs + MINUTE_MS / 2);
    expect(EndTime - StartTime).toBe(3_600);
  });

  it('take as many calls as 500 queries a call need', async () => {
    const sources = Array.from({ length: 501 }, (_, n) => ({ kind: 'stream', stream: `s${n}` }) as const);
    const { ages, asked } = await asking(sources, (body) => ({
      MetricDataResults: queries(body).map(({ Id, MetricStat }) => {
        const [{ Value }] = MetricStat.Metric.Dimensions as [{ readonly Value: string }];
        return result(Id, { 1: Number(Value.slice(1)) });
      }),
    }));
    expect((await ages).map(({ latest }) => latest?.maxMs)).toEqual(sources.map((_source, n) => n));
    expect(asked).toHaveLength(2);
  });

  it.each(['InternalError', 'Forbidden'])('are not given in part: %s', async (status) => {
    const { ages } = await asking([{ kind: 'stream', stream: 's' }], () => ({
      MetricDataResults: [result('age0', {}, status)],
    }));
    await expect(ages).rejects.toThrow(AgesUnreadableError);
  });
});
