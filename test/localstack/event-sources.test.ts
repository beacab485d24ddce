import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateStreamCommand,
  KinesisClient,
  PutRecordsCommand,
  SplitShardCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { readTakers } from '../../lib/consumers/takers.ts';
import { type Consumers, deployConsumers } from '../../lib/local/consumers/consumers.ts';
import { consumerFunctionName } from '../../lib/local/consumers/settings.ts';
import { until } from '../../lib/local/drill/until.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { leastInput } from '../config/inputs.ts';

// The mappings of a drill read as Lambda's do; LocalStack's own do not.

const config = parseConfig(leastInput, 'spillway.config.json');
const { primary, standby } = config.regions;
const MIDDLE = (2n ** 127n).toString();

let directory: string;
let localStack: LocalStack;
let consumers: Consumers;
/** Stands for the faults of a drill: refuses every call. */
let dark: Server;
let refused = 0;

const settings = (region: string) => ({
  ...{ region, endpoint: localStack.url, maxAttempts: 1 },
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});
const kinesis = (region: string) => new KinesisClient(settings(region));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-event-sources-'));
  dark = createServer((request, response) => {
    refused++;
    request.resume();
    response.writeHead(500).end('{"__type":"InternalFailure"}');
  });
  await new Promise<void>((resolve) => dark.listen(0, '127.0.0.1', resolve));
  localStack = await startLocalStack({ directory: join(directory, 'localstack') });
  await Promise.all(
    [primary, standby].map(async (region) => {
      const ShardCount = region === primary ? 2 : 1;
      await kinesis(region).send(new CreateStreamCommand({ StreamName: 'orders', ShardCount }));
      await waitUntilStreamExists({ client: kinesis(region), maxWaitTime: 30 }, { StreamName: 'orders' });
    }),
  );
  consumers = await deployConsumers({
    config,
    localStackUrl: localStack.url,
    localStackDirectory: join(directory, 'localstack'),
    directory: join(directory, 'consumers'),
    endpointFor: (region) =>
      region === standby ? localStack.url : `http://127.0.0.1:${(dark.address() as AddressInfo).port}`,
    onProgress: () => {},
    signal: AbortSignal.timeout(120_000),
  });
});

afterAll(async () => {
  await localStack?.stop();
  dark?.close();
  await rm(directory, { recursive: true, force: true });
});

async function put(region: string, ids: readonly string[]): Promise<void> {
  await kinesis(region).send(
    new PutRecordsCommand({
      StreamName: 'orders',
      Records: ids.map((id) => ({ PartitionKey: id, Data: Buffer.from(id) })),
    }),
  );
}

const processedIn = async (region: string): Promise<readonly string[]> =>
  ((await consumers.processed()).get(region) ?? []).map(({ id }) => id);

const someIds = (name: string, count = 20): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${name}-${n}`);

async function untilProcessed(region: string, ids: readonly string[]): Promise<void> {
  let missing: readonly string[] = ids;
  await until({
    what: `the consumer in ${region}`,
    timeoutMs: 30_000,
    everyMs: 100,
    holds: async () => {
      const done = new Set(await processedIn(region));
      missing = ids.filter((id) => !done.has(id));
      return missing.length === 0;
    },
    missing: () => missing.join(', '),
  });
}

it('suffers what its region suffers, and reads what is stranded once that is over', async () => {
  await Promise.all([put(primary, someIds('dark')), put(standby, someIds('well'))]);
  await untilProcessed(standby, someIds('well'));
  expect(refused).toBeGreaterThan(0);
  expect(await processedIn(primary)).toEqual([]);
  await consumers.past();
  await untilProcessed(primary, someIds('dark'));
});

it('goes on where it was after a stop, and after its shards were split', async () => {
  const lambda = new LambdaClient(settings(primary));
  const FunctionName = consumerFunctionName(config.name);
  const { EventSourceMappings: [mapping] = [] } = await lambda.send(
    new ListEventSourceMappingsCommand({ FunctionName }),
  );
  const isIn = (state: string) =>
    until({
      what: `the mapping to be ${state}`,
      timeoutMs: 30_000,
      everyMs: 100,
      holds: async () => {
        const { EventSourceMappings: [now] = [] } = await lambda.send(
          new ListEventSourceMappingsCommand({ FunctionName }),
        );
        return now?.State === state;
      },
    });
  const turn = (Enabled: boolean) =>
    lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping?.UUID, Enabled }));
  await turn(false);
  await isIn('Disabled');
  await put(primary, someIds('stopped'));
  await kinesis(primary).send(
    new SplitShardCommand({
      StreamName: 'orders',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: (BigInt(MIDDLE) / 2n).toString(),
    }),
  );
  await waitUntilStreamExists({ client: kinesis(primary), maxWaitTime: 30 }, { StreamName: 'orders' });
  await put(primary, someIds('split'));
  await turn(true);
  await untilProcessed(primary, [...someIds('stopped'), ...someIds('split')]);
  const all = await processedIn(primary);
  expect(all.filter((id, n) => all.indexOf(id) !== n)).toEqual([]);
});

it('tells CloudWatch how far it is, as Lambda and Kinesis do', async () => {
  const query = (Id: string, Namespace: string, MetricName: string, [Name, Value]: [string, string]) => ({
    Id,
    MetricStat: {
      Metric: { Namespace, MetricName, Dimensions: [{ Name, Value }] },
      ...{ Period: 60, Stat: 'Maximum' },
    },
  });
  const answer = await new CloudWatchClient(settings(standby)).send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [
        query('f', 'AWS/Lambda', 'IteratorAge', ['FunctionName', consumerFunctionName(config.name)]),
        query('s', 'AWS/Kinesis', 'GetRecords.IteratorAgeMilliseconds', ['StreamName', 'orders']),
      ],
    }),
  );
  const values = (id: string) => answer.MetricDataResults?.find(({ Id }) => Id === id)?.Values ?? [];
  expect(values('f')[0]).toBeGreaterThan(0);
  expect(values('f')[0]).toBeLessThan(30_000);
  expect(values('s').length).toBeGreaterThan(0);
});

it('is seen to have taken up what arrives, as an application of the KCL is by its checkpoints', async () => {
  const dynamo = new DynamoDBClient(settings(standby));
  const described = await kinesis(standby).send(
    new PutRecordsCommand({
      StreamName: 'orders',
      Records: [{ PartitionKey: 'k', Data: Buffer.from('checkpoint') }],
    }),
  );
  const [{ ShardId = '', SequenceNumber = '' } = {}] = described.Records ?? [];
  await dynamo.send(
    new CreateTableCommand({
      TableName: 'billing',
      KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const checkpoint = (word: string) =>
    dynamo.send(
      new PutItemCommand({
        TableName: 'billing',
        Item: {
          ...{ leaseKey: { S: ShardId }, checkpoint: { S: word }, leaseCounter: { N: '7' } },
          ...{ checkpointSubSequenceNumber: { N: '0' }, ownerSwitchesSinceCheckpoint: { N: '0' } },
        },
      }),
    );
  const of = { cell: 'orders', stream: 'orders' };
  const named = [
    { ...of, kind: 'lambda', name: consumerFunctionName(config.name) },
    { ...of, kind: 'lambda', name: 'nobody' },
    { ...of, kind: 'kcl', name: 'billing' },
    { ...of, kind: 'kcl', name: 'none-such' },
    { ...of, kind: 'other', name: 'spark' },
  ] as const;
  const look = async (sinceMs: number) => {
    const takers = await readTakers(named, {
      ...{ cloudWatch: new CloudWatchClient(settings(standby)), dynamo, kinesis: kinesis(standby) },
      ...{ sinceMs, nowMs: Date.now(), timeoutMs: 5_000, signal: AbortSignal.timeout(20_000) },
    });
    return Object.fromEntries(takers.map(({ name, took }) => [name, took]));
  };
  await checkpoint('TRIM_HORIZON');
  const hourAgoMs = Date.now() - 3_600_000;
  expect(await look(hourAgoMs)).toEqual({
    ...{ [consumerFunctionName(config.name)]: 'yes', nobody: 'no' },
    ...{ billing: 'no', 'none-such': 'no' },
  });
  await checkpoint(SequenceNumber);
  expect(await look(hourAgoMs)).toMatchObject({ billing: 'yes' });
  // The checkpoint is of a record that arrived before.
  expect(await look(Date.now() + 60_000)).toMatchObject({ billing: 'no' });
});
