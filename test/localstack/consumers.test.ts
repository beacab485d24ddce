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
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { type ConsumersReport, reportOf } from '../../lib/consumers/report.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { readConsumersOf } from '../../lib/operate/consumers.ts';
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

const configOf = (consumers: readonly ConsumerInput[] | undefined): ConfigInput => ({
  name: 'shop',
  zone: { id: 'Z0123456789', name: 'shop.example.com' },
  cells: [
    {
      ...{ name: 'orders', stream: { name: 'orders', existing: true } },
      ...(consumers && { consumers: [...consumers] }),
    },
  ],
});

/** The command, as a process of its own. */
async function spillway(
  consumers: readonly ConsumerInput[] | undefined,
): Promise<{ exit: number; report: ConsumersReport; ms: number }> {
  const config = configOf(consumers);
  const { port } = proxy.address() as AddressInfo;
  await writeFile(join(directory, 'spillway.config.json'), JSON.stringify(config));
  const world = { localStackUrl: `http://127.0.0.1:${port}`, dnsServer: '127.0.0.1:1', zone: config.zone };
  await writeFile(join(directory, 'world.json'), JSON.stringify(world));
  const begunMs = performance.now();
  const flags = ['consumers', '--world', join(directory, 'world.json'), '--json'];
  const child = spawn(process.execPath, ['bin/spillway.ts', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (out === '') throw new Error(said);
  return { exit, report: JSON.parse(out), ms: performance.now() - begunMs };
}

/** The same within this process, which takes a tenth of the time; with short waits for a worker that renews often. */
async function look(
  consumers: readonly ConsumerInput[] | undefined,
  { laterMs = 0 }: { readonly laterMs?: number } = {},
): Promise<ConsumersReport> {
  const config = parseConfig(configOf(consumers), 'test');
  const { port } = proxy.address() as AddressInfo;
  const clients = new AwsClients({
    ...{ who: 'cli consumers', timeoutMs: 5_000, endpoint: `http://127.0.0.1:${port}` },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const read = await readConsumersOf({
    ...{ config, cells: config.cells, clients, deep: true, timeoutMs: 5_000 },
    nowMs: () => Date.now() + laterMs,
    looksMs: [1_000, 500],
  });
  clients.destroy();
  return reportOf(read);
}

const shortOf = ({ findings }: ConsumersReport): readonly string[] =>
  findings.map(({ code, region }: ConsumerFinding) => (region === null ? code : `${code} ${region}`));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-consumers-'));
  localStack = await startLocalStack({ directory: join(directory, 'main') });
  proxy = await startProxy();
  await Promise.all(
    regions.map(async (region) => {
      await Promise.all([createStream(region, 'orders'), createFunction(region)]);
      uuids.set(region, await createMapping(region));
    }),
  );
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
    const found = await look(undefined);
    expect(found.findings).toEqual([]);
    expect(found.cells[0]?.consumers).toMatchObject([
      { kind: 'lambda', name: { standby: FunctionName }, standby: { works: 'yes' } },
    ]);
  });
});

describe('each break alone has its finding, with its fix, and no other', () => {
  it('a mapping that is disabled', async () => {
    const UUID = uuidIn(STANDBY);
    await lambda(STANDBY).send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await stateIs(STANDBY, UUID, 'Disabled');
    const { exit, report } = await spillway([indexer]);
    expect(exit).toBe(4);
    for (const one of [report, await look(undefined)]) {
      expect(shortOf(one)).toEqual([`disabled ${STANDBY}`]);
      expect(one.findings[0]?.fix).toBe(
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
      const alone = await look(consumers);
      expect(shortOf(alone)).toEqual([`missing-in-standby ${STANDBY}`]);
      expect(alone.findings[0]?.fix).toContain('aws lambda create-event-source-mapping');
    }
    await removeMapping(PRIMARY, uuidIn(PRIMARY));
    expect(shortOf(await look([indexer]))).toEqual(['missing']);
    const nobody = await spillway(undefined);
    expect(shortOf(nobody.report)).toEqual(['none-found']);
    expect(nobody.exit).toBe(4);
    for (const region of regions) uuids.set(region, await createMapping(region));
  });

  it('a function that is stopped by its concurrency, and one that is not there', async () => {
    await lambda(STANDBY).send(
      new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }),
    );
    expect(shortOf(await look([indexer]))).toEqual([`function-throttled ${STANDBY}`]);
    await lambda(STANDBY).send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    const absent: ConsumerInput = {
      kind: 'lambda',
      function: { primary: FunctionName, standby: 'nobody' },
      takes: [...takes],
    };
    expect(shortOf(await look([absent]))).toEqual([`function-missing ${STANDBY}`]);
  });

  it('a registered consumer in one region alone', async () => {
    const { Consumer } = await kinesis(PRIMARY).send(
      new RegisterStreamConsumerCommand({ StreamARN: arnOf(PRIMARY, 'orders'), ConsumerName: 'fan' }),
    );
    const fan: ConsumerInput = { kind: 'enhancedFanOut', name: 'fan', takes: [...takes] };
    await until('registered', async () => {
      const report = await look([indexer, fan]);
      // It is registered in the primary, and nobody subscribes there either.
      const wanted = [`missing-in-standby ${STANDBY}`, `nobody-subscribes ${PRIMARY}`];
      return shortOf(report).join() === wanted.join();
    });
    await kinesis(PRIMARY).send(new DeregisterStreamConsumerCommand({ ConsumerARN: Consumer?.ConsumerARN }));
  });

  it('no rights', async () => {
    intercept = ({ operation }) => (operation === 'ListEventSourceMappings' ? 'deny' : undefined);
    const { exit, report } = await spillway([indexer]);
    // What is not known is no fault.
    expect(exit).toBe(0);
    for (const one of [report, await look(undefined)]) {
      expect(shortOf(one)).toEqual([`denied ${PRIMARY}`, `denied ${STANDBY}`]);
      expect(one.findings[0]?.text).toContain('lambda:ListEventSourceMappings');
      expect(one.findings[0]?.fix).toContain('spillway policy operator --verbs consumers');
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

describe('records that are there', () => {
  const put = (region: Region, data: Buffer) =>
    kinesis(region).send(new PutRecordCommand({ StreamName: 'orders', PartitionKey: 'a', Data: data }));

  it('of a drill would be replayed by a mapping that has not begun', async () => {
    await put(STANDBY, Buffer.from('one'));
    await put(STANDBY, Buffer.from('two'));
    const UUID = uuidIn(STANDBY);
    await lambda(STANDBY).send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await stateIs(STANDBY, UUID, 'Disabled');
    const { findings } = await look([indexer]);
    expect(findings.map(({ code }) => code)).toEqual(['disabled']);
    expect(findings[0]?.text).toMatch(
      /if it has read nothing so far, as Lambda says, it would begin at TRIM_HORIZON and replay 2 records, the oldest \d+ s old/,
    );
    await lambda(STANDBY).send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    await stateIs(STANDBY, UUID, 'Enabled');
  });

  it('as aggregates are for a consumer that takes them', async () => {
    const reader: ConsumerInput = { kind: 'lambda', function: FunctionName, takes: ['probes'] };
    await put(PRIMARY, Buffer.from('a record of its own'));
    expect(shortOf(await look([reader]))).toEqual([]);
    await put(PRIMARY, Buffer.from('f3899ac20a0161', 'hex'));
    expect(shortOf(await look([reader]))).toEqual(['no-aggregates']);
    expect(shortOf(await look([indexer]))).toEqual([]);
  });
});

describe('an application of the KCL', () => {
  const kcl: ConsumerInput = { kind: 'kcl', leaseTable: 'orders-app', takes: [...takes] };
  /** Held by a worker while there is a counter. */
  const lease = (region: Region, checkpoint: string, counter?: number) =>
    dynamo(region).send(
      new PutItemCommand({
        TableName: 'orders-app',
        Item: {
          leaseKey: { S: 'shardId-000000000000' },
          checkpoint: { S: checkpoint },
          checkpointSubSequenceNumber: { N: '0' },
          leaseCounter: { N: String(counter ?? 1) },
          ...(counter !== undefined && { leaseOwner: { S: 'worker-1' } }),
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
    const [old = '', newest = ''] = last.get(STANDBY) ?? [];
    let counter = 1;
    let renewed: readonly Region[] = regions;
    const renew = async () => {
      counter++;
      for (const region of renewed) await lease(region, last.get(region)?.[1] ?? '', counter);
    };
    await renew();
    const worker = setInterval(() => void renew(), 300);
    try {
      expect(shortOf(await look([kcl]))).toEqual([]);
      // It runs, and has not finished a record.
      last.set(STANDBY, [old, 'LATEST']);
      await renew();
      expect(shortOf(await look([kcl]))).toEqual([`starts-latest ${STANDBY}`]);
      expect(shortOf(await look([kcl], { laterMs: 120_000 }))).toEqual([`reads-nothing ${STANDBY}`]);
      last.set(STANDBY, [old, newest]);
      await renew();
      renewed = [PRIMARY];
      expect(shortOf(await look([kcl]))).toEqual([`not-running ${STANDBY}`]);
      await lease(STANDBY, old, 1);
      expect(shortOf(await look([kcl]))).toEqual([`stale-lease ${STANDBY}`]);
    } finally {
      clearInterval(worker);
    }
    // Given up in order: nobody has to be watched.
    await lease(PRIMARY, last.get(PRIMARY)?.[1] ?? '');
    await lease(STANDBY, newest);
    expect(shortOf(await look([kcl]))).toEqual([`not-running ${PRIMARY}`, `not-running ${STANDBY}`]);
    await lease(STANDBY, old);
    const { exit, report } = await spillway([kcl]);
    expect(shortOf(report)).toEqual([`stale-lease ${STANDBY}`, `not-running ${PRIMARY}`]);
    expect(exit).toBe(4);
    expect(report.findings[0]?.fix).toContain(
      `aws dynamodb delete-item --region ${STANDBY} --table-name orders-app --key '{"leaseKey":{"S":"shardId-000000000000"}}'`,
    );
    await lease(STANDBY, `${'1'.repeat(40)}`);
    expect(shortOf(await look([kcl]))[0]).toBe(`stale-lease ${STANDBY}`);
    await dynamo(STANDBY).send(new DeleteTableCommand({ TableName: 'orders-app' }));
    expect(shortOf(await look([kcl]))[0]).toBe(`lease-table-missing ${STANDBY}`);
  });
});
