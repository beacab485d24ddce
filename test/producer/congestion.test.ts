import { once } from 'node:events';
import { cp, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailoverProducer, type ProducerOptions, type Receipt } from '../../lib/producer/index.ts';
import { Lanes } from '../../lib/producer/lanes.ts';
import { Spool } from '../../lib/producer/spool/spool.ts';
import { ShardedKinesis, shardOf } from './sharded-kinesis.ts';

let kinesis: ShardedKinesis;
let directory: string;
let producers: FailoverProducer[];
const region = process.env.SPILLWAY_REGION;

beforeEach(async () => {
  process.env.SPILLWAY_REGION = 'us-east-1';
  producers = [];
  directory = await mkdtemp(join(tmpdir(), 'spillway-congestion-'));
  kinesis = new ShardedKinesis();
  await kinesis.listen();
});

afterEach(async () => {
  if (region === undefined) delete process.env.SPILLWAY_REGION;
  else process.env.SPILLWAY_REGION = region;
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  kinesis.close();
  await rm(directory, { recursive: true, force: true });
});

/** With room for few records, so that a share of it is soon used up. */
function producer(options: Partial<ProducerOptions> = {}, spool = 'spool'): FailoverProducer {
  const created = new FailoverProducer({
    signal: { name: 'pinned.invalid' },
    regions: ['us-east-1'],
    streamName: 'orders',
    endpoint: () => kinesis.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxBufferedRecords: 400,
    retryBaseMs: 5,
    retryMaxMs: 40,
    ...(spool === NO_SPOOL ? {} : { spool: { directory: join(directory, spool), afterMs: 60_000 } }),
    ...options,
  });
  // A rejection that no test looks at must be seen all the same.
  created.on('spooling', () => spooling++);
  producers.push(created);
  return created;
}
const NO_SPOOL = '';
let spooling = 0;
beforeEach(() => {
  spooling = 0;
});

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`);
const putAll = (to: FailoverProducer, partitionKey: string, data: readonly string[]): Promise<Receipt[]> =>
  Promise.all(data.map((text) => to.put({ partitionKey, data: text })));
const isSpooled = (receipt: Receipt): boolean => receipt.spooled === true;
/** Keys of this shard. */
const keysOf = (shard: number, count: number): string[] => {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++) if (shardOf(`k${n}`) === shard) keys.push(`k${n}`);
  return keys;
};
/** Keys that a producer with this many records in memory and this `random` keeps in one lane. */
function keysOfOneLane(count: number, { records, random }: { records: number; random: () => number }) {
  const lanes = new Lanes({ ordered: true, records, random });
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++)
    if (lanes.laneOf(`s${n}`) === lanes.laneOf('s0')) keys.push(`s${n}`);
  return keys as [string, ...string[]];
}
async function spoolWith(records: readonly { readonly partitionKey: string; readonly data: string }[]) {
  const spool = await Spool.open({ directory: join(directory, 'spool') });
  await spool.append(records.map(({ partitionKey, data }) => ({ partitionKey, data: Buffer.from(data) })));
  await spool.close();
}

describe('a key that is faster than one record a round trip', () => {
  it('goes over the disk by itself, in its order, while the other keys go direct', async () => {
    kinesis.delayMs = 5;
    const busyOne = producer();
    await putAll(busyOne, 'first', ['0']);
    const busy = putAll(busyOne, 'busy', numbers(0, 300));
    await expect.poll(() => busyOne.stats().spooledRecords).toBeGreaterThan(0);
    for (let n = 0; n < 20; n++) {
      const [receipt] = await putAll(busyOne, `quiet-${n}`, ['x']);
      expect(receipt).toMatchObject({ region: 'us-east-1' });
    }
    expect(busyOne.stats()).toMatchObject({ spooling: false });
    expect(busyOne.stats().spooledRecords).toBeGreaterThan(0);
    // What is on the disk is acknowledged long before it is through.
    expect((await busy).filter(isSpooled).length).toBeGreaterThan(200);
    await busyOne.close();
    expect(kinesis.dataOf('busy')).toEqual(numbers(0, 300));
    expect(spooling).toBe(0);
  });

  it('waits by itself where there is no spool, and leaves room for the others', async () => {
    kinesis.delayMs = 5;
    const plain = producer({}, NO_SPOOL);
    const busy = putAll(plain, 'busy', numbers(0, 700));
    let isThrough = false;
    void busy.then(() => {
      isThrough = true;
    });
    for (let n = 0; n < 20; n++) await putAll(plain, `quiet-${n}`, ['x']);
    await plain.putMany(numbers(0, 5).map((n) => ({ partitionKey: `of-many-${n}`, data: n })));
    expect(isThrough).toBe(false);
    expect(plain.stats().bufferedRecords).toBeLessThan(200);
    await busy;
    expect(kinesis.dataOf('busy')).toEqual(numbers(0, 700));
  });

  it('is one of many: twenty such keys leave room for the others as well', async () => {
    kinesis.delayMs = 5;
    const busyOne = producer();
    await putAll(busyOne, 'first', ['0']);
    const busy = numbers(0, 20).map((key) => putAll(busyOne, `busy-${key}`, numbers(0, 100)));
    for (let n = 0; n < 10; n++) {
      const [receipt] = await putAll(busyOne, `quiet-${n}`, ['x']);
      expect(receipt).toMatchObject({ region: 'us-east-1' });
    }
    await Promise.all(busy);
    await busyOne.close();
    for (const key of numbers(0, 20)) expect(kinesis.dataOf(`busy-${key}`)).toEqual(numbers(0, 100));
  });

  it('keeps its order when the region fails while some of it is on the disk and some in memory', async () => {
    kinesis.delayMs = 2;
    const busyOne = producer({ spool: { directory: join(directory, 'spool'), afterMs: 300 } });
    await putAll(busyOne, 'first', ['0']);
    const first = putAll(busyOne, 'busy', numbers(0, 200));
    await expect.poll(() => busyOne.stats().spooledRecords).toBeGreaterThan(0);
    kinesis.isFailing = true;
    const second = putAll(busyOne, 'busy', numbers(200, 260));
    const others = putAll(busyOne, 'other', numbers(0, 40));
    // Nothing waits for the region's return.
    expect((await second).every(isSpooled)).toBe(true);
    await Promise.all([first, others]);
    kinesis.isFailing = false;
    await busyOne.close();
    expect([...new Set(kinesis.dataOf('busy'))]).toEqual(numbers(0, 260));
    expect([...new Set(kinesis.dataOf('other'))]).toEqual(numbers(0, 40));
  });

  it('goes direct again when it has become slower', async () => {
    kinesis.delayMs = 2;
    const busyOne = producer();
    await putAll(busyOne, 'first', ['0']);
    await putAll(busyOne, 'busy', numbers(0, 150));
    await expect.poll(() => busyOne.stats().spooledRecords, { timeout: 10_000 }).toBe(0);
    expect(await putAll(busyOne, 'busy', ['150'])).toMatchObject([{ region: 'us-east-1' }]);
  });

  it('waits, and is not refused, when it has its share of the disk too', async () => {
    kinesis.delayMs = 5;
    const small = producer({ spool: { directory: join(directory, 'spool'), maxBytes: 256 * 1024 } });
    await putAll(small, 'first', ['0']);
    const data = numbers(0, 300).map((n) => n.padEnd(2_000));
    const busy = putAll(small, 'busy', data);
    const [quiet] = await putAll(small, 'quiet', ['x']);
    expect(quiet).toMatchObject({ region: 'us-east-1' });
    await busy;
    await small.close();
    expect(kinesis.dataOf('busy')).toEqual(data);
  });
});

describe('two keys that share a lane', () => {
  it('keep their order when both go over the disk at once, and the producer ends', async () => {
    const options = { maxBufferedRecords: 80, random: () => 0.5, spool: { directory, afterMs: 60_000 } };
    const [few, many] = keysOfOneLane(2, { records: 80, random: options.random }) as [string, string];
    kinesis.isFailing = true;
    const first = producer(options);
    const records = [few, ...numbers(0, 20).map(() => many), few].map((partitionKey, n) => ({
      partitionKey,
      data: `${n}`,
    }));
    expect((await first.putMany(records)).every(isSpooled)).toBe(true);
    await first.close({ timeoutMs: 1 });
    kinesis.arrivals.length = 0;
    kinesis.isFailing = false;
    await producer(options).close({ timeoutMs: 20_000 });
    expect(kinesis.dataOf(few)).toEqual(['0', '21']);
    expect(kinesis.dataOf(many)).toEqual(numbers(1, 21));
  });
});

describe('a shard that is asked for more than it takes', () => {
  /** The shard takes so many in each tenth of a second. */
  function limit(hot: number, perTenth: number): void {
    let taken = 0;
    let tenth = 0;
    kinesis.refuses = (shard) => {
      if (shard !== hot) return false;
      const now = Math.floor(performance.now() / 100);
      if (now !== tenth) [tenth, taken] = [now, 0];
      return ++taken > perTenth;
    };
  }

  it('delays its own records alone, and the disk gets no others', async () => {
    limit(0, 20);
    const one = producer();
    await putAll(one, keysOf(1, 1)[0] as string, ['0']);
    const [hotKeys, coldKeys] = [keysOf(0, 100), [1, 2, 3].flatMap((shard) => keysOf(shard, 20))];
    const hot = numbers(0, 6).flatMap((n) => hotKeys.map((key) => putAll(one, key, [n])));
    for (let n = 1; n < 15; n++) {
      const receipts = await Promise.all(coldKeys.map((key) => putAll(one, key, [`${n}`])));
      expect(receipts.flat().filter(isSpooled)).toEqual([]);
      await sleep(20);
    }
    await Promise.all(hot);
    expect(spooling).toBe(0);
    await one.close();
    for (const key of hotKeys) expect(kinesis.dataOf(key)).toEqual(numbers(0, 6));
  }, 30_000);

  it('has room for what is new beside a long backlog', async () => {
    const keys = keysOf(0, 50);
    await spoolWith(numbers(0, 30).flatMap((data) => keys.map((partitionKey) => ({ partitionKey, data }))));
    limit(0, 20);
    const one = producer();
    const fresh = keysOf(0, 60).slice(50);
    for (const key of fresh) expect(await putAll(one, key, ['new'])).toMatchObject([{ region: 'us-east-1' }]);
    expect(one.stats().spooledRecords).toBeGreaterThan(500);
  }, 30_000);
});

describe('the way back from the disk', () => {
  it('does not let a busy key hold up what is behind it, nor live records of other keys', async () => {
    const busy = numbers(0, 500).map((data) => ({ partitionKey: 'busy', data }));
    const others = numbers(0, 300).map((n) => ({ partitionKey: `other-${n}`, data: n }));
    await spoolWith([...busy, ...others]);
    kinesis.delayMs = 2;
    const one = producer();
    expect(await putAll(one, 'live', ['x'])).toMatchObject([{ region: 'us-east-1' }]);
    await expect
      .poll(() => new Set(kinesis.arrivals.map(({ key }) => key)).size, { timeout: 10_000 })
      .toBe(302);
    await one.close({ timeoutMs: 20_000 });
    // By the order of arrival, and not by what has arrived when somebody looks.
    const seen = new Set<string>();
    let busyBefore = 0;
    for (const { key } of kinesis.arrivals) {
      if (key === 'busy') busyBefore++;
      else seen.add(key);
      if (seen.size === 301) break;
    }
    expect(busyBefore).toBeLessThan(400);
    expect(kinesis.dataOf('busy')).toEqual(numbers(0, 500));
  }, 30_000);

  it('sends nothing again, after a crash, that was delivered past a slow key', async () => {
    const busy = numbers(0, 300).map((data) => ({ partitionKey: 'busy', data }));
    await spoolWith([...busy, ...numbers(0, 50).map((n) => ({ partitionKey: `other-${n}`, data: 'old' }))]);
    kinesis.delayMs = 3;
    const first = producer();
    await putAll(first, 'x', ['x']);
    // Direct, so what the disk had of this key is known to be delivered, whatever happens from now on.
    await expect
      .poll(async () => (await putAll(first, 'other-7', ['new'])).some((one) => !isSpooled(one)), {
        timeout: 10_000,
      })
      .toBe(true);
    expect(first.stats().spooledRecords).toBeGreaterThan(0);
    await cp(join(directory, 'spool'), join(directory, 'copy'), { recursive: true });
    await first.close({ timeoutMs: 1 });
    const before = kinesis.arrivals.length;
    const second = producer({}, 'copy');
    await second.close({ timeoutMs: 20_000 });
    const again = kinesis.arrivals.slice(before);
    expect(again.filter(({ key, data }) => key === 'other-7' && data === 'old')).toEqual([]);
    expect(again.length).toBeGreaterThan(0);
    expect([...new Set(kinesis.dataOf('busy'))]).toEqual(numbers(0, 300));
  }, 40_000);
});

it('keeps each key in order and loses nothing, whatever is busy and whenever the region fails', async () => {
  // Three of the keys share a lane.
  const random = () => 0.5;
  const keys = ['busy', 'k1', 'k2', ...keysOfOneLane(3, { records: 80, random })];
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        put: fc.constantFrom(...keys),
        times: fc.integer({ min: 1, max: 40 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ pauseMs: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ isFailing: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ hot: fc.constantFrom(-1, 0, 1, 2, 3) }) },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      kinesis.arrivals.length = 0;
      const directoryOfRun = join(directory, `run-${run++}`);
      const open = () =>
        producer({
          maxBufferedRecords: 80,
          maxBatchRecords: 20,
          requestTimeoutMs: 400,
          random,
          spool: { directory: directoryOfRun, afterMs: 80 },
        });
      let one = open();
      const counts = new Map<string, number>();
      const receipts: Promise<unknown>[] = [];
      let hot = -1;
      let asked = 0;
      kinesis.delayMs = 2;
      kinesis.refuses = (shard) => shard === hot && ++asked % 3 > 0;
      for (const [n, action] of steps.entries()) {
        if ('put' in action) {
          for (let times = action.times; times > 0; times--) {
            const count = counts.get(action.put) ?? 0;
            counts.set(action.put, count + 1);
            receipts.push(one.put({ partitionKey: action.put, data: `${count}` }));
          }
        } else if ('pauseMs' in action) await sleep(action.pauseMs);
        else if ('isFailing' in action) kinesis.isFailing = action.isFailing;
        else hot = action.hot;
        if (n === Math.floor(steps.length / 2)) {
          await one.close({ timeoutMs: 1 });
          one = open();
        }
      }
      kinesis.isFailing = false;
      hot = -1;
      await Promise.all(receipts);
      await one.close({ timeoutMs: 15_000 });
      expect(one.stats().spooledRecords).toBe(0);
      for (const [key, count] of counts) {
        // A consumer drops what it has seen.
        expect([...new Set(kinesis.dataOf(key))]).toEqual(numbers(0, count));
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);

it('is not taken in by one request that hangs beside many that are answered', async () => {
  kinesis.delayMs = 2;
  // Longer than a busy machine stands still: without an answer for so long, the spool would be right.
  const afterMs = 2_000;
  const one = producer({
    requestTimeoutMs: 10_000,
    spool: { directory: join(directory, 'spool'), afterMs },
  });
  await putAll(one, 'first', ['0']);
  kinesis.hangsOn = 'stuck';
  const stuck = putAll(one, 'stuck', ['0']);
  // By itself: what is in its request hangs with it.
  await expect.poll(() => one.stats().inFlightRequests).toBe(1);
  const untilMs = performance.now() + 1.3 * afterMs;
  for (let n = 0; performance.now() < untilMs; n++) {
    expect(await putAll(one, `k${n}`, ['x'])).toMatchObject([{ region: 'us-east-1' }]);
    await sleep(20);
  }
  expect(spooling).toBe(0);
  kinesis.hangsOn = undefined;
  await stuck;
});

it('ends when the rest of the disk has become unreadable, and takes its keys past the disk again', async () => {
  await spoolWith(numbers(0, 300).map((data) => ({ partitionKey: `k${data}`, data: data.padEnd(500) })));
  kinesis.isFailing = true;
  const one = producer({ maxBufferedRecords: 40 });
  await expect.poll(() => one.stats().bufferedRecords).toBe(20);
  const [segment] = (await readdir(join(directory, 'spool'))).filter((name) => name.endsWith('.seg'));
  const file = await open(join(directory, 'spool', `${segment}`), 'r+');
  // A sector that went bad, from the middle to the end.
  await file.write(Buffer.alloc(100_000, 7), 0, 100_000, 60_000);
  await file.close();
  const drained = once(one, 'drained');
  kinesis.isFailing = false;
  await drained;
  expect(await putAll(one, 'k299', ['new'])).toMatchObject([{ region: 'us-east-1' }]);
  expect(one.stats().spooledRecords).toBe(0);
  expect(kinesis.arrivals.length).toBeGreaterThan(50);
}, 30_000);

it('does not take a sick shard for the region', async () => {
  kinesis.delayMs = 2;
  const afterMs = 1_500;
  const spool = { directory: join(directory, 'spool'), afterMs };
  // Sixteen lanes for each record, by a hash: few enough, and one of the other keys shares the sick one's lane now and then.
  const one = producer({ spool, maxBufferedRecords: 40_000 });
  await putAll(one, 'first', ['0']);
  kinesis.failsOn = 'sick';
  const sick = putAll(one, 'sick', ['0']);
  const untilMs = performance.now() + 1.6 * afterMs;
  for (let n = 0; performance.now() < untilMs; n++) {
    const receipts = await Promise.all(numbers(0, 5).map((key) => putAll(one, `k${key}-${n}`, ['x'])));
    expect(receipts.flat().filter(isSpooled)).toEqual([]);
    await sleep(20);
  }
  expect(spooling).toBe(0);
  kinesis.failsOn = undefined;
  await sick;
});
