import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterEach, describe, expect, it } from 'vitest';
import type { CellReading } from '../../lambda/core/survey.ts';
import { clientSettings } from '../../lib/aws/clients.ts';
import { CELLS_AT_ONCE, type RegionClients, Surveyor } from '../../lib/survey/surveyor.ts';
import { type Answer, type Asked, startFakeRegion } from './fake-region.ts';

const TIMEOUT_MS = 150;
const NOW_MS = Date.UTC(2026, 10, 25);
const cellsOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    cell: `c${n}`,
    streams: { primary: `p${n}`, standby: `s${n}` },
  }));
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function surveyor(answer: (asked: Asked) => Answer, perSecond = 1_000) {
  const fake = await startFakeRegion(answer);
  stops.push(fake.close);
  const of = (region: string): RegionClients => {
    const settings = {
      ...clientSettings(region, { timeoutMs: TIMEOUT_MS, maxSockets: 8 }),
      endpoint: fake.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    return { kinesis: new KinesisClient(settings), cloudWatch: new CloudWatchClient(settings) };
  };
  const warnings: string[] = [];
  const look = new Surveyor({
    primary: of('us-east-1'),
    standby: of('us-west-2'),
    nowMs: () => NOW_MS,
    describesPerSecond: perSecond,
    warn: (warning) => warnings.push(warning),
  });
  return { look, asked: fake.asked, warnings };
}
async function readAll(look: Surveyor, count: number): Promise<CellReading[]> {
  const readings: CellReading[] = [];
  for await (const some of look.look(cellsOf(count))) readings.push(...some);
  return readings;
}

const summary = (more: object): Answer => ({ StreamDescriptionSummary: { StreamName: 'x', ...more } });
const provisioned = summary({ OpenShardCount: 3, StreamModeDetails: { StreamMode: 'PROVISIONED' } });
const values = (Id: string, ...Values: readonly number[]) => ({ Id, Values, StatusCode: 'Complete' });
const isDescribe = ({ operation }: Asked): boolean => operation === 'DescribeStreamSummary';
const quiet = { MetricDataResults: [] };

describe('a look at the cells', () => {
  it('reads size and highest five minutes of both streams, over all pages of two weeks', async () => {
    const { look, asked } = await surveyor((call) => {
      if (isDescribe(call)) {
        return call.region === 'us-east-1'
          ? provisioned
          : summary({
              OpenShardCount: 4,
              StreamModeDetails: { StreamMode: 'ON_DEMAND' },
              WarmThroughput: { CurrentMiBps: 12 },
            });
      }
      if (call.region === 'us-west-2') return quiet;
      return call.body.NextToken === 'more'
        ? { MetricDataResults: [values('bytes0', 300), values('records0', 900, 600)] }
        : { MetricDataResults: [values('bytes0', 3_000, 600), values('records0', 300)], NextToken: 'more' };
    });
    expect(await readAll(look, 1)).toEqual([
      {
        cell: 'c0',
        atMs: NOW_MS,
        primary: {
          size: { mode: 'provisioned', shards: 3 },
          peak: { bytesPerSecond: 10, recordsPerSecond: 3 },
        },
        standby: {
          size: { mode: 'on-demand', warmMibPerSecond: 12 },
          peak: { bytesPerSecond: 0, recordsPerSecond: 0 },
        },
      },
    ]);
    const call = asked.find(({ operation }) => operation === 'GetMetricData')?.body;
    expect(call).toMatchObject({ StartTime: (NOW_MS - 14 * 86_400_000) / 1_000, EndTime: NOW_MS / 1_000 });
    expect(call?.MetricDataQueries).toHaveLength(2);
  });

  it('sees which streams keep no key together', async () => {
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' };
    const { look } = await surveyor((call) => {
      if (!isDescribe(call)) return quiet;
      const RecordDistributionStrategy = call.region === 'us-east-1' ? 'USER_PARTITION_KEY' : 'AUTO';
      return summary({ OpenShardCount: 4, StreamModeDetails, RecordDistributionStrategy });
    });
    const [reading] = await readAll(look, 1);
    expect(reading?.primary.size).toEqual({ mode: 'on-demand' });
    expect(reading?.standby.size).toEqual({ mode: 'on-demand', serviceManaged: true });
  });

  it('of a primary that never answers reads the standby, and soon leaves the primary alone', async () => {
    const { look, asked, warnings } = await surveyor((call) => {
      if (call.region === 'us-east-1') return undefined;
      return isDescribe(call) ? provisioned : quiet;
    });
    const count = 8 * CELLS_AT_ONCE;
    const started = performance.now();
    const readings = await readAll(look, count);
    expect(readings).toHaveLength(count);
    for (const { primary, standby } of readings) {
      expect(primary).toEqual({});
      expect(standby).toMatchObject({ size: { shards: 3 }, peak: { bytesPerSecond: 0 } });
    }
    expect(performance.now() - started).toBeLessThan(5_000);
    // Four were under way when the third failed; CloudWatch is asked once a look.
    const ofPrimary = asked.filter(({ region }) => region === 'us-east-1');
    expect(ofPrimary.filter(isDescribe).length).toBeLessThanOrEqual(6);
    expect(ofPrimary.filter((call) => !isDescribe(call))).toHaveLength(3);
    expect(warnings.toSorted()).toEqual([
      expect.stringMatching(/^CloudWatch of the primary does not answer/),
      expect.stringMatching(/^Kinesis of the primary does not answer/),
    ]);
  });

  it('knows a stream that is not there from one that cannot be read', async () => {
    const { look } = await surveyor((call) => {
      if (!isDescribe(call)) return quiet;
      return call.region === 'us-east-1' ? 400 : 500;
    });
    const [reading] = await readAll(look, 1);
    expect(reading?.primary.size).toEqual({ mode: 'provisioned', shards: 0 });
    expect(reading?.standby).not.toHaveProperty('size');
  });

  it.each([
    ['refuses a metric', { MetricDataResults: [{ Id: 'bytes0', StatusCode: 'Forbidden' }] }],
    ['has no end of pages', { MetricDataResults: [values('bytes0', 300)], NextToken: 'again' }],
  ])('takes no half of an answer for the peak when CloudWatch %s', async (_what, metricData) => {
    const { look } = await surveyor((call) => (isDescribe(call) ? provisioned : metricData));
    expect((await readAll(look, 1))[0]?.primary).toEqual({ size: { mode: 'provisioned', shards: 3 } });
  });

  it('asks for no more sizes a second than it may', async () => {
    const { look } = await surveyor((call) => (isDescribe(call) ? provisioned : quiet), 50);
    const started = performance.now();
    await readAll(look, CELLS_AT_ONCE);
    // 25 at 50 a second; the last ones are not waited for.
    expect(performance.now() - started).toBeGreaterThan(((CELLS_AT_ONCE - 4) / 50) * 1_000 * 0.9);
  });
});
