import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailoverProducer, type ProducerOptions, type ProducerRecord } from '../../lib/producer/index.ts';
import { type SignalServer, startSignalServer } from './signal-server.ts';
import { servedRequest } from './sink/put-records.ts';
import { type Sink, startSink } from './sink/sink.ts';

const east = 'v=1; region=us-east-1; stream=orders';
const west = 'v=1; region=us-west-2; stream=orders';
const regionInScope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\//;

let dns: SignalServer;
let producers: FailoverProducer[];

beforeEach(async () => {
  producers = [];
  dns = await startSignalServer(east);
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  await dns.close();
});

function producer(url: string, options: Partial<ProducerOptions> = {}): FailoverProducer {
  const created = new FailoverProducer({
    signal: { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20, timeoutMs: 200 },
    regions: ['us-east-1', 'us-west-2'],
    endpoint: () => url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestTimeoutMs: 1_000,
    deliveryTimeoutMs: 5_000,
    retryBaseMs: 5,
    retryMaxMs: 40,
    ...options,
  });
  producers.push(created);
  return created;
}

const recordsOf = (from: number, to: number): ProducerRecord[] =>
  Array.from({ length: to - from }, (_, n) => ({ partitionKey: `k${(from + n) % 7}`, data: `${from + n}` }));

describe('a producer whose signatures are verified', () => {
  const old = { accessKeyId: 'OLD', secretAccessKey: 'x', sessionToken: 'token/old' };
  const fresh = { accessKeyId: 'NEW', secretAccessKey: 'y', sessionToken: 'token/new' };
  let sink: Sink;

  beforeEach(async () => {
    sink = await startSink({ tls: false, identities: [old] });
  });
  afterEach(() => sink.close());

  it('rides out credentials that expire while their provider is down, and asks neither of them in a storm', async () => {
    let isDown = false;
    let given = old;
    const provider = vi.fn(async () => {
      if (isDown) throw new Error('the metadata service does not answer');
      return { ...given, expiration: new Date(Date.now() + 3_600_000) };
    });
    const running = producer(sink.url, { credentials: provider });
    await running.putMany(recordsOf(0, 50));
    const asked = provider.mock.calls.length;
    isDown = true;
    const startMs = performance.now();
    await sink.accept({ ...old, expired: true }, fresh);
    const { requests } = await sink.received();
    const receipts = running.putMany(recordsOf(50, 150));
    await expect.poll(() => provider.mock.calls.length).toBeGreaterThan(asked);
    await sleep(300);
    expect(running.stats()).toMatchObject({ delivered: 50, bufferedRecords: 100 });
    const elapsedMs = performance.now() - startMs;
    // A second between two questions; full jitter up to 40 ms between two requests, one at a time.
    expect(provider.mock.calls.length - asked).toBeLessThanOrEqual(2 + elapsedMs / 1_000);
    expect((await sink.received()).requests - requests).toBeLessThan(10 + elapsedMs / 8);
    isDown = false;
    given = fresh;
    expect(await receipts).toHaveLength(100);
    expect((await sink.received()).records).toBe(150);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])(
    'does not mind a wall clock that jumps an hour %s: it signs again, and gives nothing up',
    async (_way, stepMs) => {
      const running = producer(sink.url, { credentials: old, deliveryTimeoutMs: 2_000 });
      await running.putMany(recordsOf(0, 50));
      const before = running.put({ partitionKey: 'k', data: 'put before the step' });
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + stepMs });
      await before;
      expect(await running.putMany(recordsOf(50, 150))).toHaveLength(100);
      const { retries } = running.stats();
      expect(retries).toBeGreaterThan(0);
      vi.useRealTimers();
      expect(await running.putMany(recordsOf(150, 200))).toHaveLength(50);
      // Once the difference is known, requests are right at once.
      const afterwards = running.stats().retries;
      expect(await running.putMany(recordsOf(200, 250))).toHaveLength(50);
      expect(running.stats().retries).toBe(afterwards);
      expect((await sink.received()).records).toBe(251);
    },
  );
});

describe('a producer', () => {
  let kinesis: Server;
  let url: string;
  /** What was taken, wherever, in order. */
  let written: { region: string; key: string; n: number }[];
  let requests: number;
  /** Answers that are held back; undefined: none is. */
  let held: (() => void)[] | undefined;

  beforeEach(async () => {
    written = [];
    requests = 0;
    held = undefined;
    kinesis = createServer(async (request, response: ServerResponse) => {
      const { records, answer } = await servedRequest(request);
      const region = regionInScope.exec(request.headers.authorization ?? '')?.[1] ?? '';
      requests++;
      const entries = records.map(({ partitionKey: key, data }) => {
        written.push({ region, key, n: Number(data.toString()) });
        return { ShardId: 'shardId-000000000000', SequenceNumber: `${written.length}` };
      });
      if (held === undefined) answer(response, entries);
      else held.push(() => answer(response, entries));
    }).listen(0, '127.0.0.1');
    await once(kinesis, 'listening');
    url = `http://127.0.0.1:${(kinesis.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    kinesis.closeAllConnections();
    kinesis.close();
  });
  const release = (): void => {
    const all = held ?? [];
    held = undefined;
    for (const answer of all) answer();
  };

  it('keeps the order and loses nothing while DNS flaps between regions, with garbage and silence in between', async () => {
    const startMs = performance.now();
    const flapping = producer(url);
    const moves: string[] = [];
    flapping.on('regionChanged', ({ to }) => moves.push(to));
    const answers = [west, 'hello', east, undefined, west, 'v=1; region=eu-west-3; stream=orders', east];
    const all = recordsOf(0, 2_000);
    const receipts: Promise<unknown>[] = [];
    for (let turn = 0; turn < 40; turn++) {
      dns.answer = answers[turn % answers.length];
      receipts.push(...all.slice(turn * 50, (turn + 1) * 50).map((record) => flapping.put(record)));
      await sleep(25);
    }
    await Promise.all(receipts);
    expect(new Set(moves)).toEqual(new Set(['us-east-1', 'us-west-2']));
    expect(moves.length).toBeGreaterThan(5);
    expect(new Set(written.map(({ n }) => n)).size).toBe(all.length);
    for (const list of Map.groupBy(written, ({ key }) => key).values()) {
      expect(list.map(({ n }) => n)).toEqual(list.map(({ n }) => n).toSorted((a, b) => a - b));
    }
    // Polled at its own pace, a tenth of jitter included, whatever the answers are; and nothing sent twice.
    expect(dns.asked).toBeLessThan((performance.now() - startMs) / 18 + 5);
    expect(written).toHaveLength(all.length);
  });

  it('takes from the source of `receipts` only what its window allows, however slow its reader is', async () => {
    let taken = 0;
    async function* source(): AsyncGenerator<ProducerRecord> {
      for (;;) yield { partitionKey: `${taken}`, data: `${taken++}` };
    }
    const receipts = producer(url).receipts(source(), { window: 20 });
    for (let n = 0; n < 5; n++) expect((await receipts.next()).value).toMatchObject({ region: 'us-east-1' });
    await sleep(50);
    expect(taken).toBe(24);
    // And none more while no region answers.
    held = [];
    const next = Array.from({ length: 40 }, () => receipts.next());
    await expect.poll(() => held?.length).toBeGreaterThan(0);
    await sleep(50);
    expect(taken).toBeLessThanOrEqual(24 + 40);
    release();
    expect((await Promise.all(next)).every(({ value }) => value !== undefined)).toBe(true);
    await receipts.return();
  });

  it('holds back what is piped into `writable` while no region answers, and finishes when all is acknowledged', async () => {
    held = [];
    let read = 0;
    function* source(): Generator<ProducerRecord> {
      while (read < 5_000) yield { partitionKey: `${read}`, data: `${read++}` };
    }
    const writing = producer(url);
    const writable = writing.writable({ highWaterMark: 100 });
    const piped = pipeline(Readable.from(source(), { highWaterMark: 16 }), writable);
    await expect.poll(() => held?.length).toBeGreaterThan(0);
    await sleep(50);
    const waiting = read;
    expect(waiting).toBeLessThan(250);
    expect(writable.writableNeedDrain).toBe(true);
    await sleep(100);
    expect(read).toBe(waiting);
    release();
    await piped;
    expect(writing.stats()).toMatchObject({ delivered: 5_000, bufferedRecords: 0 });
    expect(requests).toBeLessThan(1_000);
  });
});
