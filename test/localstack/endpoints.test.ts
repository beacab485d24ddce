import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetDashboardCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  InvokeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckedEndpoint, endpointItem, endpointPath } from '../../lambda/core/endpoint-items.ts';
import { metricsOf } from '../../lambda/core/metrics.ts';
import {
  monitorFunctionName,
  stateTableName,
  surveyFunctionName,
  switchFunctionName,
  voteFunctionName,
  voteTableName,
} from '../../lambda/core/names.ts';
import { switchKey } from '../../lambda/core/switch.ts';
import { observerKey } from '../../lambda/core/vote.ts';
import { assumptions } from '../../lib/assumptions/assumptions.ts';
import { CALL_LOG } from '../../lib/aws/call-log.ts';
import type { Config } from '../../lib/config/config.ts';
import { observerRegions } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { deployApp } from '../../lib/local/deploy/deploy.ts';
import { prepareAccount, writeConfigFile } from '../../lib/local/drill/account.ts';
import { LocalClients } from '../../lib/local/drill/clients.ts';
import { killObserver } from '../../lib/local/drill/wiring.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { audit, parseCalls } from '../../lib/operate/audit.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { listening } from '../../lib/operate/doctor/listening.ts';
import { findingsFrom } from '../../lib/operate/doctor/unchecked.ts';
import type { ProveContext } from '../../lib/prove/context.ts';
import { awsPorts } from '../../lib/prove/health-check/aws-ports.ts';
import { clean } from '../../lib/prove/health-check/clear.ts';
import { findLeftovers, placeOf } from '../../lib/prove/health-check/leftovers.ts';
import type { ProvenRow } from '../../lib/prove/prove.ts';
import { ENDPOINT_ORIGIN } from '../../lib/settings/monitor.ts';
import { SURVEY_LOOK_BACK } from '../../lib/settings/survey.ts';
import { ConsumerDigests } from '../../lib/state/consumer-digests.ts';
import { RecurringTable } from '../../lib/state/recurring-table.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { runIn } from '../cli/fixtures/cli.ts';
import { createBuckets } from './fixtures/own-bucket.ts';

const region = 'us-west-2';
let directory: string;
let localStack: LocalStack;
let clients: LocalClients;
let config: Config;
let urls: { readonly vote: URL; readonly switches: URL };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-endpoints-'));
  localStack = await startLocalStack({ directory: join(directory, 'localstack') });
  clients = new LocalClients(localStack.url);
  const input = {
    name: 'shop',
    zone: { id: 'Z1', name: 'example.com' },
    cells: [{ name: 'orders', stream: 'orders' }],
  };
  config = await prepareAccount(clients, parseConfig(input, 'test'));
  await createBuckets(localStack.url, [config.regions.primary, ...observerRegions(config.regions)]);
  await deployApp({
    localstackUrl: localStack.url,
    configFile: await writeConfigFile(config, directory),
    outDir: join(directory, 'cdk'),
    regions: [],
    app: 'node scripts/build/handlers.ts && node test/localstack/fixtures/own-app.ts',
  });
  // It would write its own vote over the items below.
  await killObserver(clients, config, region);
  urls = { vote: await urlOf(voteFunctionName('shop')), switches: await urlOf(switchFunctionName('shop')) };
});

afterAll(async () => {
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function urlOf(FunctionName: string, where = region): Promise<URL> {
  const { FunctionUrl } = await clients.lambda(where).send(new GetFunctionUrlConfigCommand({ FunctionName }));
  return new URL(String(FunctionUrl));
}

async function setVariables(
  FunctionName: string,
  variables: Readonly<Record<string, string>>,
  without: readonly string[] = [],
): Promise<void> {
  const lambda = clients.lambda(region);
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const kept = Object.entries(Environment?.Variables ?? {}).filter(([name]) => !without.includes(name));
  const Variables = { ...Object.fromEntries(kept), ...variables };
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
}

/** The gateway knows a function URL by its Host header. */
async function ask(url: URL, path: string, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      new URL(path, localStack.url),
      { method, headers: { host: url.host }, timeout: 10_000 },
      async (response) => resolve({ status: response.statusCode ?? 0, body: await text(response) }),
    );
    asked.on('error', reject);
    asked.end();
  });
}

const putVote = (item: object): Promise<unknown> =>
  clients
    .documents(region)
    .send(new PutCommand({ TableName: voteTableName('shop'), Item: { ...observerKey, ...item } }));

describe('the deployed vote endpoint', () => {
  it('says EVACUATE for a live vote', async () => {
    const now = Date.now();
    await putVote({ vote: 'EVACUATE', decidedAtMs: now, expiresAtMs: now + 30_000 });
    expect(await ask(urls.vote, '/vote')).toEqual({ status: 200, body: 'vote=EVACUATE'.padEnd(32) });
  });

  it.each([
    [
      'stale',
      () => ({ vote: 'EVACUATE', decidedAtMs: Date.now() - 60_000, expiresAtMs: Date.now() - 30_000 }),
    ],
    [
      'from the future',
      () => ({ vote: 'EVACUATE', decidedAtMs: Date.now() + 60_000, expiresAtMs: Date.now() + 90_000 }),
    ],
    ['immortal', () => ({ vote: 'EVACUATE', decidedAtMs: Date.now(), expiresAtMs: Date.now() + 86_400_000 })],
    ['without an expiry', () => ({ vote: 'EVACUATE', decidedAtMs: Date.now() })],
    ['of another kind', () => ({ vote: ['EVACUATE'], decidedAtMs: 'now', expiresAtMs: {} })],
  ])('says HOLD for a vote that is %s', async (_what, item) => {
    await putVote(item());
    expect(await ask(urls.vote, '/vote')).toEqual({ status: 200, body: 'vote=HOLD'.padEnd(32) });
  });

  it('says HOLD when there is no vote', async () => {
    await clients
      .documents(region)
      .send(new DeleteCommand({ TableName: voteTableName('shop'), Key: observerKey }));
    expect(await ask(urls.vote, '/vote')).toEqual({ status: 200, body: 'vote=HOLD'.padEnd(32) });
  });

  it('answers nothing but GET on its one path', async () => {
    expect(await ask(urls.vote, '/vote', 'POST')).toMatchObject({ status: 405 });
    expect(await ask(urls.vote, '/')).toMatchObject({ status: 404 });
  });
});

describe('the deployed switch endpoint', () => {
  it.each([
    ['STANDBY', 'switch=STANDBY'],
    ['PRIMARY', 'switch=PRIMARY'],
    // Each is another answer than the one before it, which may be said for a second.
    ['STANDBY', 'switch=STANDBY'],
    ['SIDEWAYS', 'switch=PRIMARY'],
  ])('in position %s says %s', async (position, said) => {
    const Item = { ...switchKey('orders'), position };
    await clients.documents(region).send(new PutCommand({ TableName: stateTableName('shop'), Item }));
    await expect
      .poll(() => ask(urls.switches, '/cells/orders'), { timeout: 5_000 })
      .toEqual({ status: 200, body: said.padEnd(32) });
  });

  it('knows no other cell', async () => {
    expect(await ask(urls.switches, '/cells/other')).toMatchObject({ status: 404 });
  });
});

describe('spillway prove', () => {
  it('runs to the end here, confirms nothing about AWS, and tells what was seen', async () => {
    const facts = { localStackUrl: localStack.url, dnsServer: '127.0.0.1:9', zone: config.zone };
    const world = join(directory, 'world.json');
    await writeFile(world, JSON.stringify(facts));
    const { exit, json } = await runIn(directory, ['prove', '--world', world, '--json'], {});
    const { ok, counts, rows } = json as {
      readonly ok: boolean;
      readonly counts: object;
      readonly rows: readonly ProvenRow[];
    };
    expect([exit, ok, counts]).toEqual([0, true, { confirmed: 0, refuted: 0, notRun: assumptions.length }]);
    for (const row of rows) expect('reason' in row && row.reason, row.id).toMatch(/^LocalStack/);
    const seen = Object.fromEntries(rows.flatMap(({ id, local }) => (local ? [[id, local.verdict]] : [])));
    expect(seen).toMatchObject({
      'stack-output-across-regions': 'confirmed',
      'guard-is-asked': 'confirmed',
      'leading-keys-query': 'confirmed',
      'function-url-public': 'confirmed',
      'canary-read-after-write': 'confirmed',
      'kinesis-cbor': 'confirmed',
      'scan-from-absent-key': 'confirmed',
    });
  });

  it('creates, changes and deletes a health check and records by the API, and finds them again', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const aws = new AwsClients({
      who: 'cli prove',
      timeoutMs: 10_000,
      endpoint: localStack.url,
      credentials,
    });
    const context: ProveContext = {
      ...{ id: randomUUID(), config, clients: aws, owner: 'a test', reason: 'a test', rehearsing: false },
      signal: new AbortController().signal,
      nowMs: Date.now,
      say: () => {},
    };
    const place = placeOf(context);
    try {
      const dry = { ...context, rehearsing: true };
      const ports = await awsPorts({ context: dry, place, switchCheckId: 'none', ttlSeconds: 5 });
      const asks = { host: 'a.example.net', path: '/cells/orders', text: 'switch=STANDBY' };
      const checkId = await ports.createCheck(asks);
      await ports.createRecords(checkId);
      await ports.changeCheck(checkId, { ...asks, host: 'b.example.net' });
      const left = await findLeftovers(place);
      expect([left.checks.map(({ id }) => id), left.records.length]).toEqual([[checkId], 3]);
      await clean(context);
      expect(await findLeftovers(place)).toEqual({ checks: [], records: [] });
    } finally {
      aws.destroy();
    }
  });
});

describe('what watches over it', () => {
  it('is deployed with it: alarms in each observing region, a dashboard in the standby', async () => {
    const expected = { 'us-west-2': 23, 'us-east-2': 2, 'eu-west-1': 2, 'us-east-1': 0 };
    for (const [where, count] of Object.entries(expected)) {
      const { MetricAlarms } = await cloudWatch(where).send(
        new DescribeAlarmsCommand({ AlarmNamePrefix: 'shop-' }),
      );
      expect(MetricAlarms, where).toHaveLength(count);
    }
    const { DashboardBody } = await cloudWatch(region).send(
      new GetDashboardCommand({ DashboardName: 'shop-spillway' }),
    );
    expect(JSON.parse(String(DashboardBody)).widgets.length).toBeGreaterThan(5);
  });

  it('is not heard by anybody before somebody subscribes, and doctor says so of each topic', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const aws = new AwsClients({
      who: 'cli doctor',
      timeoutMs: 5_000,
      endpoint: localStack.url,
      credentials,
    });
    const findings = await listening.run({
      config,
      clients: aws,
      local: false,
      nowMs: Date.now(),
      now: Date.now,
    });
    aws.destroy();
    expect(findingsFrom(findings).map(({ ok, finding }) => `${ok} ${finding}`)).toEqual(
      observerRegions(config.regions).map(
        (where) => `false ${where}: nobody is subscribed to the alarms of this region`,
      ),
    );
  });

  it('says in its log, in the embedded metric format, every metric of the monitor that is known', async () => {
    const { LogResult, FunctionError } = await clients
      .lambda(region)
      .send(new InvokeCommand({ FunctionName: monitorFunctionName('shop'), LogType: 'Tail' }));
    const log = Buffer.from(String(LogResult), 'base64').toString();
    expect(FunctionError, log).toBeUndefined();
    const line = JSON.parse(log.split('\n').find((text) => text.startsWith('{"_aws"')) ?? '{}');
    const [{ Namespace, Metrics }] = line._aws.CloudWatchMetrics;
    expect(Namespace).toBe('Spillway/shop');
    const said = new Set(Metrics.map(({ Name }: { Name: string }) => Name));
    // No drill is asked for, no DNS server serves the zone of this test, and nobody has recorded what the checks ask.
    const unknown = new Set(['DrillAge', 'DnsInStandby', 'UnfitEndpoints']);
    expect(metricsOf('monitor').filter((name) => !said.has(name) && !unknown.has(name))).toEqual([]);
    expect(line).toMatchObject({ DnsUnread: 1, StateUnread: 0, Paused: 0 });
    expect(line.observers).toMatch(/us-west-2 .+; us-east-2 .+; eu-west-1 .+/);
    // Asked for since this deployment, which no survey has answered yet.
    expect(line.SurveyAge).toBeLessThan(600);
  });
});

describe('the endpoints, watched by the deployed monitor', () => {
  const log = { FunctionName: monitorFunctionName('shop'), LogType: 'Tail' } as const;

  /** As a deployment records what the checks ask. */
  async function record(change: Partial<CheckedEndpoint> = {}): Promise<void> {
    const hosts = await Promise.all(
      observerRegions(config.regions).map(
        async (where) => [where, (await urlOf(voteFunctionName('shop'), where)).host] as const,
      ),
    );
    const endpoints: readonly Pick<CheckedEndpoint, 'kind' | 'of' | 'host'>[] = [
      ...hosts.map(([of, host]) => ({ kind: 'vote' as const, of, host })),
      { kind: 'switch', of: 'orders', host: urls.switches.host },
    ];
    for (const { kind, of, host } of endpoints) {
      const isChanged = change.kind === kind && change.of === of;
      const facts = { kind, of, host, path: endpointPath({ kind, of }), checkId: 'check', atMs: Date.now() };
      const Item = endpointItem({ ...facts, ...(isChanged ? change : {}) });
      await clients.documents(region).send(new PutCommand({ TableName: stateTableName('shop'), Item }));
    }
  }

  /** What one round of the monitor publishes. */
  async function round(): Promise<{ readonly UnfitEndpoints?: number; readonly endpoints: string }> {
    const { LogResult, FunctionError } = await clients.lambda(region).send(new InvokeCommand(log));
    const text = Buffer.from(String(LogResult), 'base64').toString();
    expect(FunctionError, text).toBeUndefined();
    return JSON.parse(text.split('\n').find((line) => line.startsWith('{"_aws"')) ?? '{}');
  }

  // An earlier test may have left a switch that this one’s endpoint still remembers.
  const settles = (expected: object) =>
    expect.poll(round, { timeout: 30_000, interval: 2_000 }).toMatchObject(expected);

  it('agree with the tables, asked by their function URLs from the standby', async () => {
    await setVariables(monitorFunctionName('shop'), { [ENDPOINT_ORIGIN]: localStack.url });
    await record();
    await settles({ UnfitEndpoints: 0, endpoints: expect.stringMatching(/(^|; )\d agrees/) });
  });

  it('are told when a check asks a URL that is gone', async () => {
    const host = 'gone0000000000000000.lambda-url.eu-west-1.localhost:4566';
    await record({ kind: 'vote', of: 'eu-west-1', host });
    await settles({
      UnfitEndpoints: 1,
      endpoints: expect.stringMatching(/^vote eu-west-1 refused \(status 403\)/),
    });
    await record();
    await settles({ UnfitEndpoints: 0 });
  });

  it('are told when one may not read its table, although it says HOLD, as is stored', async () => {
    const { FunctionName } = { FunctionName: voteFunctionName('shop') };
    // LocalStack denies nothing to anybody: an address where nobody answers is as good as a role without rights.
    await setVariables(FunctionName, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(await ask(urls.vote, '/vote')).toEqual({ status: 200, body: 'vote=HOLD read=failed'.padEnd(32) });
    await settles({ UnfitEndpoints: 1, endpoints: expect.stringMatching(/^vote us-west-2 unreadable/) });
    await setVariables(FunctionName, {}, ['AWS_ENDPOINT_URL']);
    await settles({ UnfitEndpoints: 0 });
  });
});

describe('the record of recurring work', () => {
  it('keeps when it was done while it is asked for, no more, and anew, and never goes back', async () => {
    const recurring = new RecurringTable({
      client: clients.documents(region),
      table: stateTableName('shop'),
    });
    expect(await recurring.read('drill')).toEqual({});
    await recurring.expect('drill', 5);
    await recurring.done('drill', 9);
    await recurring.done('drill', 7);
    expect(await recurring.read('drill')).toEqual({ expectedSinceMs: 5, doneAtMs: 9 });
    await recurring.expect('drill', null);
    expect(await recurring.read('drill')).toEqual({ doneAtMs: 9 });
    await recurring.expect('drill', 20);
    expect(await recurring.read('drill')).toEqual({ expectedSinceMs: 20, doneAtMs: 9 });
  });
});

describe('the deployed survey', () => {
  const survey = { FunctionName: surveyFunctionName('shop') };

  it('stores what the primary had to take and how the streams are scaled, and says that the standby is too small', async () => {
    const sums = { IncomingBytes: 300 * 8_000_000, IncomingRecords: 300 * 500 };
    await cloudWatch('us-east-1').send(
      new PutMetricDataCommand({
        Namespace: 'AWS/Kinesis',
        MetricData: Object.entries(sums).map(([MetricName, Value]) => ({
          MetricName,
          Value,
          Timestamp: new Date(Date.now() - 900_000),
          Dimensions: [{ Name: 'StreamName', Value: 'orders' }],
        })),
      }),
    );
    const callLog = join(directory, 'calls');
    // LocalStack's CloudWatch is slow over two weeks.
    await setVariables(survey.FunctionName, { [CALL_LOG]: callLog, [SURVEY_LOOK_BACK]: '3600000' });
    const { LogResult, FunctionError } = await clients.lambda(region).send(
      new InvokeCommand({
        ...survey,
        LogType: 'Tail',
      }),
    );
    const log = Buffer.from(String(LogResult), 'base64').toString();
    expect(FunctionError, log).toBeUndefined();
    const options = { client: clients.documents(region), table: stateTableName('shop') };
    const [table, recurring] = [new StateTable(options), new RecurringTable(options)];
    const none = { bytesPerSecond: 0, recordsPerSecond: 0 };
    const peak = { bytesPerSecond: 8_000_000, recordsPerSecond: 500 };
    expect(await table.readCapacities()).toEqual([
      {
        cell: 'orders',
        surveyedAtMs: expect.any(Number),
        peak,
        primary: { mode: 'on-demand', peak },
        standby: { mode: 'on-demand', peak: none },
      },
    ]);
    const line = JSON.parse(log.split('\n').find((text) => text.startsWith('{"_aws"')) ?? '{}');
    expect(line).toMatchObject({ StandbyShortfalls: 1, survey: '1 surveyed, of 1 cells' });
    expect(line.shortfalls).toMatch(/^orders: peak 8\.0 MB\/s/);
    const calls = parseCalls(await readFile(callLog, 'utf8'), callLog);
    expect(audit(calls, 'us-east-1')).toMatchObject({ ok: true, allowed: { survey: 2 } });
    // The table is read twice and written three times; the standby is asked what the primary is, and by whom it is read.
    expect(calls).toHaveLength(2 + 2 + 2 + 5);
    expect(await new ConsumerDigests(options).read()).toEqual([
      { cell: 'orders', lookedAtMs: expect.any(Number), readers: [] },
    ]);
    expect((await recurring.read('survey')).doneAtMs).toBeGreaterThan(Date.now() - 120_000);
  });
});

const cloudWatch = (where: string): CloudWatchClient =>
  new CloudWatchClient({
    region: where,
    endpoint: localStack.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
