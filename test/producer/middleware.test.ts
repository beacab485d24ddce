import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import {
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  type PutRecordCommandInput,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProducerConfigError, RecordError } from '../../lib/producer/errors.ts';
import {
  type FollowedClient,
  type FollowSignalOptions,
  followSignal,
} from '../../lib/producer/middleware.ts';
import { RedirectError, SignalUnavailableError } from '../../lib/producer/middleware-errors.ts';
import { badRecords } from './ill-typed.ts';
import { type SignalServer, startSignalServer } from './signal-server.ts';

interface Call {
  /** Which sink took it. */
  readonly at: string;
  readonly operation: string;
  /** Region of the signature's scope. */
  readonly signedFor: string;
  readonly body: Record<string, unknown>;
}

const EAST = 'us-east-1';
const WEST = 'us-west-2';
const regionInScope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/kinesis\//;
const arn = (region: string, name: string) => `arn:aws:kinesis:${region}:123456789012:stream/${name}`;

const other = (region: string, name: string) => `arn:aws:kinesis:${region}:111122223333:stream/${name}`;

let sinks: Record<string, Server>;
let calls: Call[];
let hangs: Set<string>;
let dns: SignalServer;
let clients: KinesisClient[];
let followed: FollowedClient[];

function sink(at: string): Server {
  return createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const signedFor = regionInScope.exec(request.headers.authorization ?? '')?.[1] ?? '';
    calls.push({ at, operation, signedFor, body: (await json(request)) as Record<string, unknown> });
    if (hangs.has(at)) return;
    const taken = { ShardId: 'shardId-000000000000', SequenceNumber: `${calls.length}` };
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ ...taken, FailedRecordCount: 0, Records: [taken], Shards: [] }));
  });
}

const urlOf = (region: string) =>
  `http://127.0.0.1:${((sinks[region] as Server).address() as AddressInfo).port}`;

beforeEach(async () => {
  calls = [];
  clients = [];
  followed = [];
  hangs = new Set();
  sinks = { [EAST]: sink(EAST), [WEST]: sink(WEST) };
  for (const server of Object.values(sinks)) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  dns = await startSignalServer(`v=1; region=${EAST}; stream=orders`);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of followed) one.close();
  for (const client of clients) client.destroy();
  for (const server of Object.values(sinks)) {
    server.closeAllConnections();
    server.close();
  }
  await dns.close();
});

function kinesis(region = EAST): KinesisClient {
  const client = new KinesisClient({
    region,
    endpoint: urlOf(region),
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: new NodeHttpHandler({ requestTimeout: 3_000, throwOnRequestTimeout: true }),
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

function follow(client: KinesisClient, options: Partial<FollowSignalOptions> = {}): FollowedClient {
  const one = followSignal(client, {
    signal: { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20, timeoutMs: 200 },
    regions: [EAST, WEST],
    endpoint: urlOf,
    ...options,
  });
  followed.push(one);
  return one;
}

async function move(text: string, client: KinesisClient, region: string): Promise<void> {
  dns.answer = text;
  await expect
    .poll(async () => {
      await put(client);
      return calls.at(-1)?.at;
    })
    .toBe(region);
}

const data = Buffer.from('x');
const put = (client: KinesisClient, address: Partial<PutRecordCommandInput> = { StreamName: 'orders' }) =>
  client.send(new PutRecordCommand({ PartitionKey: 'k', Data: data, ...address }));

/** The SDK leaves out what is null, and its logger asks a failed call's bytes for their length. */
const leftOut = new Set(['a hash key that is null', 'data that are a Uint8Array with a getter that throws']);

/** A record of the producer in the fields of the API, getters included. */
function inputOf(record: Record<string, unknown>): object {
  const fields = { PartitionKey: 'partitionKey', Data: 'data', ExplicitHashKey: 'explicitHashKey' } as const;
  const input = { StreamName: 'orders' };
  for (const [name, field] of Object.entries(fields)) {
    Object.defineProperty(input, name, { get: () => record[field], enumerable: true });
  }
  return input;
}

describe('a client that follows the signal', () => {
  it('moves endpoint, signature and stream together', async () => {
    const client = kinesis();
    follow(client);
    await put(client);
    expect(calls).toEqual([expect.objectContaining({ at: EAST, signedFor: EAST, operation: 'PutRecord' })]);
    await move(`v=1; region=${WEST}; stream=orders-west`, client, WEST);
    const batch = new PutRecordsCommand({
      StreamName: 'orders',
      Records: [{ PartitionKey: 'k', Data: data }],
    });
    await expect(client.send(batch)).resolves.toMatchObject({ FailedRecordCount: 0 });
    expect(calls.at(-1)).toMatchObject({ at: WEST, signedFor: WEST, operation: 'PutRecords' });
    expect(calls.at(-1)?.body).toMatchObject({ StreamName: 'orders-west', Records: [{ PartitionKey: 'k' }] });
    expect(calls.every(({ at, signedFor }) => at === signedFor)).toBe(true);
  });

  it('gives the answer of the region that took the record', async () => {
    const client = kinesis();
    follow(client);
    const answer = await put(client);
    expect(answer).toMatchObject({ ShardId: 'shardId-000000000000', $metadata: { httpStatusCode: 200 } });
  });

  it('leaves other operations where they were', async () => {
    const client = kinesis();
    follow(client);
    await move(`v=1; region=${WEST}; stream=orders-west`, client, WEST);
    await client.send(new ListShardsCommand({ StreamName: 'orders' }));
    expect(calls.at(-1)).toMatchObject({
      at: EAST,
      signedFor: EAST,
      operation: 'ListShards',
      body: { StreamName: 'orders' },
    });
  });

  it('moves the ARN of a stream in its own region', async () => {
    const client = kinesis();
    follow(client);
    await move(`v=1; region=${WEST}; stream=orders-west`, client, WEST);
    await put(client, { StreamARN: arn(EAST, 'orders') });
    expect(calls.at(-1)).toMatchObject({ at: WEST, body: { StreamARN: arn(WEST, 'orders-west') } });
    expect(calls.at(-1)?.body).not.toHaveProperty('StreamName');
  });

  it.each([
    ['is in another region', arn(WEST, 'orders')],
    ['is none of a stream', 'arn:aws:s3:::orders'],
  ])('refuses an ARN that %s', async (_what, StreamARN) => {
    const client = kinesis();
    follow(client);
    await expect(put(client, { StreamARN })).rejects.toBeInstanceOf(RedirectError);
    expect(calls).toEqual([]);
  });

  it.each<[string, Partial<FollowSignalOptions>, object]>([
    ['a listed account', { accounts: ['111122223333'] }, { StreamName: 'orders' }],
    [
      'the ARN of the option',
      { streamArn: { [WEST]: other(WEST, 'orders-west') } },
      { StreamName: 'orders' },
    ],
    ['the account that the call names', {}, { StreamARN: other(EAST, 'orders') }],
  ])('writes to the stream of another account: %s', async (_what, options, input) => {
    const client = kinesis();
    follow(client, options);
    dns.answer = `v=1; region=${WEST}; stream=orders-west; account=111122223333`;
    await expect
      .poll(async () => {
        await put(client, input);
        return calls.at(-1);
      })
      .toMatchObject({ at: WEST, signedFor: WEST, body: { StreamARN: other(WEST, 'orders-west') } });
    expect(calls.at(-1)?.body).not.toHaveProperty('StreamName');
  });

  it('writes to no account that only DNS names', async () => {
    const client = kinesis();
    follow(client, { accounts: ['999999999999'] });
    dns.answer = `v=1; region=${WEST}; stream=orders-west; account=111122223333`;
    await expect
      .poll(() => put(client).catch((error: Error) => error))
      .toMatchObject({
        name: 'RedirectError',
        message: expect.stringContaining('111122223333, which is not one of `accounts`'),
      });
    expect(calls.every(({ at }) => at === EAST)).toBe(true);
  });

  it('refuses to take a second stream for the first', async () => {
    const client = kinesis();
    follow(client);
    await put(client, { StreamName: 'orders' });
    await expect(put(client, { StreamName: 'clicks' })).rejects.toThrow(/orders and to clicks/);
    expect(calls).toHaveLength(1);
  });

  it('refuses each ill-typed record alone, before it waits for anything', async () => {
    const client = kinesis();
    follow(client);
    const cases = badRecords().filter(([, record]) => typeof record === 'object' && record !== null);
    const inputs = cases.flatMap(([name, record]) => {
      const input = inputOf(record as Record<string, unknown>);
      return leftOut.has(name) ? [] : [{ name, input }];
    });
    expect(inputs.length).toBeGreaterThan(30);
    dns.answer = undefined;
    for (const { name, input } of inputs) {
      await expect(client.send(new PutRecordCommand(input as never)), name).rejects.toBeInstanceOf(
        RecordError,
      );
      const Records = [{ PartitionKey: 'k', Data: data }, input] as never;
      const call = client.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
      await expect(call, name).rejects.toBeInstanceOf(RecordError);
    }
    dns.answer = `v=1; region=${EAST}; stream=orders`;
    await expect(put(client)).resolves.toMatchObject({ SequenceNumber: '1' });
  });

  it.each([5, Symbol('s'), '', 'a stream', {}])(
    'does not take %s for the stream of all calls',
    async (name) => {
      const client = kinesis();
      follow(client);
      await expect(put(client, { StreamName: name as string })).rejects.toBeInstanceOf(RecordError);
      await expect(put(client, { StreamARN: 5 as unknown as string })).rejects.toBeInstanceOf(RecordError);
      await expect(put(client)).resolves.toBeDefined();
    },
  );

  it('sends what it checked, though a field answers differently each time', async () => {
    const client = kinesis();
    follow(client);
    let looks = 0;
    class Input {
      readonly StreamName = 'orders';
      readonly Data = data;
      readonly ExplicitHashKey = null;
      get PartitionKey(): string {
        return ++looks === 1 ? 'k' : '';
      }
    }
    await client.send(new PutRecordCommand(new Input() as unknown as PutRecordCommandInput));
    expect(calls.at(-1)?.body).toEqual({ StreamName: 'orders', PartitionKey: 'k', Data: 'eA==' });
  });

  it('goes on following when `onProblem` throws', async () => {
    const uncaught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      dns.answer = 'garbage';
      const client = kinesis();
      const onProblem = () => {
        throw new Error('from onProblem');
      };
      follow(client, { onProblem });
      await expect.poll(() => uncaught.length).toBeGreaterThan(1);
      dns.answer = `v=1; region=${WEST}; stream=orders`;
      await put(client);
      expect(calls.at(-1)?.at).toBe(WEST);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    }
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns no client', () => ({ region: EAST })],
  ])('fails its calls alone when `createClient` %s', async (_how, createClient) => {
    const client = kinesis();
    follow(client, { createClient: createClient as never });
    await expect(put(client)).rejects.toBeInstanceOf(ProducerConfigError);
    await expect(client.send(new ListShardsCommand({ StreamName: 'orders' }))).resolves.toBeDefined();
  });

  it('keeps the name that was asked for when neither options nor signal name a stream', async () => {
    dns.answer = `v=1; region=${WEST}`;
    const client = kinesis();
    follow(client);
    await put(client);
    expect(calls).toEqual([expect.objectContaining({ at: WEST, signedFor: WEST })]);
    expect(calls[0]?.body).toMatchObject({ StreamName: 'orders' });
  });

  it('takes the stream’s name in each region from its options before the signal', async () => {
    dns.answer = `v=1; region=${WEST}; stream=orders`;
    const client = kinesis();
    follow(client, { streamName: { [WEST]: 'orders-2' } });
    await put(client);
    expect(calls[0]?.body).toMatchObject({ StreamName: 'orders-2' });
  });

  it('passes on an abort', async () => {
    hangs.add(EAST);
    const client = kinesis();
    follow(client);
    const controller = new AbortController();
    const hanging = client.send(
      new PutRecordCommand({ StreamName: 'orders', PartitionKey: 'k', Data: data }),
      {
        abortSignal: controller.signal,
      },
    );
    await expect.poll(() => calls.length).toBe(1);
    controller.abort();
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('writes to its own region again when closed', async () => {
    const client = kinesis();
    const one = follow(client);
    await move(`v=1; region=${WEST}; stream=orders-west`, client, WEST);
    one.close();
    await put(client);
    expect(calls.at(-1)).toMatchObject({ at: EAST, signedFor: EAST, body: { StreamName: 'orders' } });
  });

  it('uses the clients it is given, and destroys them', async () => {
    const made: string[] = [];
    const client = kinesis();
    const destroyed = vi.fn();
    const one = follow(client, {
      createClient: (region) => {
        made.push(region);
        const own = kinesis(region);
        own.destroy = destroyed;
        return own;
      },
    });
    await put(client);
    await put(client);
    one.close();
    expect(made).toEqual([EAST]);
    expect(calls.at(-1)).toMatchObject({ at: EAST, signedFor: EAST });
    expect(destroyed).toHaveBeenCalledOnce();
  });
});

describe('before the first signal', () => {
  it('a call waits for it', async () => {
    dns.answer = undefined;
    const client = kinesis();
    follow(client);
    const waiting = put(client);
    dns.answer = `v=1; region=${WEST}; stream=orders`;
    await waiting;
    expect(calls).toEqual([expect.objectContaining({ at: WEST, signedFor: WEST })]);
  });

  it('a call is refused in time, with the problem as its cause', async () => {
    dns.answer = 'v=1; region=eu-west-3; stream=orders';
    const problems: string[] = [];
    const client = kinesis();
    follow(client, { firstSignalTimeoutMs: 100, onProblem: (problem) => problems.push(problem) });
    const error = await put(client).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignalUnavailableError);
    expect((error as Error).cause).toMatch(/unknown-region/);
    expect(problems.length).toBeGreaterThan(0);
    expect(calls).toEqual([]);
  });

  it('a pin decides, whatever DNS says', async () => {
    vi.stubEnv('SPILLWAY_REGION', WEST);
    const client = kinesis();
    follow(client);
    // Many, one after the other: DNS has every chance to say something else in between.
    for (let n = 0; n < 30; n++) await put(client);
    expect(calls.every(({ at, signedFor }) => at === WEST && signedFor === WEST)).toBe(true);
    expect(calls[0]?.body).toMatchObject({ StreamName: 'orders' });
  });
});

describe('following is refused', () => {
  it('without a region', () => {
    expect(() => follow(kinesis(), { regions: [] })).toThrow(ProducerConfigError);
  });

  it('for a client whose endpoint is in one region only', () => {
    const { endpoint: _, ...options } = {
      signal: { name: 'signal.orders.example.com', servers: [dns.address] },
      regions: [EAST, WEST],
      endpoint: urlOf,
    };
    expect(() => followSignal(kinesis(), options)).toThrow(/endpoint/);
  });
});
