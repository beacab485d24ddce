import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TROUBLE_INDEX } from '../../lambda/core/names.ts';
import { BeaconReader } from '../../lambda/observer/beacon-reader.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { beaconCalls } from '../../lib/producer/beacons/beacon-calls.ts';
import { BeaconReporter } from '../../lib/producer/beacons/reporter.ts';
import { RequestTimeoutError } from '../../lib/producer/wire/errors.ts';
import { input, templatesFor } from '../stacks/synth.ts';

const region = 'us-west-2';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const table = 'shop-beacons';

let directory: string;
let localStack: LocalStack;
let dynamo: DynamoDBClient;
const reporters: BeaconReporter[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-beacons-'));
  localStack = await startLocalStack({ directory: join(directory, 'localstack') });
  dynamo = new DynamoDBClient({ region, endpoint: localStack.url, credentials });
});

afterAll(async () => {
  for (const reporter of reporters) reporter.close();
  dynamo?.destroy();
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The table as the stacks make it, without what CreateTable does not know. */
function deployedTable(): CreateTableCommandInput {
  const standby = templatesFor({ ...input, beacons: true }).get('shop-standby');
  const found = standby?.findResources('AWS::DynamoDB::Table', { Properties: { TableName: table } });
  const { TimeToLiveSpecification: _ttl, ...properties } = Object.values(found ?? {})[0]?.Properties ?? {};
  return properties as CreateTableCommandInput;
}

it('what producers write into the table, observers read from it and from its index', async () => {
  await dynamo.send(new CreateTableCommand(deployedTable()));
  await waitUntilTableExists({ client: dynamo, maxWaitTime: 60 }, { TableName: table });
  const write = (): void => {
    const problems: string[] = [];
    const reporter = new BeaconReporter({
      calls: beaconCalls({ table, region, endpoint: localStack.url, credentials }),
      domain: 'use1-az1',
      onProblem: (problem) => problems.push(problem),
      parts: { random: () => 0.02 },
    });
    reporters.push(reporter);
    const answer = { region: 'us-east-1', records: 500, tookMs: 20, refused: [] };
    const failure = new RequestTimeoutError(3_000);
    reporter.answered({ ...answer, stream: 'orders', failure });
    reporter.answered({ ...answer, stream: 'clicks' });
  };
  write();
  const documents = DynamoDBDocumentClient.from(dynamo);
  const count = async (IndexName?: string): Promise<number> => {
    const { Items = [] } = await documents.send(
      new ScanCommand({ TableName: table, ...(IndexName === undefined ? {} : { IndexName }) }),
    );
    return Items.length;
  };
  await vi.waitFor(async () => expect(await count()).toBe(2), { timeout: 30_000, interval: 200 });
  expect(await count(TROUBLE_INDEX)).toBe(1);

  const reader = new BeaconReader({
    client: documents,
    table,
    cells: ['orders', 'clicks'].map((cell) => ({ cell, streams: { primary: cell, standby: cell } })),
    regions: { primary: 'us-east-1', standby: region },
    policy: { minimumGain: 0.2 },
    nowMs: () => Date.now(),
    tellsFleet: true,
    onIgnored: (ignored) => expect.unreachable(JSON.stringify(ignored)),
    onFlooding: (source) => expect.unreachable(source),
    onError: (error) => expect.unreachable(String(error)),
  });
  await reader.read();
  await reader.settled();
  expect(await reader.read()).toEqual([
    { cell: 'orders', sight: 'failing', sources: 1, failing: 1 },
    { cell: 'clicks', sight: 'well', sources: 1, failing: 0 },
  ]);
  // The item of the fleet is no beacon, and tells the writers their interval.
  expect(await count()).toBe(3);
  const calls = beaconCalls({ table, region, endpoint: localStack.url, credentials });
  expect(await calls.fleetIntervalMs()).toBe(90_000);
  calls.close();
});
