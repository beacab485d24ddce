import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientSettings } from '../../lib/aws/clients.ts';
import { readTakers, type Taker } from '../../lib/consumers/takers.ts';
import { type Answer, type Asked, startFakeRegion } from '../survey/fake-region.ts';

const NOW_MS = 1_800_000_000_000;
const SINCE_MS = NOW_MS - 60_000;
const shardOf = (n: number): string => `shardId-${`${n}`.padStart(12, '0')}`;

interface Application {
  /** For each shard: when the record of its checkpoint arrived, or undefined for one that has expired. */
  readonly arrivedAtMs: readonly (number | undefined)[];
  readonly morePages?: boolean;
}

/** An application of the KCL that reads one stream, with a lease and a checkpoint for each shard. */
async function taken({ arrivedAtMs, morePages = false }: Application) {
  // As Kinesis gives them: the later a record, the higher its number, even with more digits.
  const checkpointOf = (n: number) => `${(arrivedAtMs[n] ?? SINCE_MS - 4_000) - SINCE_MS + 5_000}`;
  const lease = (n: number) => ({
    ...{ leaseKey: { S: shardOf(n) }, leaseCounter: { N: '7' }, checkpointSubSequenceNumber: { N: '0' } },
    checkpoint: { S: checkpointOf(n) },
  });
  const arrival = (iterator: unknown): Answer => {
    const n = Number(iterator);
    const atMs = arrivedAtMs[n];
    // The first one that has not expired.
    if (atMs === undefined) return arrival(arrivedAtMs.length - 1);
    const record = { Data: '', PartitionKey: 'k', SequenceNumber: checkpointOf(n) };
    return { Records: [{ ...record, ApproximateArrivalTimestamp: atMs / 1_000 }], MillisBehindLatest: 0 };
  };
  const answers: Readonly<Record<string, (body: Asked['body']) => Answer>> = {
    DescribeTable: () => 'AccessDeniedException',
    Scan: () => ({
      Items: arrivedAtMs.map((_, n) => lease(n)),
      ...(morePages && { LastEvaluatedKey: { leaseKey: { S: 'x' } } }),
    }),
    GetShardIterator: ({ ShardId }) => ({ ShardIterator: `${Number(`${ShardId}`.slice(-12))}` }),
    GetRecords: ({ ShardIterator }) => arrival(ShardIterator),
  };
  const region = await startFakeRegion(({ operation, body }) => answers[operation]?.(body) ?? 500);
  const settings = {
    ...clientSettings('us-west-2', { timeoutMs: 2_000, maxSockets: 8 }),
    endpoint: region.url,
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  };
  const [cloudWatch, dynamo] = [new CloudWatchClient(settings), new DynamoDBClient(settings)];
  const kinesis = new KinesisClient(settings);
  onTestFinished(async () => {
    for (const client of [cloudWatch, dynamo, kinesis]) client.destroy();
    await region.close();
  });
  const consumer = { cell: 'orders', stream: 'orders', kind: 'kcl', name: 'billing' } as const;
  const [taker] = await readTakers([consumer], {
    ...{ cloudWatch, dynamo, kinesis, sinceMs: SINCE_MS, nowMs: NOW_MS },
    ...{ timeoutMs: 2_000, signal: AbortSignal.timeout(10_000) },
  });
  const looks = region.asked.filter(({ operation }) => operation === 'GetRecords').length;
  return { taker: taker as Taker, looks };
}

const early = SINCE_MS - 3_000;
const shards = (count: number, atMs: number | undefined): (number | undefined)[] =>
  Array.from({ length: count }, () => atMs);

describe('an application of the KCL has taken what arrives', () => {
  it('when one shard of hundreds moves, and the latest are looked at first', async () => {
    const { taker, looks } = await taken({ arrivedAtMs: [...shards(200, early), NOW_MS - 2_000] });
    expect(taker).toMatchObject({ took: 'yes', ageMs: 2_000 });
    expect(looks).toBeLessThanOrEqual(4);
  });

  it.each<[Taker['took'], string, Application]>([
    ['no', 'every lease stands before it', { arrivedAtMs: shards(20, early) }],
    ['no', 'none has a record yet', { arrivedAtMs: [] }],
    ['unknown', 'more leases stand than are looked at', { arrivedAtMs: shards(40, early) }],
    ['unknown', 'the table has more leases', { arrivedAtMs: shards(2, early), morePages: true }],
    ['yes', 'one stands after it', { arrivedAtMs: [early, NOW_MS, early] }],
    ['unknown', 'a record of a checkpoint has expired', { arrivedAtMs: [undefined, early] }],
  ])('is %s when %s', async (took, _when, application) => {
    const { taker, looks } = await taken(application);
    expect(taker.took).toBe(took);
    expect(looks).toBeLessThanOrEqual(32);
  });
});
