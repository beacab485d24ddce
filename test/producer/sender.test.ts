import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entry, Ticket } from '../../lib/producer/entry.ts';
import { RecordFailure } from '../../lib/producer/errors.ts';
import { limitsOf } from '../../lib/producer/options.ts';
import type { OutgoingRecord } from '../../lib/producer/record.ts';
import { Sender, type SenderOptions } from '../../lib/producer/sender.ts';
import type { RecordResult, Transport } from '../../lib/producer/transport.ts';
import { encoded } from '../../lib/producer/wire/culprits.ts';

const options = { signal: { name: 'signal.orders.example.com' }, regions: ['us-east-1', 'us-west-2'] };
const limits = limitsOf({ ...options, retryBaseMs: 1, retryMaxMs: 2, lingerMs: 0, maxBatchRecords: 7 });

type Mood = (
  batch: readonly OutgoingRecord[],
  region: string,
) => 'take' | 'half' | 'hot' | 'refuse' | 'refuse stream' | 'fail';

/** Streams in memory, behind a transport whose mood each test decides. */
function world(mood: Mood, deliveryTimeoutMs?: number, changed: Partial<SenderOptions> = {}) {
  const taken: { region: string; key: string; text: string }[] = [];
  let most = 0;
  let open = 0;
  const transport: Transport = {
    async send({ region, records }) {
      most = Math.max(most, ++open);
      await sleep(0);
      open--;
      const answer = mood(records, region);
      if (answer === 'fail') throw Object.assign(new Error('500'), { name: 'InternalFailure' });
      if (answer === 'refuse stream') {
        const message =
          "1 validation error detected: Value 'a/b' at 'streamName' failed to satisfy constraint: …";
        throw Object.assign(new Error(message), { name: 'ValidationException' });
      }
      if (answer === 'refuse') throw Object.assign(new Error('400'), { name: 'ValidationException' });
      return records.map((record, n): RecordResult => {
        if (answer === 'hot' ? record.partitionKey === 'hot' : answer === 'half' && n % 2 === 0) {
          const message = 'Rate exceeded for shard shardId-000000000001 in stream orders.';
          return new RecordFailure('ProvisionedThroughputExceededException', message);
        }
        taken.push({ region, key: record.partitionKey, text: Buffer.from(record.data).toString() });
        return { region, shardId: 'shardId-000000000000', sequenceNumber: String(taken.length) };
      });
    },
    close() {},
  };
  const refused: Entry[] = [];
  const overdue: Entry[] = [];
  const sender = new Sender({
    limits,
    ordered: true,
    deliveryTimeoutMs,
    transport,
    random: Math.random,
    now: () => performance.now(),
    hooks: {
      onRetry() {},
      onRefused: (entry, error) => entry.owner.fail(error, refused.push(entry)),
      onOverdue: (entry) => entry.owner.fail(new Error('overdue'), overdue.push(entry)),
      onProgress() {},
    },
    ...changed,
  });
  const put = (keys: readonly string[]): Promise<unknown>[] =>
    keys.map((partitionKey, n) => {
      const owner = new Ticket(1, performance.now());
      const data = Buffer.from(String(n));
      sender.add(new Entry({ partitionKey, data }, { owner, index: 0, size: 10 }));
      sender.offered();
      return owner.promise;
    });
  return { sender, taken, refused, overdue, put, mostInFlight: () => most };
}

function expectOrder(taken: readonly { key: string; text: string }[], total: number): void {
  expect(new Set(taken.map(({ key, text }) => `${key} ${text}`)).size).toBe(total);
  for (const list of Map.groupBy(taken, ({ key }) => key).values()) {
    const order = list.map(({ text }) => Number(text));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
}

describe('the sender', () => {
  it('keeps the order of each key and loses nothing, whatever fails and however often it is sent elsewhere', async () => {
    const moods = fc.array(fc.constantFrom('take', 'half', 'fail', 'take'), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 60 }),
        moods,
        fc.array(fc.nat(20), { maxLength: 3 }),
        async (keys, list, moves) => {
          let n = 0;
          const { sender, taken, put } = world(() => list[n++] ?? 'take');
          sender.aim({ region: 'us-east-1', stream: 'orders' });
          const receipts = put(keys);
          for (const [index, pauseMs] of moves.entries()) {
            await sleep(pauseMs / 10);
            sender.aim({ region: index % 2 === 0 ? 'us-west-2' : 'us-east-1', stream: 'orders' });
          }
          await Promise.all(receipts);
          expectOrder(taken, keys.length);
          expect([sender.records, sender.bytes, sender.inFlight]).toEqual([0, 0, 0]);
          sender.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('fails records at once when the stream itself is refused, as no other attempt could succeed', async () => {
    let requests = 0;
    const { sender, put, refused } = world(() => {
      requests++;
      return 'refuse stream';
    }, 60_000);
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const outcomes = await Promise.allSettled(put(Array.from({ length: 21 }, (_, n) => `key-${n}`)));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'ValidationException' } });
    }
    expect(refused).toHaveLength(21);
    expect(requests).toBe(3);
    expect([sender.records, sender.bytes, sender.inFlight]).toEqual([0, 0, 0]);
    sender.close();
  });

  it('blames no record for a stream that is refused, where records wait on the disk', async () => {
    let mood: ReturnType<Mood> = 'refuse stream';
    let requests = 0;
    const { sender, put, refused, taken } = world(() => {
      requests++;
      return mood;
    });
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const receipts = put(Array.from({ length: 21 }, (_, n) => 'abc'[n % 3] ?? 'a'));
    // Many more than it takes to give up a record that is at fault.
    await expect.poll(() => requests, { timeout: 10_000 }).toBeGreaterThan(60);
    expect(refused).toEqual([]);
    mood = 'take';
    await Promise.all(receipts);
    expectOrder(taken, 21);
    sender.close();
  });

  it('gives back what is queued in the order of each key, and nothing is left', async () => {
    const { sender, taken, put } = world(() => 'fail');
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const keys = Array.from({ length: 40 }, (_, n) => 'abc'[n % 3] ?? 'a');
    const receipts = put(keys);
    await sleep(10);
    await sender.quiesce();
    const entries = sender.takeQueued();
    expect(entries).toHaveLength(40);
    expectOrder(
      entries.map((entry) => ({ key: entry.partitionKey, text: Buffer.from(entry.data).toString() })),
      40,
    );
    expect([sender.records, sender.bytes]).toEqual([0, 0]);
    expect(taken).toEqual([]);
    for (const { owner, index } of entries) owner.fail(new Error('closed'), index);
    await Promise.allSettled(receipts);
    sender.close();
  });

  it('refuses one bad record for good, and sends what travelled with it', async () => {
    const isBad = (records: readonly OutgoingRecord[]) =>
      records.some(({ partitionKey }) => partitionKey === 'bad');
    const { sender, taken, refused, put } = world((batch) => (isBad(batch) ? 'refuse' : 'take'));
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const settled = await Promise.allSettled(put(['a', 'b', 'bad', 'c', 'd', 'e', 'f', 'bad']));
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([
      ...[true, true, false, true],
      ...[true, true, true, false],
    ]);
    expect(refused).toHaveLength(2);
    expect(taken).toHaveLength(6);
    sender.close();
  });

  it('refuses what cannot be encoded, and neither slows down for it nor asks a region about it', async () => {
    const retries: unknown[] = [];
    const sent: string[] = [];
    const transport: Transport = {
      async send({ region, records }) {
        encoded({ stream: 's', records }, (batch) => {
          if (batch.records.some(({ partitionKey }) => partitionKey === 'bad')) throw new Error('no bytes');
        });
        await sleep(0);
        sent.push(...records.map(({ partitionKey }) => partitionKey));
        return records.map(() => ({ region, shardId: 'shardId-000000000000', sequenceNumber: '1' }));
      },
      close() {},
    };
    const failures: unknown[] = [];
    const hooks = {
      onRetry: (failure: unknown) => void retries.push(failure),
      onRefused: ({ owner, index }: Entry, error: unknown) => owner.fail(error, index),
      onOverdue() {},
      onProgress() {},
    };
    const { sender, put } = world(() => 'take', undefined, { transport, hooks });
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    // More in a row than a region may fail before it is left alone, and whole batches of them.
    const keys = Array.from({ length: 70 }, (_, n) => (n < 35 || n % 2 === 0 ? 'bad' : `key-${n}`));
    for (const result of await Promise.allSettled(put(keys))) {
      if (result.status === 'rejected') failures.push(result.reason);
    }
    expect(failures).toHaveLength(keys.filter((key) => key === 'bad').length);
    for (const failure of failures)
      expect(failure).toMatchObject({ name: 'RecordError', cause: { message: 'no bytes' } });
    expect(sent.toSorted()).toEqual(keys.filter((key) => key !== 'bad').toSorted());
    expect(retries).toEqual([]);
    expect([sender.records, sender.bytes, sender.inFlight]).toEqual([0, 0, 0]);
    sender.close();
  });

  it('asks for parts of a refused batch no faster than for others, and keeps the order of each key', async () => {
    const isBad = ({ partitionKey }: OutgoingRecord) => partitionKey.startsWith('bad');
    const { sender, taken, refused, put, mostInFlight } = world(
      (batch) => (batch.some(isBad) ? 'refuse' : 'take'),
      undefined,
      { limits: { ...limits, maxInFlight: 2, maxBatchRecords: 100 } },
    );
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const keys = Array.from({ length: 300 }, (_, n) => (n % 10 === 7 ? `bad-${n}` : `key-${n % 90}`));
    await Promise.allSettled(put(keys));
    expect(refused).toHaveLength(30);
    expectOrder(taken, 270);
    expect(mostInFlight()).toBeLessThanOrEqual(2);
    expect([sender.records, sender.bytes]).toEqual([0, 0]);
    sender.close();
  });

  it('takes a region that refuses whatever it is sent for one that fails, and gives up after some time', async () => {
    let singles = 0;
    const mood: Mood = (batch) => {
      if (batch.length === 1) singles++;
      return singles <= 6 ? 'refuse' : 'take';
    };
    const patient = { ...limits, maxBatchRecords: 500, maxInFlight: 1 };
    const { sender, taken, refused, put } = world(mood, undefined, { limits: patient });
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    await Promise.all(put(Array.from({ length: 500 }, (_, n) => `key-${n}`)));
    expect(refused).toEqual([]);
    expect(taken).toHaveLength(500);
    singles = Number.NEGATIVE_INFINITY;
    const settled = await Promise.allSettled(put(Array.from({ length: 20 }, (_, n) => `key-${n}`)));
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect([sender.records, sender.bytes]).toEqual([0, 0]);
    sender.close();
  });

  it('gives back the parts of a refused batch, and its followers, when it is moved', async () => {
    const { sender, taken, put } = world(
      (_batch, region) => (region === 'us-east-1' ? 'refuse' : 'take'),
      undefined,
      { limits: { ...limits, retryBaseMs: 10_000, retryMaxMs: 10_000 }, random: () => 0.999 },
    );
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const receipts = put(Array.from({ length: 40 }, (_, n) => 'abcdefg'[n % 7] ?? 'a'));
    await sleep(3);
    expect(sender.oldestSinceMs()).toBeDefined();
    expect([...sender.entries()]).toHaveLength(40);
    sender.aim({ region: 'us-west-2', stream: 'orders' });
    await Promise.all(receipts);
    expectOrder(taken, 40);
    sender.close();
  });

  it('asks a region that fails one request at a time, and ramps up when it is back', async () => {
    let failing = true;
    const { sender, put, mostInFlight } = world(() => (failing ? 'fail' : 'take'));
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const receipts = put(Array.from({ length: 400 }, (_, n) => `key-${n}`));
    await sleep(30);
    expect(mostInFlight()).toBeLessThanOrEqual(4);
    expect(sender.inFlight).toBeLessThanOrEqual(1);
    failing = false;
    await Promise.all(receipts);
    expect(mostInFlight()).toBeGreaterThan(4);
    expect(mostInFlight()).toBeLessThanOrEqual(limits.maxInFlight);
    sender.close();
  });

  it('gives up what was put too long ago, the followers of its key included, and nothing else', async () => {
    const { sender, overdue, put } = world(() => 'fail', 40);
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const settled = Promise.allSettled(put(['a', 'a', 'b', 'a']));
    sender.sweep();
    expect(overdue).toEqual([]);
    await expect
      .poll(() => {
        sender.sweep();
        return overdue.map(({ partitionKey }) => partitionKey).sort();
      })
      .toEqual(['a', 'a', 'a', 'b']);
    expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
    expect([sender.records, sender.bytes]).toEqual([0, 0]);
    sender.close();
  });

  it('is not slowed down by one hot shard, whose own pauses grow', async () => {
    let hot = 0;
    const isHot = ({ partitionKey }: OutgoingRecord) => partitionKey === 'hot';
    const mood: Mood = (batch) => {
      if (!batch.some(isHot)) return 'take';
      hot++;
      return 'hot';
    };
    const { sender, put, mostInFlight } = world(mood, undefined, {
      limits: { ...limits, retryBaseMs: 4, retryMaxMs: 60_000 },
      random: () => 0.999,
    });
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const [, ...others] = put(['hot', ...Array.from({ length: 6_000 }, (_, n) => `key-${n}`)]);
    await Promise.all(others);
    // 4, 8, 16, … ms: this many take four seconds; and every 4 ms, if clean batches made the shard forgotten.
    expect(hot).toBeLessThan(11);
    expect(mostInFlight()).toBe(limits.maxInFlight);
    sender.close();
  });

  it('asks less of a region that throttles a good share of each batch', async () => {
    let throttling = true;
    const { sender, put } = world(() => (throttling ? 'half' : 'take'));
    sender.aim({ region: 'us-east-1', stream: 'orders' });
    const receipts = put(Array.from({ length: 400 }, (_, n) => `key-${n}`));
    await sleep(20);
    expect(sender.inFlight).toBeLessThanOrEqual(1);
    throttling = false;
    await Promise.all(receipts);
    sender.close();
  });
});
