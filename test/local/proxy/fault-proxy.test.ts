import { once } from 'node:events';
import { type ClientRequest, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  DynamoDBClient,
  ProvisionedThroughputExceededException as DynamoDBThrottle,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ProvisionedThroughputExceededException as KinesisThrottle,
  ListStreamsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import {
  GetAccountSettingsCommand,
  GetFunctionUrlConfigCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { GetHealthCheckStatusCommand, ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measure } from '../../../lambda/observer/measure.ts';
import { defaultRegions } from '../../../lib/config/defaults.ts';
import {
  type FaultProxy,
  type FaultProxyOptions,
  type ProxiedCall,
  startFaultProxy,
  type UpstreamCall,
} from '../../../lib/local/proxy/fault-proxy.ts';
import { parseScenario } from '../../../lib/scenario/parse.ts';

/** As many calls as the proxy passes on at once. */
const UPSTREAM_AT_ONCE = 32;

let target: Server;
let served: string[];
let proxy: FaultProxy;
let calls: ProxiedCall[];
let upstream: UpstreamCall[];
/** While it holds something, the target answers nobody. */
let held: (() => void)[] | undefined;

const options = (): FaultProxyOptions => ({
  target: `http://127.0.0.1:${(target.address() as AddressInfo).port}`,
  roles: defaultRegions,
  sources: ['us-east-1', 'us-east-2', 'us-west-2'],
  random: () => 0.5,
  now: () => performance.now(),
  onCall: (call) => calls.push(call),
  onUpstream: (call) => upstream.push(call),
});

beforeEach(async () => {
  served = [];
  calls = [];
  upstream = [];
  held = undefined;
  target = createServer((request, response) => {
    request.resume().on('end', () => {
      served.push(String(request.headers['x-amz-target']));
      const answer = (): void => {
        response.setHeader('content-type', 'application/x-amz-json-1.1');
        const target = String(request.headers['x-amz-target']);
        // An iterator of its own for each stream, as Kinesis gives them.
        const iterator = `iterator ${served.length}`;
        const entry = target.endsWith('.GetShardIterator')
          ? { ShardIterator: iterator }
          : target.endsWith('.GetRecords')
            ? { Records: [], NextShardIterator: iterator }
            : { ShardId: 'shardId-000000000000', SequenceNumber: '1' };
        const isBatch = target.endsWith('.PutRecords');
        response.end(
          JSON.stringify(isBatch ? { FailedRecordCount: 0, Records: Array(4).fill(entry) } : entry),
        );
      };
      if (held === undefined) answer();
      else held.push(answer);
    });
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  proxy = await startFaultProxy(options());
});

afterEach(async () => {
  await proxy.close();
  target.closeAllConnections();
  target.close();
});

const settings = (region = 'us-east-1', source = 'us-east-2') => ({
  region,
  endpoint: proxy.endpointFor(source),
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
  requestHandler: new NodeHttpHandler({ requestTimeout: 300, throwOnRequestTimeout: true }),
});

const putRecord = (region?: string, source?: string): Promise<unknown> =>
  new KinesisClient(settings(region, source)).send(
    new PutRecordCommand({ StreamName: 'orders', PartitionKey: 'a', Data: new Uint8Array([1]) }),
  );

/** A call with a handle on its connection. */
function signedRequest(): ClientRequest {
  const headers = {
    authorization: 'AWS4-HMAC-SHA256 Credential=test/20201125/us-east-1/kinesis/aws4_request',
    'x-amz-target': 'Kinesis_20131202.PutRecord',
  };
  const one = request(proxy.endpointFor('us-east-2'), { method: 'POST', headers });
  one.on('error', () => {});
  return one.end('{}');
}

const lambda = (): LambdaClient => new LambdaClient(settings());
const route53 = (): Route53Client => new Route53Client(settings());

const getItem = (): Promise<unknown> =>
  new DynamoDBClient(settings()).send(new GetItemCommand({ TableName: 't', Key: {} }));

const putMetric = (): Promise<unknown> =>
  new CloudWatchClient(settings()).send(new PutMetricDataCommand({ Namespace: 'n', MetricData: [] }));

function play(effect: string, more = ''): void {
  const where = more.includes('where:') ? '' : 'where: { region: primary }, ';
  const text = `
name: test
duration: 1h
faults:
  - { at: 0s, ${where}effect: ${effect} ${more} }
expect: { verdict: hold }`;
  proxy.play(parseScenario(text, 'test.yaml'));
}

describe('the fault proxy', () => {
  it('passes calls on, and knows them by their signature', async () => {
    await putRecord();
    expect(served).toEqual(['Kinesis_20131202.PutRecord']);
    expect(calls).toEqual([
      {
        caller: 'us-east-2',
        source: 'us-east-2',
        region: 'us-east-1',
        service: 'kinesis',
        operation: 'PutRecord',
        resource: 'stream/orders',
      },
    ]);
  });

  it.each([
    ['Invoke', () => lambda().send(new InvokeCommand({ FunctionName: 'f', Qualifier: '1' }))],
    ['GetAccountSettings', () => lambda().send(new GetAccountSettingsCommand({}))],
    ['GetFunctionUrlConfig', () => lambda().send(new GetFunctionUrlConfigCommand({ FunctionName: 'f' }))],
    ['ListHostedZones', () => route53().send(new ListHostedZonesCommand({ MaxItems: 1 }))],
    ['GetHealthCheckStatus', () => route53().send(new GetHealthCheckStatusCommand({ HealthCheckId: 'h' }))],
  ] as const)('knows %s by its path, where the request does not name it', async (operation, call) => {
    await call().catch(() => undefined);
    expect(calls).toMatchObject([{ operation }]);
    play(`{ kind: error, code: ServiceException }`);
    await expect(call()).rejects.toMatchObject({ name: 'ServiceException' });
  });

  it('lets other regions alone, and sources that do not see the fault', async () => {
    play('{ kind: error }', ', seenFrom: [us-east-2]');
    await putRecord('us-west-2');
    await putRecord('us-east-1', 'us-west-2');
    await expect(putRecord()).rejects.toMatchObject({ name: 'InternalFailure' });
    expect(served).toHaveLength(2);
  });

  it('hits a caller inside the region that fails, who still reaches the other one', async () => {
    play('{ kind: error }');
    await expect(putRecord('us-east-1', 'us-east-1')).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(putRecord('us-west-2', 'us-east-1')).resolves.toBeDefined();
    play('{ kind: error }', ', seenFrom: [primary]');
    await expect(putRecord('us-east-1', 'us-east-1')).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(putRecord('us-east-1', 'us-east-2')).resolves.toBeDefined();
  });

  it('tells producers from the other callers of their region', async () => {
    await proxy.close();
    const callers = { 'producer p1': 'us-west-2', cli: 'us-west-2' };
    proxy = await startFaultProxy({ ...options(), callers, producers: ['producer p1'] });
    play('{ kind: error }', ', seenFrom: [producers]');
    await expect(putRecord('us-east-1', 'producer p1')).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(putRecord('us-east-1', 'cli')).resolves.toBeDefined();
  });

  it('hits the share of calls that the rate says', async () => {
    play('{ kind: error }', ', rate: 0.5');
    await putRecord();
    play('{ kind: error }', ', rate: 0.51');
    await expect(putRecord()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  });

  it.each([
    ['Kinesis', () => putRecord()],
    ['DynamoDB', () => getItem()],
    ['STS', () => new STSClient(settings()).send(new GetCallerIdentityCommand({}))],
    ['Route 53', () => new Route53Client(settings()).send(new ListHostedZonesCommand({}))],
    ['CloudWatch', () => putMetric()],
  ])('writes an error so that the SDK for %s raises it by its name', async (_service, call) => {
    play('{ kind: error, status: 503, code: ServiceUnavailable }');
    await expect(call()).rejects.toMatchObject({
      name: 'ServiceUnavailable',
      $metadata: { httpStatusCode: 503 },
    });
    expect(served).toEqual([]);
  });

  it.each([
    ['Kinesis', () => putRecord(), 'ProvisionedThroughputExceededException'],
    ['DynamoDB', () => getItem(), 'ProvisionedThroughputExceededException'],
    ['STS', () => new STSClient(settings()).send(new GetCallerIdentityCommand({})), 'Throttling'],
    ['CloudWatch', () => putMetric(), 'Throttling'],
  ])(
    'throttles %s with its own exception, which says nothing about the region',
    async (_service, call, name) => {
      play('{ kind: throttle }');
      const { outcome } = await measure(1_000, call);
      expect(outcome).toMatchObject({
        ok: false,
        errorClass: 'throttled',
        detail: expect.stringContaining(name),
      });
    },
  );

  it('raises the exception of the SDK itself', async () => {
    play('{ kind: throttle }');
    await expect(putRecord()).rejects.toBeInstanceOf(KinesisThrottle);
    await expect(getItem()).rejects.toBeInstanceOf(DynamoDBThrottle);
  });

  it('hits the streams that a fault names, by their names, ARNs and iterators, and no others', async () => {
    await proxy.close();
    const streams = new Map([
      ['us-east-1/orders', 'orders'],
      ['us-east-1/shop-canary', 'canary'],
    ]);
    proxy = await startFaultProxy({ ...options(), streams });
    const client = new KinesisClient(settings());
    const put = (stream: object) =>
      client.send(new PutRecordCommand({ ...stream, PartitionKey: 'a', Data: new Uint8Array([1]) } as never));
    const read = async (StreamName: string) => {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({ StreamName, ShardId: 's', ShardIteratorType: 'LATEST' }),
      );
      return client.send(new GetRecordsCommand({ ShardIterator }));
    };
    play(
      '{ kind: error }',
      ', where: { region: primary, service: kinesis, streams: [orders], operations: [PutRecord, GetRecords] }',
    );
    await expect(put({ StreamName: 'orders' })).rejects.toMatchObject({ name: 'InternalFailure' });
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders';
    await expect(put({ StreamARN })).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(read('orders')).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(put({ StreamName: 'shop-canary' })).resolves.toBeDefined();
    await expect(put({ StreamName: 'somebody-elses' })).resolves.toBeDefined();
    await expect(read('shop-canary')).resolves.toBeDefined();
    await expect(getItem()).resolves.toBeDefined();
    play('{ kind: error }', ', where: { region: primary, streams: [canary] }');
    await expect(put({ StreamName: 'shop-canary' })).rejects.toMatchObject({ name: 'InternalFailure' });
    await expect(put({ StreamName: 'orders' })).resolves.toBeDefined();
  });

  it('refuses some entries of a batch with status 200, and no other call', async () => {
    const Records = ['a', 'b', 'c', 'd'].map((PartitionKey) => ({ PartitionKey, Data: new Uint8Array([1]) }));
    const client = new KinesisClient(settings());
    const put = () => client.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    play('{ kind: partial, rate: 0.51, code: ServiceUnavailable }');
    expect(await put()).toMatchObject({
      $metadata: { httpStatusCode: 200 },
      FailedRecordCount: 4,
      Records: Array(4).fill({ ErrorCode: 'ServiceUnavailable', ErrorMessage: expect.any(String) }),
    });
    play('{ kind: partial, rate: 0.5 }');
    expect(await put()).toMatchObject({
      FailedRecordCount: 0,
      Records: Array(4).fill({ SequenceNumber: '1' }),
    });
    play('{ kind: partial }');
    await expect(putRecord()).resolves.toMatchObject({ SequenceNumber: '1' });
  });

  it('lets no call through to a region whose name does not resolve', async () => {
    play('{ kind: dns }');
    await expect(putRecord()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(calls).toMatchObject([{ operation: 'PutRecord', effect: 'dns' }]);
    expect(served).toEqual([]);
  });

  it('resets the connection', async () => {
    play('{ kind: reset }');
    await expect(putRecord()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('carries out a call that is answered too late, and not one that falls into a hole', async () => {
    play('{ kind: timeout }');
    await expect(putRecord()).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(served).toHaveLength(1);
    play('{ kind: blackhole }');
    await expect(putRecord()).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(served).toHaveLength(1);
  });

  it('delays', async () => {
    play('{ kind: latency, ms: 150 }');
    const startedMs = performance.now();
    await putRecord();
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(149);
  });

  it('ends every fault when cleared', async () => {
    play('{ kind: error }');
    proxy.clear();
    await expect(putRecord()).resolves.toBeDefined();
  });

  it('tells how long a call took behind it, and not of one that a fault kept away', async () => {
    await putRecord();
    play('{ kind: error }');
    await expect(putRecord()).rejects.toBeDefined();
    expect(upstream).toEqual([
      { service: 'kinesis', operation: 'PutRecord', ms: expect.any(Number), end: 'answered' },
    ]);
  });

  it('never passes on what was abandoned while it waited for its turn', async () => {
    const parked: (() => void)[] = [];
    held = parked;
    const under = Array.from({ length: UPSTREAM_AT_ONCE }, () => signedRequest());
    await expect.poll(() => served.length).toBe(UPSTREAM_AT_ONCE);
    const more = Array.from({ length: 8 }, () => signedRequest());
    await expect.poll(() => calls.length).toBe(UPSTREAM_AT_ONCE + more.length);
    for (const waiting of more) waiting.destroy();
    await expect.poll(() => upstream.map(({ end }) => end)).toEqual(more.map(() => 'abandoned'));
    held = undefined;
    const answers = under.map((one) => once(one, 'response').then(([response]) => response.resume()));
    for (const answer of parked) answer();
    await Promise.all(answers);
    signedRequest().once('response', (response) => response.resume());
    await expect
      .poll(() => upstream.filter(({ end }) => end === 'answered').length)
      .toBe(UPSTREAM_AT_ONCE + 1);
    expect(served).toHaveLength(UPSTREAM_AT_ONCE + 1);
  });

  it('has room for the calls of a function while as many invocations as calls are under way', async () => {
    const parked: (() => void)[] = [];
    held = parked;
    const headers = { host: 'abc.lambda-url.us-east-2.localhost' };
    const url = new URL(proxy.endpointFor('us-east-2'));
    const invocations = Array.from({ length: UPSTREAM_AT_ONCE }, async () => {
      const [response] = await once(request(url, { headers }).end(), 'response');
      return response.resume().statusCode;
    });
    await expect.poll(() => served.length).toBe(UPSTREAM_AT_ONCE);
    held = undefined;
    await expect(putRecord()).resolves.toBeDefined();
    for (const answer of parked) answer();
    expect(new Set(await Promise.all(invocations))).toEqual(new Set([200]));
  });

  it('takes puts and reads of records to kinesis-local itself, and all else to LocalStack', async () => {
    const direct: string[] = [];
    const kinesisLocal = createServer((incoming, response) => {
      direct.push(String(incoming.headers['x-amz-target']));
      response.setHeader('content-type', 'application/x-amz-json-1.1').end('{}');
    });
    kinesisLocal.listen(0, '127.0.0.1');
    await once(kinesisLocal, 'listening');
    await proxy.close();
    proxy = await startFaultProxy({
      ...options(),
      kinesisTarget: `http://127.0.0.1:${(kinesisLocal.address() as AddressInfo).port}`,
    });
    await putRecord();
    await getItem();
    await new KinesisClient(settings()).send(new ListStreamsCommand({}));
    expect(direct).toEqual(['Kinesis_20131202.PutRecord']);
    expect(served).toEqual(['DynamoDB_20120810.GetItem', 'Kinesis_20131202.ListStreams']);
    kinesisLocal.closeAllConnections();
    kinesisLocal.close();
  });
});

describe('requests to a function URL', () => {
  const host = 'abc.lambda-url.us-west-2.localhost:4566';
  const ask = (origin: string): Promise<number> =>
    new Promise((resolve, reject) => {
      request(`${origin}/cells/orders`, { headers: { host }, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });

  it('beyond the limit are refused, of a flood and of everybody else; without one they pass', async () => {
    proxy.limitRequests(host, 0.001);
    expect(await ask(String(proxy.floodOrigin).slice(0, -1))).toBe(429);
    expect(await ask(proxy.endpointFor('us-east-2'))).toBe(429);
    expect(served).toHaveLength(0);
    proxy.limitRequests(host, undefined);
    expect(await ask(proxy.endpointFor('us-east-2'))).toBe(200);
    expect(served).toHaveLength(1);
  });

  it('of a flood that are let through go no further', async () => {
    proxy.limitRequests(host, 100);
    expect(await ask(String(proxy.floodOrigin).slice(0, -1))).toBe(200);
    expect(served).toHaveLength(0);
    expect(calls).toHaveLength(0);
  });
});
