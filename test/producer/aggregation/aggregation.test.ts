import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AggregateEncoder } from '../../../lib/aggregate/encoder.ts';
import { takeApart } from '../../../lib/consumer/index.ts';
import { FailoverProducer, type ProducerOptions, type Receipt } from '../../../lib/producer/index.ts';
import { startSignalServer } from '../signal-server.ts';
import { ShardRing } from '../sink/shard-ring.ts';
import { ReshardingKinesis } from './resharding-kinesis.ts';

const SHARDS = 4;
let kinesis: ReshardingKinesis;
let standby: ReshardingKinesis;
let directory: string;
let producers: FailoverProducer[];
const region = process.env.SPILLWAY_REGION;

beforeEach(async () => {
  process.env.SPILLWAY_REGION = 'us-east-1';
  producers = [];
  directory = await mkdtemp(join(tmpdir(), 'spillway-aggregation-'));
  kinesis = new ReshardingKinesis(SHARDS);
  standby = new ReshardingKinesis(3);
  await Promise.all([kinesis.listen(), standby.listen()]);
});

afterEach(async () => {
  if (region === undefined) delete process.env.SPILLWAY_REGION;
  else process.env.SPILLWAY_REGION = region;
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  kinesis.close();
  standby.close();
  await rm(directory, { recursive: true, force: true });
});

function producer(options: Partial<ProducerOptions> = {}): FailoverProducer {
  const created = new FailoverProducer({
    signal: { name: 'pinned.invalid' },
    regions: ['us-east-1', 'us-west-2'],
    streamName: 'orders',
    endpoint: (name) => (name === 'us-east-1' ? kinesis.url : standby.url),
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    aggregate: { lingerMs: 20 },
    retryBaseMs: 5,
    retryMaxMs: 40,
    ...options,
  });
  producers.push(created);
  return created;
}

/** A producer that has the shard map. */
async function settled(options: Partial<ProducerOptions> = {}): Promise<FailoverProducer> {
  const created = producer(options);
  await vi.waitFor(() => expect(kinesis.listings).toBeGreaterThan(0), 5_000);
  await sleep(20);
  return created;
}

const record = (key: number, n: number) => ({ partitionKey: `key-${key}`, data: `${key}:${n}` });
const records = (count: number, keys: number) =>
  Array.from({ length: count }, (_, n) => record(n % keys, Math.floor(n / keys)));

/** Each key's texts in the order of their first appearance. */
function orderOf(seen: readonly { readonly partitionKey: string; readonly text: string }[]) {
  const byKey = new Map<string, string[]>();
  for (const { partitionKey, text } of seen) {
    const texts = byKey.get(partitionKey) ?? [];
    if (!texts.includes(text)) texts.push(text);
    byKey.set(partitionKey, texts);
  }
  return byKey;
}

/** Every record was seen, and each key's in order. */
function expectAll(seen: ReturnType<ReshardingKinesis['seenByKcl']>, count: number, keys: number): void {
  const order = orderOf(seen);
  for (let key = 0; key < keys; key++) {
    const wanted = records(count, keys).flatMap(({ partitionKey, data }) =>
      partitionKey === `key-${key}` ? [data] : [],
    );
    expect(order.get(`key-${key}`)).toEqual(wanted);
  }
}

describe('by shard', () => {
  it('puts the records of a shard into one record of Kinesis', async () => {
    const to = await settled();
    const receipts = await to.putMany(records(400, 100));
    expectAll(kinesis.seenByKcl(), 400, 100);
    expect(kinesis.stored).toHaveLength(SHARDS);
    expect(to.stats()).toMatchObject({ delivered: 400, aggregates: SHARDS, regrouped: 0 });
    expect(receipts.every(({ spooled }) => spooled !== true)).toBe(true);
  });

  it('gives each record its receipt: the shard, the sequence number, and the place within', async () => {
    const to = await settled();
    const given = records(100, 20);
    const receipts = await to.putMany(given);
    const found = new Map<string, string>();
    for (const { partitionKey, data, sequenceNumber, shard } of kinesis.stored) {
      for (const one of takeApart({
        PartitionKey: partitionKey,
        Data: data,
        SequenceNumber: sequenceNumber,
      })) {
        if ('data' in one && one.data !== undefined)
          found.set(
            `${shard.id}/${one.sequenceNumber}/${one.subSequenceNumber}`,
            Buffer.from(one.data).toString(),
          );
      }
    }
    for (const [n, receipt] of receipts.entries()) {
      const { shardId, sequenceNumber, subSequenceNumber } = receipt as Exclude<Receipt, { spooled: true }>;
      expect(found.get(`${shardId}/${sequenceNumber}/${subSequenceNumber}`)).toBe(given[n]?.data);
    }
  });

  it('sends a record that is alone as it is', async () => {
    const to = await settled();
    const receipt = await to.put(record(1, 1));
    expect(kinesis.stored.map(({ data }) => data.toString())).toEqual(['1:1']);
    expect(receipt).not.toHaveProperty('subSequenceNumber');
    expect(to.stats().aggregates).toBe(0);
  });

  it('keeps records with an explicit hash key and records without apart', async () => {
    const to = await settled();
    const [first] = kinesis.ring.open;
    const explicitHashKey = `${(first?.last ?? 0n) - 1n}`;
    await to.putMany([
      ...records(40, 40),
      ...records(40, 40).map((one) => ({ ...one, partitionKey: `${one.partitionKey}-e`, explicitHashKey })),
    ]);
    for (const { partitionKey, data, sequenceNumber } of kinesis.stored) {
      const inside = takeApart({ PartitionKey: partitionKey, Data: data, SequenceNumber: sequenceNumber });
      expect(
        new Set(inside.map((one) => 'explicitHashKey' in one && one.explicitHashKey !== undefined)).size,
      ).toBe(1);
    }
    expect(new Set(kinesis.seenByKcl().map(({ partitionKey }) => partitionKey)).size).toBe(80);
  });

  it('no record waits for others behind one that may not be with it', async () => {
    const to = await settled({ aggregate: { lingerMs: 60_000 } });
    const [first, second] = kinesis.ring.open;
    const puts = Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        to.put({
          partitionKey: 'k',
          data: `${n}`,
          explicitHashKey: `${(n % 2 === 0 ? first : second)?.first}`,
        }),
      ),
    );
    // The last one has nobody behind it.
    await vi.waitFor(() => expect(to.stats().delivered).toBeGreaterThanOrEqual(58), {
      timeout: 10_000,
      interval: 10,
    });
    await to.flush();
    await puts;
    expect(kinesis.stored.map(({ data }) => `${data}`)).toEqual(Array.from({ length: 60 }, (_, n) => `${n}`));
  });

  it('nor when it comes later, in another lane than the rest', async () => {
    const to = await settled({ aggregate: { lingerMs: 60_000 } });
    const [first, second] = kinesis.ring.open;
    const put = (n: number, shard: typeof first) =>
      to.put({ partitionKey: 'k', data: `${n}`, explicitHashKey: `${shard?.first}` });
    const one = put(1, first);
    await vi.waitFor(() => expect(to.stats().bufferedRecords).toBe(1), { timeout: 5_000, interval: 5 });
    await sleep(20);
    void put(2, second);
    await one;
    await to.flush();
  });

  it('knows the shard of hash keys at the very ends of shards', async () => {
    kinesis.close();
    kinesis = new ReshardingKinesis(3);
    await kinesis.listen();
    const to = await settled();
    const ends = kinesis.ring.open.flatMap(({ first, last }) => [first, first + 1n, last - 1n, last]);
    const put = ends.flatMap((end, n) =>
      ['a', 'b'].map((name) => ({ partitionKey: `${name}${n}`, data: `${n}`, explicitHashKey: `${end}` })),
    );
    await to.putMany(put);
    expect(kinesis.seenByKcl()).toHaveLength(put.length);
    expect(to.stats().regrouped).toBe(0);
    expect(kinesis.stored).toHaveLength(3);
  });

  it.each(['split', 'merge'] as const)('loses nothing when shards %s under load', async (how) => {
    const to = await settled({ aggregate: { lingerMs: 5 } });
    kinesis.delayMs = 5;
    const regrouped: { readonly records: number }[] = [];
    to.on('regrouped', (one) => regrouped.push(one));
    const [count, keys] = [6_000, 60];
    const all = records(count, keys);
    const puts: Promise<unknown>[] = [];
    for (let n = 0; n < count; n += 200) {
      puts.push(to.putMany(all.slice(n, n + 200)));
      if (n === 2_000 || n === 4_000) {
        for (const shard of kinesis.ring.open.slice(0, 2)) {
          if (how === 'split') kinesis.ring.split(shard);
        }
        // Shards that have nothing to do with each other: the lower two, and then the upper two.
        const sorted = kinesis.ring.open.toSorted((a, b) => (a.first < b.first ? -1 : 1));
        const lower = n === 2_000 ? sorted.at(0) : sorted.at(-2);
        if (how === 'merge' && lower !== undefined) kinesis.ring.merge(lower);
      }
      await sleep(5);
    }
    await Promise.all(puts);
    expectAll(kinesis.seenByKcl(), count, keys);
    const written = kinesis.stored.flatMap(({ partitionKey, data, sequenceNumber }) =>
      takeApart({ PartitionKey: partitionKey, Data: data, SequenceNumber: sequenceNumber }),
    ).length;
    // What was written twice was said to be, and a merge has no reason to write anything twice.
    expect(to.stats().regrouped).toBe(written - count);
    expect(regrouped.reduce((sum, one) => sum + one.records, 0)).toBe(written - count);
    if (how === 'merge') expect(written).toBe(count);
    else expect(written).toBeGreaterThan(count);
  });

  it('aggregates by key while the list of shards is old', async () => {
    const to = await settled();
    kinesis.listing = 'old';
    for (const shard of kinesis.ring.open) kinesis.ring.split(shard);
    await to.putMany(records(400, 20));
    expectAll(kinesis.seenByKcl(), 400, 20);
    kinesis.listing = 'served';
    await vi.waitFor(
      async () => {
        const before = kinesis.stored.length;
        await to.putMany(records(400, 200));
        expect(kinesis.stored.length - before).toBe(2 * SHARDS);
      },
      { timeout: 8_000, interval: 100 },
    );
  });

  it('does not take a region for silent that has answered, while it is unknown where records belong', async () => {
    const to = await settled({ spool: { directory, afterMs: 300 }, aggregate: { lingerMs: 5 } });
    let spooling = 0;
    to.on('spooling', () => spooling++);
    kinesis.listing = 'old';
    for (const shard of kinesis.ring.open) kinesis.ring.split(shard);
    const receipts = await to.putMany(records(40, 20));
    expect(receipts.some(({ spooled }) => spooled === true)).toBe(false);
    expect(spooling).toBe(0);
    expectAll(kinesis.seenByKcl(), 40, 20);
  });

  it('forgets the shards of a stream that is gone: one that is made again has others of the same names', async () => {
    const to = await settled({ spool: { directory, afterMs: 100 }, aggregate: { lingerMs: 5 } });
    await to.putMany(records(100, 50));
    kinesis.isGone = true;
    const waiting = to.putMany(records(200, 50).slice(100));
    await once(to, 'spooling');
    kinesis.ring = new ShardRing(3);
    kinesis.isGone = false;
    await waiting;
    await to.putMany(records(600, 50).slice(200));
    await vi.waitFor(() => expect(to.stats().spooledRecords).toBe(0), { timeout: 10_000, interval: 20 });
    expectAll(kinesis.seenByKcl(), 600, 50);
  });

  it('aggregates by key without the right to list shards, and says so once', async () => {
    kinesis.listing = 'refused';
    const to = producer();
    const [problem] = await once(to, 'aggregateProblem');
    expect(problem).toMatchObject({ name: 'AccessDeniedException' });
    await to.putMany(records(400, 20));
    expectAll(kinesis.seenByKcl(), 400, 20);
    expect(kinesis.stored.length).toBe(20);
    const keys = kinesis.stored.map(({ partitionKey }) => partitionKey);
    expect(new Set(keys).size).toBe(20);
  });

  it('does not wait for a list of shards that hangs', async () => {
    kinesis.listDelayMs = 60_000;
    const to = producer();
    await to.putMany(records(100, 10));
    expectAll(kinesis.seenByKcl(), 100, 10);
  });

  it('puts records one by one into a stream that turns out to ignore keys', async () => {
    kinesis.ignoresKeys = true;
    const to = await settled({ order: 'none' });
    const problems: unknown[] = [];
    to.on('aggregateProblem', (problem) => problems.push(problem));
    await to.putMany(records(400, 100));
    expect(problems).toMatchObject([{ name: 'KeysIgnoredError' }]);
    const before = kinesis.stored.length;
    await to.putMany(records(100, 100));
    expect(kinesis.stored.length - before).toBe(100);
    expect(to.stats().regrouped).toBeLessThanOrEqual(400);
    expect(new Set(kinesis.seenByKcl().map(({ text }) => text)).size).toBe(400);
  });

  it('tries a shard that is throttled again, and others go on', async () => {
    const to = await settled();
    const [slow] = kinesis.ring.open;
    let refusals = 0;
    kinesis.refuses = (shard) => shard === slow && ++refusals <= 5;
    await to.putMany(records(800, 80));
    expect(refusals).toBeGreaterThan(5);
    expectAll(kinesis.seenByKcl(), 800, 80);
    expect(kinesis.seenByKcl()).toHaveLength(800);
  });
});

describe('order and speed of a key', () => {
  it('are kept, with everything that waits in one record', async () => {
    const to = await settled({ aggregate: true, maxBufferedRecords: 5_000 });
    kinesis.delayMs = 20;
    const all = records(2_000, 1);
    await Promise.all(all.map((one) => to.put(one)));
    expectAll(kinesis.seenByKcl(), 2_000, 1);
    expect(kinesis.requests.length).toBeLessThan(20);
  });

  it('fill whole units that are paid, where one key has more waiting than the target', async () => {
    const to = await settled({ aggregate: true, maxBufferedRecords: 100_000, maxInFlight: 1 });
    kinesis.delayMs = 200;
    const first = to.put(record(0, -1));
    await vi.waitFor(() => expect(to.stats().inFlightRequests).toBe(1), { timeout: 5_000, interval: 2 });
    const data = Buffer.alloc(200, 'x');
    await Promise.all([
      first,
      to.putMany(Array.from({ length: 1_000 }, () => ({ partitionKey: 'key-0', data }))),
    ]);
    const sizes = kinesis.stored.map((one) => one.data.length + one.partitionKey.length);
    const large = sizes.find((size) => size > 50_000) ?? 0;
    // Eight units of 25,000 bytes hold 200 KB and more of such records; the unit is full but for less than a record.
    expect(large % 25_000).toBeGreaterThan(25_000 - 250);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
  });

  it('an explicit limit is kept', async () => {
    const to = producer({ aggregate: { by: 'key', maxBytes: 1_000, lingerMs: 5 } });
    await to.putMany(records(500, 2));
    expectAll(kinesis.seenByKcl(), 500, 2);
    expect(kinesis.stored.every(({ data, partitionKey }) => data.length + partitionKey.length <= 1_000)).toBe(
      true,
    );
    expect(kinesis.stored.length).toBeGreaterThan(4);
  });
});

describe('without order', () => {
  it('by key, records share an explicit hash key, so that no KCL drops them', async () => {
    const to = producer({ order: 'none', aggregate: { by: 'key', lingerMs: 20 } });
    await to.putMany(records(1_000, 500));
    expect(kinesis.stored.length).toBeLessThan(20);
    for (const shard of kinesis.ring.open) kinesis.ring.split(shard);
    expect(kinesis.seenByKcl()).toHaveLength(1_000);
    expect(kinesis.listings).toBe(0);
  });
});

describe('records that cannot share', () => {
  it('are sent alone: aggregates of others, and large ones', async () => {
    const to = await settled();
    const encoder = new AggregateEncoder({ maxBytes: 10_000 });
    for (const data of ['a', 'b']) encoder.add({ partitionKey: 'key-0', data: Buffer.from(data) });
    const aggregate = Buffer.from(encoder.finish());
    const large = Buffer.alloc(60_000, 'l');
    const put = [
      record(0, 0),
      { partitionKey: 'key-0', data: aggregate },
      record(0, 1),
      { partitionKey: 'key-0', data: large },
      record(0, 2),
      record(0, 3),
    ];
    await to.putMany(put);
    const texts = kinesis.seenByKcl().map(({ text }) => (text.length > 100 ? 'large' : text));
    expect(texts).toEqual(['0:0', 'a', 'b', '0:1', 'large', '0:2', '0:3']);
  });

  it('fail alone when their bytes are gone', async () => {
    const to = await settled({ aggregate: { lingerMs: 100 } });
    const bytes = new Uint8Array(100);
    const outcomes = Promise.allSettled([
      to.put(record(0, 0)),
      to.put({ partitionKey: 'key-0', data: bytes }),
      to.put(record(0, 1)),
    ]);
    bytes.buffer.transfer();
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(kinesis.seenByKcl().map(({ text }) => text)).toEqual(['0:0', '0:1']);
  });
});

describe('another region', () => {
  it('gets the records that the first one did not take, grouped by its own shards', async () => {
    delete process.env.SPILLWAY_REGION;
    const dns = await startSignalServer('v=1; region=us-east-1; stream=orders');
    try {
      const to = producer({
        signal: { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20 },
        spool: { directory, afterMs: 200 },
        requestTimeoutMs: 500,
      });
      await once(to, 'regionChanged');
      await to.putMany(records(200, 50));
      kinesis.isFailing = true;
      const all = records(2_000, 50).slice(200);
      const puts = Promise.all(all.map((one) => to.put(one)));
      await once(to, 'spooling');
      dns.answer = 'v=1; region=us-west-2; stream=orders';
      await puts;
      await vi.waitFor(() => expect(to.stats().spooledRecords).toBe(0), { timeout: 10_000, interval: 20 });
      expectAll([...kinesis.seenByKcl(), ...standby.seenByKcl()], 2_000, 50);
      expect(standby.stored.length).toBeLessThan(400);
      expect(standby.listings).toBeGreaterThan(0);
    } finally {
      await dns.close();
    }
  });
});

describe('the end', () => {
  it('`flush` does not wait for others to share an aggregate', async () => {
    const to = await settled({ aggregate: { lingerMs: 60_000 } });
    const put = to.put(record(0, 0));
    await to.flush();
    await put;
    expect(kinesis.stored).toHaveLength(1);
  });

  it('`close` delivers what waits in aggregates', async () => {
    const to = await settled({ aggregate: { lingerMs: 60_000 } });
    const puts = to.putMany(records(100, 10));
    await to.close();
    await puts;
    expectAll(kinesis.seenByKcl(), 100, 10);
  });

  it('`close` leaves in the spool what waits in aggregates, when Kinesis does not answer', async () => {
    kinesis.delayMs = 60_000;
    const limits = {
      maxInFlight: 1,
      maxBatchRecords: 5,
      aggregate: { by: 'key', lingerMs: 60_000 },
    } as const;
    const to = producer({ ...limits, spool: { directory, afterMs: 60_000 } });
    const puts = to.putMany(records(300, 100));
    await vi.waitFor(() => expect(to.stats().bufferedRecords).toBe(300), { timeout: 5_000, interval: 5 });
    await to.close({ timeoutMs: 50 });
    expect((await puts).every(({ spooled }) => spooled === true)).toBe(true);
    kinesis.delayMs = 0;
    await producer({ spool: { directory } }).close();
    expectAll(kinesis.seenByKcl(), 300, 100);
  });

  it('nothing waits for company when there is no room for more', async () => {
    const to = await settled({ maxBufferedRecords: 40, aggregate: { lingerMs: 60_000 } });
    const puts = to.putMany(records(1_000, 500));
    await vi.waitFor(() => expect(to.stats().delivered).toBeGreaterThan(900), {
      timeout: 10_000,
      interval: 10,
    });
    await to.flush();
    await puts;
    expectAll(kinesis.seenByKcl(), 1_000, 500);
  });

  it('records that no region takes in time are rejected', async () => {
    const to = await settled({ deliveryTimeoutMs: 300, aggregate: { lingerMs: 60_000 } });
    kinesis.isFailing = true;
    const outcomes = await Promise.allSettled(records(20, 4).map((one) => to.put(one)));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('what is left goes to the spool, and is aggregated by the next process', async () => {
    kinesis.isFailing = true;
    const first = producer({ spool: { directory, afterMs: 50 } });
    const receipts = await Promise.all(records(300, 30).map((one) => first.put(one)));
    expect(receipts.every(({ spooled }) => spooled === true)).toBe(true);
    await first.close({ timeoutMs: 50 });
    kinesis.isFailing = false;
    const second = producer({ spool: { directory } });
    await second.close();
    expectAll(kinesis.seenByKcl(), 300, 30);
    expect(kinesis.stored.length).toBeLessThan(150);
  });
});
