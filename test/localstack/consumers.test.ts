import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  PutRecordCommand,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis';
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionConcurrencyCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ConsumerFinding } from '../../lambda/core/consumer-findings.ts';
import type { ConsumerInput } from '../../lib/config/consumers-schema.ts';
import type { ConsumersReport } from '../../lib/consumers/report.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { factsOf, type RequestFacts } from '../../lib/scenario/request-facts.ts';
import { zipOf } from './fixtures/zip.ts';

const [PRIMARY, STANDBY] = ['us-east-1', 'us-west-2'] as const;
const regions = [PRIMARY, STANDBY] as const;
type Region = (typeof regions)[number];
const FunctionName = 'orders-indexer';
const ACCOUNT = '000000000000';
const arnOf = (region: Region, stream: string): string =>
  `arn:aws:kinesis:${region}:${ACCOUNT}:stream/${stream}`;

let directory: string;
let localStack: LocalStack;
let proxy: Server;
/** What the proxy does with a request that it does not pass on. */
let intercept: (facts: RequestFacts) => 'deny' | 'hang' | undefined = () => undefined;
const uuids = new Map<Region, string>();

const settings = (region: string) => ({
  region,
  endpoint: localStack.url,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});
const lambda = (region: string) => new LambdaClient(settings(region));
const kinesis = (region: string) => new KinesisClient(settings(region));
const dynamo = (region: string) => new DynamoDBClient(settings(region));

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 30 s`);
    await sleep(200);
  }
}

async function createStream(region: Region, StreamName: string): Promise<void> {
  await kinesis(region).send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await until(`${StreamName} in ${region}`, async () => {
    const { StreamDescriptionSummary: summary } = await kinesis(region).send(
      new DescribeStreamSummaryCommand({ StreamName }),
    );
    return summary?.StreamStatus === 'ACTIVE';
  });
}

async function createFunction(region: Region): Promise<void> {
  const client = lambda(region);
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: `arn:aws:iam::${ACCOUNT}:role/indexer`,
      Runtime: 'nodejs24.x' as never,
      Handler: 'index.handler',
      Code: {
        ZipFile: zipOf('index.mjs', 'export const handler = async () => ({ batchItemFailures: [] });'),
      },
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { FunctionName });
}

async function createMapping(region: Region, stream = 'orders', of = FunctionName): Promise<string> {
  const { UUID = '' } = await lambda(region).send(
    new CreateEventSourceMappingCommand({
      FunctionName: of,
      EventSourceArn: arnOf(region, stream),
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    }),
  );
  await stateIs(region, UUID, 'Enabled');
  return UUID;
}

const stateIs = (region: Region, UUID: string, wanted: string): Promise<void> =>
  until(`mapping in ${region} ${wanted}`, async () => {
    const { State } = await lambda(region).send(new GetEventSourceMappingCommand({ UUID }));
    return State === wanted;
  });

async function removeMapping(region: Region, UUID: string): Promise<void> {
  await lambda(region).send(new DeleteEventSourceMappingCommand({ UUID }));
  await until(`mapping in ${region} gone`, () =>
    lambda(region)
      .send(new GetEventSourceMappingCommand({ UUID }))
      .then(
        () => false,
        () => true,
      ),
  );
}

/** Passes everything on, but for what a test forbids, or holds up. */
function startProxy(): Promise<Server> {
  const server = createServer(async (incoming, outgoing) => {
    const body = Buffer.concat(await incoming.toArray());
    const facts = factsOf(incoming, body);
    const action = facts && intercept(facts);
    if (action === 'hang') return;
    if (action === 'deny' && facts !== undefined) {
      const message = `User: arn:aws:iam::${ACCOUNT}:user/ana is not authorized to perform: ${facts.service}:${facts.operation} on resource: * because no identity-based policy allows it`;
      outgoing.writeHead(403, {
        'content-type': 'application/json',
        'x-amzn-errortype': 'AccessDeniedException',
      });
      return void outgoing.end(JSON.stringify({ __type: 'AccessDeniedException', message }));
    }
    const { method, url: path, headers } = incoming;
    const passed = httpRequest(new URL(path ?? '/', localStack.url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    passed.end(body);
  });
  server.listen(0, '127.0.0.1');
  return once(server, 'listening').then(() => server);
}

const takes = ['aggregates', 'probes'] as const;
const indexer: ConsumerInput = { kind: 'lambda', function: FunctionName, takes: [...takes] };

async function spillway(
  consumers: readonly ConsumerInput[] | undefined,
  verb = 'consumers',
): Promise<{ exit: number; report: ConsumersReport; ms: number }> {
  const config = {
    name: 'shop',
    zone: { id: 'Z0123456789', name: 'shop.example.com' },
    cells: [{ name: 'orders', stream: { name: 'orders', existing: true }, ...(consumers && { consumers }) }],
  };
  const { port } = proxy.address() as AddressInfo;
  await writeFile(join(directory, 'spillway.config.json'), JSON.stringify(config));
  const world = { localStackUrl: `http://127.0.0.1:${port}`, dnsServer: '127.0.0.1:1', zone: config.zone };
  await writeFile(join(directory, 'world.json'), JSON.stringify(world));
  const begunMs = performance.now();
  const flags = [verb, '--world', join(directory, 'world.json'), '--json'];
  const child = spawn(process.execPath, ['bin/spillway.ts', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (out === '') throw new Error(said);
  return { exit, report: JSON.parse(out), ms: performance.now() - begunMs };
}

const shortOf = ({ findings }: ConsumersReport): readonly string[] =>
  findings.map(({ code, region }: ConsumerFinding) => (region === null ? code : `${code} ${region}`));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-consumers-'));
  localStack = await startLocalStack({ directory: join(directory, 'main') });
  proxy = await startProxy();
  for (const region of regions) {
    await createStream(region, 'orders');
    await createFunction(region);
    uuids.set(region, await createMapping(region));
  }
});

afterAll(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

afterEach(() => {
  intercept = () => undefined;
});

const uuidIn = (region: Region): string => uuids.get(region) ?? '';

describe('a healthy world', () => {
  it('has no finding, whether the config names the consumers or not', async () => {
    const named = await spillway([indexer]);
    expect(named.report.findings).toEqual([]);
    expect(named.exit).toBe(0);
    expect(named.report.cells[0]?.consumers).toMatchObject([
      {
        kind: 'lambda',
        name: { primary: FunctionName, standby: FunctionName },
        primary: { region: PRIMARY, works: 'yes' },
        standby: { region: STANDBY, works: 'yes', retentionHours: 24 },
      },
    ]);
    const found = await spillway(undefined);
    expect(found.report.findings).toEqual([]);
    expect(found.report.cells[0]?.consumers).toMatchObject([
      { kind: 'lambda', name: { standby: FunctionName }, standby: { works: 'yes' } },
    ]);
  });
});

describe('each break alone has its finding, with its fix, and no other', () => {
  it('a mapping that is disabled', async () => {
    const UUID = uuidIn(STANDBY);
    await lambda(STANDBY).send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await stateIs(STANDBY, UUID, 'Disabled');
    for (const consumers of [[indexer], undefined]) {
      const { exit, report } = await spillway(consumers);
      expect(shortOf(report)).toEqual([`disabled ${STANDBY}`]);
      expect(exit).toBe(4);
      expect(report.findings[0]?.fix).toBe(
        `aws lambda update-event-source-mapping --region ${STANDBY} --uuid ${UUID} --enabled`,
      );
    }
    await lambda(STANDBY).send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    await stateIs(STANDBY, UUID, 'Enabled');
  });

  it('a mapping on another stream, and none', async () => {
    await createStream(STANDBY, 'clicks');
    await removeMapping(STANDBY, uuidIn(STANDBY));
    const other = await createMapping(STANDBY, 'clicks');
    const { exit, report } = await spillway([indexer]);
    expect(shortOf(report)).toEqual([`wrong-stream ${STANDBY}`]);
    expect(exit).toBe(4);
    expect(report.findings[0]?.fix).toContain(`--event-source-arn ${arnOf(STANDBY, 'orders')}`);
    await removeMapping(STANDBY, other);
    for (const consumers of [[indexer], undefined]) {
      const alone = await spillway(consumers);
      expect(shortOf(alone.report)).toEqual([`missing-in-standby ${STANDBY}`]);
      expect(alone.report.findings[0]?.fix).toContain('aws lambda create-event-source-mapping');
    }
    await removeMapping(PRIMARY, uuidIn(PRIMARY));
    expect(shortOf((await spillway([indexer])).report)).toEqual(['missing']);
    const nobody = await spillway(undefined);
    expect(shortOf(nobody.report)).toEqual(['none-found']);
    expect(nobody.exit).toBe(4);
    for (const region of regions) uuids.set(region, await createMapping(region));
  });

  it('a function that is stopped by its concurrency, and one that is not there', async () => {
    await lambda(STANDBY).send(
      new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }),
    );
    const { report } = await spillway([indexer]);
    expect(shortOf(report)).toEqual([`function-throttled ${STANDBY}`]);
    await lambda(STANDBY).send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    const absent: ConsumerInput = {
      kind: 'lambda',
      function: { primary: FunctionName, standby: 'nobody' },
      takes: [...takes],
    };
    expect(shortOf((await spillway([absent])).report)).toEqual([`function-missing ${STANDBY}`]);
  });

  it('a registered consumer in one region alone', async () => {
    const { Consumer } = await kinesis(PRIMARY).send(
      new RegisterStreamConsumerCommand({ StreamARN: arnOf(PRIMARY, 'orders'), ConsumerName: 'fan' }),
    );
    const fan: ConsumerInput = { kind: 'enhancedFanOut', name: 'fan', takes: [...takes] };
    await until('registered', async () => {
      const { report } = await spillway([indexer, fan]);
      return shortOf(report).join() === `missing-in-standby ${STANDBY}`;
    });
    await kinesis(PRIMARY).send(new DeregisterStreamConsumerCommand({ ConsumerARN: Consumer?.ConsumerARN }));
  });

  it('no rights', async () => {
    intercept = ({ operation }) => (operation === 'ListEventSourceMappings' ? 'deny' : undefined);
    for (const consumers of [[indexer], undefined]) {
      const { exit, report } = await spillway(consumers);
      expect(shortOf(report)).toEqual([`denied ${PRIMARY}`, `denied ${STANDBY}`]);
      expect(report.findings[0]?.text).toContain('lambda:ListEventSourceMappings');
      expect(report.findings[0]?.fix).toContain('spillway policy operator --verbs consumers');
      // What is not known is no fault.
      expect(exit).toBe(0);
    }
  });

  it('a primary that hangs: each service once, within the time, and the standby is shown', async () => {
    intercept = ({ region }) => (region === PRIMARY ? 'hang' : undefined);
    const { exit, report, ms } = await spillway([indexer]);
    expect(shortOf(report).every((one) => one === `unreadable ${PRIMARY}`)).toBe(true);
    expect(report.findings.map(({ text }) => text.split(' ')[0]).toSorted()).toEqual(['Kinesis', 'Lambda']);
    expect(exit).toBe(0);
    expect(report.cells[0]?.consumers[0]?.standby.works).toBe('yes');
    expect(ms).toBeLessThan(60_000);
  });
});

describe('an application of the KCL', () => {
  const kcl: ConsumerInput = { kind: 'kcl', leaseTable: 'orders-app', takes: [...takes] };
  const lease = (region: Region, checkpoint: string, counter: number) =>
    dynamo(region).send(
      new PutItemCommand({
        TableName: 'orders-app',
        Item: {
          leaseKey: { S: 'shardId-000000000000' },
          checkpoint: { S: checkpoint },
          checkpointSubSequenceNumber: { N: '0' },
          leaseCounter: { N: String(counter) },
          leaseOwner: { S: 'worker-1' },
          ownerSwitchesSinceCheckpoint: { N: '0' },
        },
      }),
    );

  it('is well while a worker renews its leases; else its leases are stale, or it does not run', async () => {
    const last = new Map<Region, string[]>();
    for (const region of regions) {
      await dynamo(region).send(
        new CreateTableCommand({
          TableName: 'orders-app',
          KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
          BillingMode: 'PAY_PER_REQUEST',
        }),
      );
      const put = async () => {
        const command = new PutRecordCommand({
          StreamName: 'orders',
          PartitionKey: 'a',
          Data: Buffer.from('one'),
        });
        return (await kinesis(region).send(command)).SequenceNumber ?? '';
      };
      last.set(region, [await put(), await put()]);
    }
    let counter = 1;
    let standby = last.get(STANDBY)?.[1] ?? '';
    let renewed: readonly Region[] = regions;
    const renew = async () => {
      counter++;
      if (renewed.includes(PRIMARY)) await lease(PRIMARY, last.get(PRIMARY)?.[1] ?? '', counter);
      if (renewed.includes(STANDBY)) await lease(STANDBY, standby, counter);
    };
    await renew();
    const worker = setInterval(() => void renew(), 1_000);
    try {
      expect((await spillway([kcl])).report.findings).toEqual([]);
      renewed = [PRIMARY];
      expect(shortOf((await spillway([kcl])).report)).toEqual([`not-running ${STANDBY}`]);
      standby = last.get(STANDBY)?.[0] ?? '';
      await lease(STANDBY, standby, 1);
      const { exit, report } = await spillway([kcl]);
      expect(shortOf(report)).toEqual([`stale-lease ${STANDBY}`]);
      expect(exit).toBe(4);
      await dynamo(STANDBY).send(new DeleteTableCommand({ TableName: 'orders-app' }));
      expect(shortOf((await spillway([kcl])).report)).toEqual([`lease-table-missing ${STANDBY}`]);
    } finally {
      clearInterval(worker);
    }
  });
});
