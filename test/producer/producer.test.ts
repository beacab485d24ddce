import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unwrap } from '../../lib/envelope/unwrap.ts';
import {
  DeliveryTimeoutError,
  FailoverProducer,
  ProducerClosedError,
  ProducerConfigError,
  type ProducerOptions,
  type Receipt,
  RecordError,
} from '../../lib/producer/index.ts';
import { type SignalServer, startSignalServer } from './signal-server.ts';
import { servedRequest } from './sink/put-records.ts';

const regionInScope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\//;

interface Written {
  readonly region: string;
  readonly key: string;
  readonly data: string;
}

/** Kinesis on a real socket: what it took, in order; `answer` may break a request in any way. */
let kinesis: Server;
let written: Written[];
/** The bytes of every record that was taken. */
let taken: Uint8Array[];
let requests: number;
let answer: (region: string, response: ServerResponse, request: IncomingMessage) => 'broken' | 'serve';
/** Records that are refused once each. */
let refused: Set<string>;
let dns: SignalServer;
let transport: 'fast' | 'sdk';
let producers: FailoverProducer[];

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const served = await servedRequest(request);
  const region = regionInScope.exec(request.headers.authorization ?? '')?.[1] ?? '';
  requests++;
  if (answer(region, response, request) === 'broken') return;
  const entries = served.records.map((record, index) => {
    const data = record.data.toString();
    if (refused.delete(data))
      return { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' };
    written.push({ region, key: record.partitionKey, data });
    taken.push(record.data);
    return { ShardId: 'shardId-000000000000', SequenceNumber: `${written.length}${index}` };
  });
  served.answer(response, entries);
}

beforeEach(async () => {
  written = [];
  taken = [];
  requests = 0;
  refused = new Set();
  producers = [];
  answer = () => 'serve';
  kinesis = createServer((request, response) => void serve(request, response));
  kinesis.listen(0, '127.0.0.1');
  await once(kinesis, 'listening');
  dns = await startSignalServer('v=1; region=us-east-1; stream=orders');
});

afterEach(async () => {
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  kinesis.closeAllConnections();
  kinesis.close();
  await dns.close();
});

function producer(options: Partial<ProducerOptions> = {}): FailoverProducer {
  const created = new FailoverProducer({
    signal: { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20, timeoutMs: 200 },
    regions: ['us-east-1', 'us-west-2'],
    endpoint: () => `http://127.0.0.1:${(kinesis.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestTimeoutMs: 300,
    retryBaseMs: 5,
    retryMaxMs: 20,
    transport,
    ...options,
  });
  producers.push(created);
  return created;
}

const regionOf = (receipt: Receipt): string | undefined => ('region' in receipt ? receipt.region : undefined);
const put = (to: FailoverProducer, data: string, partitionKey = 'k') => to.put({ partitionKey, data });

describe.each(['fast', 'sdk'] as const)('a producer over the %s transport', (kind) => {
  beforeEach(() => {
    transport = kind;
  });

  it('writes where the signal says, and says where', async () => {
    const receipt = await put(producer(), 'one');
    expect(receipt).toMatchObject({ region: 'us-east-1', shardId: 'shardId-000000000000' });
    expect(written).toEqual([{ region: 'us-east-1', key: 'k', data: 'one' }]);
  });

  it('moves when the signal moves, and takes along what the old region does not take', async () => {
    answer = (region, response) => {
      if (region !== 'us-east-1') return 'serve';
      response.writeHead(500, { 'content-type': 'application/x-amz-json-1.1' });
      response.end('{"__type":"InternalFailure"}');
      return 'broken';
    };
    const moving = producer();
    const receipts = Promise.all(['a', 'b', 'c'].map((data) => put(moving, data)));
    await expect.poll(() => moving.stats().retries).toBeGreaterThan(2);
    dns.answer = 'v=1; region=us-west-2; stream=orders';
    expect((await receipts).map(regionOf)).toEqual(['us-west-2', 'us-west-2', 'us-west-2']);
    expect(written.map(({ data }) => data)).toEqual(['a', 'b', 'c']);
  });

  it('keeps the order of each key while records of a batch are refused', async () => {
    const ordered = producer();
    const all = Array.from({ length: 60 }, (_, n) => ({ key: `k${n % 3}`, data: `${n}` }));
    refused = new Set(['0', '4', '17', '33', '59']);
    await Promise.all(all.map(({ key, data }) => put(ordered, data, key)));
    for (const key of ['k0', 'k1', 'k2']) {
      const inOrder = all.filter((one) => one.key === key).map(({ data }) => data);
      expect(written.filter((one) => one.key === key).map(({ data }) => data)).toEqual(inOrder);
    }
  });

  it('sends records of different keys together', async () => {
    const batching = producer();
    await batching.putMany(Array.from({ length: 100 }, (_, n) => ({ partitionKey: `${n}`, data: 'x' })));
    expect(requests).toBeLessThan(10);
  });

  it.each([
    ['is a lie', 'v=1; region=eu-west-3; stream=orders'],
    ['has an unknown version', 'v=2; region=us-west-2; stream=orders'],
    ['is garbage', 'hello'],
    ['fails', undefined],
  ])('keeps the last signal when the answer %s', async (_what, text) => {
    const keeping = producer();
    await put(keeping, 'before');
    const problem = once(keeping, 'signalProblem');
    dns.answer = text;
    await problem;
    await expect(put(keeping, 'after')).resolves.toMatchObject({ region: 'us-east-1' });
  });

  it('waits for room instead of growing', async () => {
    answer = () => 'broken';
    const small = producer({ maxBufferedRecords: 2 });
    const puts = ['a', 'b', 'c', 'd'].map((data) => put(small, data, data));
    await expect.poll(() => small.stats().inFlightRequests).toBeGreaterThan(0);
    expect(small.stats().bufferedRecords).toBe(2);
    answer = () => 'serve';
    await Promise.all(puts);
    expect(written).toHaveLength(4);
  });

  it('gives up on a region that hangs, and tries again', async () => {
    let hung = 0;
    answer = () => (hung++ === 0 ? 'broken' : 'serve');
    await expect(put(producer(), 'x')).resolves.toMatchObject({ region: 'us-east-1' });
    expect(requests).toBe(2);
  });

  it('rejects with the cause when no region takes a record in time', async () => {
    answer = (_region, response) => {
      response.writeHead(500);
      response.end('not what Kinesis says');
      return 'broken';
    };
    const error = await put(producer({ deliveryTimeoutMs: 100 }), 'x').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeliveryTimeoutError);
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it('rejects in time what it cannot even send, for want of a signal, and what waits for room', async () => {
    dns.answer = undefined;
    const lost = producer({ deliveryTimeoutMs: 100, maxBufferedRecords: 1 });
    const startedMs = performance.now();
    const errors = await Promise.all(['a', 'b'].map((data) => put(lost, data).catch((reason) => reason)));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    for (const error of errors) {
      expect(error).toBeInstanceOf(DeliveryTimeoutError);
      expect(error.message).toMatch(/signal\.orders\.example\.com gave no signal/);
    }
    expect(lost.stats()).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
  });

  it('rejects in time what waits behind others of its key, and goes on afterwards', async () => {
    answer = () => 'broken';
    const queue = producer({ deliveryTimeoutMs: 100 });
    const errors = await Promise.all(
      ['a', 'b', 'c'].map((data) => put(queue, data).catch((reason) => reason)),
    );
    for (const error of errors) expect(error).toBeInstanceOf(DeliveryTimeoutError);
    expect(requests).toBe(1);
    answer = () => 'serve';
    await expect(put(queue, 'd')).resolves.toBeDefined();
    expect(written.map(({ data }) => data)).toEqual(['d']);
  });

  it('lets nobody pass who comes when there is room, while others have waited for it', async () => {
    const small = producer({ maxBufferedRecords: 2 });
    refused = new Set(['a']);
    const late = once(small, 'retrying').then(() => put(small, 'd', 'z'));
    small.once('retrying', () => void put(small, 'c', 'z'));
    await Promise.all([put(small, 'a', 'x'), put(small, 'f', 'y'), put(small, 'b', 'z'), late]);
    await small.flush();
    expect(written.flatMap(({ key, data }) => (key === 'z' ? [data] : []))).toEqual(['b', 'c', 'd']);
  });

  it('flushes what was put so far, whatever is put meanwhile', async () => {
    answer = () => (requests === 1 ? 'serve' : 'broken');
    const steady = producer({ maxBatchRecords: 1, maxInFlight: 1 });
    const first = put(steady, 'first');
    const flushed = steady.flush();
    void put(steady, 'later', 'later').catch(() => {});
    await flushed;
    await first;
    expect(steady.stats().bufferedRecords).toBe(1);
  });

  it('delivers what it holds when closed, and takes no more', async () => {
    const closing = producer();
    const last = put(closing, 'last');
    await closing.close();
    await expect(last).resolves.toBeDefined();
    await expect(put(closing, 'more')).rejects.toBeInstanceOf(ProducerClosedError);
  });

  it('rejects what it cannot deliver before the close times out', async () => {
    answer = () => 'broken';
    const closing = producer();
    const lost = put(closing, 'lost');
    const rejected = expect(lost).rejects.toBeInstanceOf(ProducerClosedError);
    await closing.close({ timeoutMs: 50 });
    await rejected;
  });

  it('wraps records when asked to, so that a consumer can tell copies and check the order', async () => {
    const wrapping = producer({ envelope: true });
    await Promise.all(['a', 'b', 'a'].map((key, n) => put(wrapping, `${n}`, key)));
    const opened = taken.map((bytes) => unwrap(bytes));
    expect(opened.map((one) => 'data' in one && Buffer.from(one.data).toString()).toSorted()).toEqual([
      '0',
      '1',
      '2',
    ]);
    const ids = new Set(
      opened.map((one) => (one.enveloped === true && 'recordId' in one ? one.recordId : '')),
    );
    expect(ids.size).toBe(3);
    await expect(put(wrapping, 'x'.repeat(1024 * 1024 - 10))).rejects.toBeInstanceOf(RecordError);
  });

  it('refuses at once what is too large for any request, and delivers the rest', async () => {
    const large = producer({ maxRecordBytes: 10 * 1024 * 1024, encoding: 'json' });
    const data = Buffer.alloc(9 * 1024 * 1024);
    const [small, tooLarge] = await Promise.allSettled([
      put(large, 'small', 'a'),
      large.put({ partitionKey: 'b', data }),
    ]);
    expect(small.status).toBe('fulfilled');
    expect(tooLarge).toMatchObject({ status: 'rejected', reason: { name: 'RecordError' } });
  });

  it('refuses at once what every region would refuse', async () => {
    await expect(put(producer(), 'x'.repeat(1024 * 1024))).rejects.toBeInstanceOf(RecordError);
    await expect(put(producer(), 'x', '')).rejects.toBeInstanceOf(RecordError);
    await expect(put(producer(), 'x', 'half \ud800')).rejects.toBeInstanceOf(RecordError);
    expect(() => producer({ maxBatchRecords: 501 })).toThrow(ProducerConfigError);
    expect(() => producer({ lingerMs: -1 })).toThrow(ProducerConfigError);
  });
});
