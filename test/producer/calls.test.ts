import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailoverProducer, type ProducerOptions, RecordError } from '../../lib/producer/index.ts';
import type { OutgoingRecord } from '../../lib/producer/record.ts';
import type { Transport } from '../../lib/producer/transport.ts';

/** Data that the stream took, in order. */
let taken: string[];
let answerMs: number;
let producers: FailoverProducer[];

beforeEach(() => {
  vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
  taken = [];
  answerMs = 0;
  producers = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
});

/** A stream that takes its time, and refuses a request with a record whose key is `bad`. */
const transport: Transport = {
  async send({ region, records }) {
    await sleep(answerMs, undefined, { ref: false });
    if (records.some(({ partitionKey }) => partitionKey === 'bad')) {
      throw Object.assign(new Error('no'), { name: 'ValidationException' });
    }
    return records.map(({ data }: OutgoingRecord) => {
      taken.push(Buffer.from(data).toString());
      return { region, shardId: 'shardId-000000000000', sequenceNumber: `${taken.length}` };
    });
  },
  close() {},
};

function producer(options: Partial<ProducerOptions> = {}): FailoverProducer {
  const created = new FailoverProducer(
    { signal: { name: 'x.invalid' }, regions: ['us-east-1'], streamName: 'orders', lingerMs: 0, ...options },
    { transport },
  );
  producers.push(created);
  return created;
}

const records = (count: number, partitionKey = 'k') =>
  Array.from({ length: count }, (_, n) => ({ partitionKey, data: `${n}` }));

describe('a call of many records', () => {
  it.each(['flush', 'close'] as const)(
    'is waited for by %s to its last record, though one failed',
    async (end) => {
      answerMs = 10;
      const ending = producer({ maxBatchRecords: 1 });
      const call = ending.putMany([{ partitionKey: 'bad', data: 'x' }, ...records(20)]);
      await expect(call).rejects.toThrow('no');
      await ending[end]();
      expect(taken).toEqual(records(20).map(({ data }) => data));
    },
  );

  it('is sent as it was when it was made, whatever becomes of its array while it waits', async () => {
    const waiting = producer({ maxBufferedRecords: 2 });
    const batch = records(5);
    const call = waiting.putMany(batch);
    for (const record of batch) Object.assign(record, { partitionKey: '', data: 'changed' });
    batch.length = 0;
    await call;
    expect(taken).toEqual(records(5).map(({ data }) => data));
  });

  it('reads each field once, so that what is sent is what was checked', async () => {
    const looks = { partitionKey: 0, data: 0, explicitHashKey: 0 };
    const moody = {
      get partitionKey() {
        return ++looks.partitionKey === 1 ? 'k' : '';
      },
      get data() {
        if (++looks.data > 1) throw new Error('broken');
        return 'good';
      },
      get explicitHashKey() {
        return ++looks.explicitHashKey === 1 ? '7' : 'seven';
      },
    };
    const waiting = producer({ maxBufferedRecords: 1 });
    await waiting.putMany([moody, ...records(3)]);
    Object.assign(looks, { partitionKey: 0, data: 0, explicitHashKey: 0 });
    await waiting.putMany([...records(3), moody]);
    expect(looks).toEqual({ partitionKey: 1, data: 1, explicitHashKey: 1 });
    expect(taken.filter((data) => data === 'good')).toHaveLength(2);
  });

  it.each([
    ['a hash key of 2^128', { explicitHashKey: `${2n ** 128n}`, data: '' }],
    ['more than a JSON body holds', { data: Buffer.alloc(8 * 1024 * 1024) }],
  ])('is refused at once for %s', async (_what, record) => {
    const strict = producer({ encoding: 'json', maxRecordBytes: 10 * 1024 * 1024 });
    await expect(strict.put({ partitionKey: 'k', ...record })).rejects.toBeInstanceOf(RecordError);
    const most = { partitionKey: 'k', data: 'x', explicitHashKey: `${2n ** 128n - 1n}` };
    await expect(strict.put(most)).resolves.toBeDefined();
  });

  it('may wait for room longer than a delivery may take, while the region takes records', async () => {
    answerMs = 20;
    const busy = producer({ maxBufferedRecords: 10, maxBatchRecords: 10, deliveryTimeoutMs: 200 });
    await expect(
      busy.putMany(records(400).map(({ data }) => ({ partitionKey: data, data }))),
    ).resolves.toHaveLength(400);
  });

  it('is rejected in time while it waits for room, when the region takes nothing', async () => {
    answerMs = 60_000;
    const stuck = producer({ maxBufferedRecords: 10, deliveryTimeoutMs: 200 });
    const calls = records(30).map((record) => stuck.put(record));
    for (const call of calls) call.catch(() => {});
    const waiting = await Promise.allSettled(calls.slice(10));
    expect(waiting.every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('does not take the way over the disk because it waits for room', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-calls-'));
    const busy = producer({
      maxBufferedRecords: 10,
      maxBatchRecords: 5,
      maxInFlight: 1,
      spool: { directory: join(directory, 'spool'), afterMs: 200 },
    });
    // The spool is open.
    await busy.put({ partitionKey: 'k', data: 'first' });
    answerMs = 20;
    const receipts = await busy.putMany(records(400).map(({ data }) => ({ partitionKey: data, data })));
    expect(receipts.filter(({ spooled }) => spooled)).toEqual([]);
    await busy.close();
    await rm(directory, { recursive: true });
  });
});
