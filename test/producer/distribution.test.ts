import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailoverProducer, type ProducerOptions, StreamDistributionError } from '../../lib/producer/index.ts';
import { type SignalServer, startSignalServer } from './signal-server.ts';

type Said = 'AUTO' | 'USER_PARTITION_KEY' | 'older' | 'denied' | 'throttled' | 'silent';

const EAST = 'us-east-1';
const WEST = 'us-west-2';
const signalTo = (region: string): string => `v=1; region=${region}; stream=orders`;
const regionInScope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\//;
const errors: Partial<Record<Said, string>> = {
  denied: 'AccessDeniedException',
  throttled: 'LimitExceededException',
};

/** What each region says of its stream. */
let said: Record<string, Said>;
let asked: { readonly region: string; readonly name: unknown }[];
let taken: string[];
let url: string;
let dns: SignalServer;
let producers: FailoverProducer[];
let problems: string[];

const kinesis = createServer(async (request, response) => {
  const region = regionInScope.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const body = (await json(request)) as { StreamName?: string; Records?: { Data: string }[] };
  response.setHeader('content-type', 'application/x-amz-json-1.1');
  if (request.headers['x-amz-target'] !== 'Kinesis_20131202.DescribeStreamSummary') {
    for (const { Data } of body.Records ?? []) taken.push(`${region} ${Buffer.from(Data, 'base64')}`);
    const Records = (body.Records ?? []).map(() => ({
      ShardId: 'shardId-000000000000',
      SequenceNumber: '1',
    }));
    return response.end(JSON.stringify({ FailedRecordCount: 0, Records }));
  }
  asked.push({ region, name: body.StreamName });
  const now = said[region] ?? 'older';
  if (now === 'silent') return undefined;
  const error = errors[now];
  if (error !== undefined)
    return response.writeHead(400).end(JSON.stringify({ __type: error, message: 'no' }));
  const field = now === 'older' ? {} : { RecordDistributionStrategy: now };
  return response.end(JSON.stringify({ StreamDescriptionSummary: { StreamName: 'orders', ...field } }));
});

beforeEach(async () => {
  [said, asked, taken, producers, problems] = [{}, [], [], [], []];
  kinesis.listen(0, '127.0.0.1');
  await once(kinesis, 'listening');
  url = `http://127.0.0.1:${(kinesis.address() as AddressInfo).port}`;
  dns = await startSignalServer(signalTo(EAST));
});

afterEach(async () => {
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  kinesis.closeAllConnections();
  kinesis.close();
  await once(kinesis, 'close');
  await dns.close();
});

function producer(options: Partial<ProducerOptions> = {}): FailoverProducer {
  const made = new FailoverProducer({
    signal: { name: 'signal.orders.test', servers: [dns.address], pollMs: 20 },
    regions: [EAST, WEST],
    endpoint: () => url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    encoding: 'json',
    lingerMs: 0,
    // The other region is asked at once.
    random: () => 0,
    ...options,
  });
  made.on('streamProblem', (problem) => problems.push(problem));
  producers.push(made);
  return made;
}

const put = (to: FailoverProducer, data = 'x') => to.put({ partitionKey: 'k', data });
const refusal = (to: FailoverProducer): Promise<unknown> =>
  vi.waitUntil(
    async () =>
      put(to).then(
        () => undefined,
        (error: unknown) => error,
      ),
    { timeout: 5_000 },
  );
const askedOf = (region: string): number => asked.filter((one) => one.region === region).length;

describe('a stream with service-managed distribution', () => {
  it.each([{}, { order: 'perKey' as const }])('is refused where keys have an order (%o)', async (options) => {
    said = { [EAST]: 'AUTO', [WEST]: 'AUTO' };
    const one = producer(options);
    const error = await refusal(one);
    expect(error).toBeInstanceOf(StreamDistributionError);
    expect(String(error)).toMatch(/orders in us-east-1 .*AUTO.*order: 'none'.*USER_PARTITION_KEY/);
    const before = taken.length;
    await expect(one.putMany([{ partitionKey: 'k', data: 'y' }])).rejects.toThrow(StreamDistributionError);
    expect(taken).toHaveLength(before);
    expect(problems[0]).toMatch(/orders in us-east-1/);
  });

  it('is nobody’s concern without order: it is not even asked for', async () => {
    said = { [EAST]: 'AUTO', [WEST]: 'AUTO' };
    const one = producer({ order: 'none' });
    for (let n = 0; n < 20; n++) await put(one);
    expect([asked, problems]).toEqual([[], []]);
  });

  it('is told of in quiet times where it is the standby’s, and takes records in a crisis', async () => {
    said = { [EAST]: 'USER_PARTITION_KEY', [WEST]: 'AUTO' };
    const one = producer();
    await vi.waitUntil(() => problems.length > 0, { timeout: 5_000 });
    expect(problems).toEqual([expect.stringMatching(/us-west-2.*after a move there/)]);
    await put(one, 'before');
    dns.answer = signalTo(WEST);
    await once(one, 'regionChanged');
    await vi.waitUntil(() => problems.length > 1, { timeout: 5_000 });
    expect(problems[1]).toMatch(/us-west-2.*records go on, without their order/);
    await put(one, 'after');
    expect(taken).toEqual([`${EAST} before`, `${WEST} after`]);
  });

  it('takes records of a process that starts in the crisis, when the home cannot be asked', async () => {
    said = { [EAST]: 'silent', [WEST]: 'AUTO' };
    dns.answer = signalTo(WEST);
    const one = producer();
    await vi.waitUntil(() => problems.length > 0, { timeout: 5_000 });
    await put(one, 'in the crisis');
    expect(taken.at(-1)).toBe(`${WEST} in the crisis`);
    expect(problems).toEqual([expect.stringMatching(/records go on/)]);
  });

  it('that was by key when the producer began does not stop it', async () => {
    said = { [EAST]: 'USER_PARTITION_KEY', [WEST]: 'USER_PARTITION_KEY' };
    const one = producer();
    await vi.waitUntil(() => askedOf(EAST) === 1 && askedOf(WEST) === 1, { timeout: 5_000 });
    said = { [EAST]: 'AUTO', [WEST]: 'AUTO' };
    // A signal that names another stream makes the producer ask again.
    await put(one, 'before');
    dns.answer = `v=1; region=${EAST}; stream=others`;
    await vi.waitUntil(() => problems.some((text) => text.includes(EAST)), { timeout: 5_000 });
    await put(one, 'after');
    expect(taken).toEqual([`${EAST} before`, `${EAST} after`]);
    expect(problems.join()).toMatch(/others in us-east-1.*records go on/);
  });

  it('is asked for by the name that the options give in each region', async () => {
    producer({ streamName: { [EAST]: 'eastern', [WEST]: 'western' } });
    await vi.waitUntil(() => asked.length === 2, { timeout: 5_000 });
    expect(asked).toEqual(
      expect.arrayContaining([
        { region: EAST, name: 'eastern' },
        { region: WEST, name: 'western' },
      ]),
    );
  });
});

describe('without an answer', () => {
  it.each(['older', 'throttled', 'silent'] as const)(
    'a stream is taken to place by key (%s)',
    async (how) => {
      said = { [EAST]: how, [WEST]: how };
      const one = producer();
      await put(one);
      await vi.waitUntil(() => askedOf(EAST) > 0, { timeout: 5_000 });
      await put(one);
      expect(taken).toHaveLength(2);
      expect(problems).toEqual([]);
    },
  );

  it('an answer that comes later stops no producer that works', async () => {
    said = { [EAST]: 'throttled', [WEST]: 'older' };
    const one = producer();
    await vi.waitUntil(() => askedOf(EAST) === 1, { timeout: 5_000 });
    await put(one);
    said = { [EAST]: 'AUTO', [WEST]: 'older' };
    await vi.waitUntil(() => problems.length > 0, { timeout: 10_000 });
    await put(one);
    expect(problems).toEqual([expect.stringMatching(/records go on, without their order/)]);
    expect(taken).toHaveLength(2);
  });

  it('for lack of rights, that is said once, for the region in force', async () => {
    said = { [EAST]: 'denied', [WEST]: 'denied' };
    const one = producer();
    await vi.waitUntil(() => askedOf(WEST) === 1 && problems.length > 0, { timeout: 5_000 });
    await put(one);
    expect(problems).toEqual([expect.stringMatching(/orders in us-east-1.*kinesis:DescribeStreamSummary/)]);
    expect(asked).toHaveLength(2);
  });
});

it('no record waits for an answer', async () => {
  said = { [EAST]: 'silent', [WEST]: 'silent' };
  const one = producer();
  await put(one);
  const startedMs = performance.now();
  for (let n = 0; n < 50; n++) await put(one);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  const closingMs = performance.now();
  await one.close();
  expect(performance.now() - closingMs).toBeLessThan(1_000);
});
