import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  FailoverProducer,
  ProducerClosedError,
  ProducerConfigError,
  type ProducerOptions,
  type Receipt,
} from '../../lib/producer/index.ts';
import { type Disk, realDisk } from '../../lib/producer/spool/disk.ts';
import { Spool, type SpoolOptions } from '../../lib/producer/spool/spool.ts';
import type { Transport } from '../../lib/producer/transport.ts';

let directory: string;
let producers: FailoverProducer[];
/** Ends everything that hangs. */
let hang: PromiseWithResolvers<void>;

beforeEach(async () => {
  vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
  directory = await mkdtemp(join(tmpdir(), 'spillway-close-'));
  producers = [];
  hang = Promise.withResolvers();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  hang.resolve();
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 0 })));
  await rm(directory, { recursive: true });
});

const place = { shardId: 'shardId-000000000000', sequenceNumber: '1' };
const hanging: Transport = {
  async send({ region, records }) {
    await hang.promise;
    return records.map(() => ({ region, ...place }));
  },
  close() {},
};
const failing: Transport = {
  async send() {
    throw new Error('the region is down');
  },
  close() {},
};

function producer(transport: Transport, options: Partial<ProducerOptions> = {}): FailoverProducer {
  const created = new FailoverProducer(
    { signal: { name: 'x.invalid' }, regions: ['us-east-1'], streamName: 'orders', lingerMs: 0, ...options },
    { transport },
  );
  producers.push(created);
  return created;
}

const spool = () => ({ spool: { directory: join(directory, 'spool'), afterMs: 60_000 } });
const put = (to: FailoverProducer, ...data: string[]): Promise<readonly Receipt[]> =>
  to.putMany(data.map((one) => ({ partitionKey: one, data: one })));
/** Time-out and grace, and a busy machine; a request hangs for longer, and all else for ever. */
const IN_TIME_MS = 2_500;

async function closeMs(of: FailoverProducer, timeoutMs: number): Promise<number> {
  const startMs = performance.now();
  await of.close({ timeoutMs });
  return performance.now() - startMs;
}

/** The disk of the spool that a producer opens. */
function onDisk(disk: Partial<Disk>): void {
  const open = Spool.open.bind(Spool);
  vi.spyOn(Spool, 'open').mockImplementation((options: SpoolOptions) =>
    open(options, { ...realDisk, ...disk }),
  );
}

async function onTheDisk(): Promise<string[]> {
  const opened = await Spool.open({ directory: join(directory, 'spool') });
  const records = await opened.read({ records: 100, bytes: 1024 * 1024 });
  await opened.close();
  return records.map(({ data }) => Buffer.from(data).toString());
}

describe('close', () => {
  it('does not wait for a request that hangs, and spools what is in it', async () => {
    const closing = producer(hanging, { requestTimeoutMs: 60_000, ...spool() });
    const receipts = put(closing, 'a', 'b');
    await expect.poll(() => closing.stats().inFlightRequests).toBe(1);
    expect(await closeMs(closing, 100)).toBeLessThan(IN_TIME_MS);
    expect(await receipts).toEqual([{ spooled: true }, { spooled: true }]);
    expect(await onTheDisk()).toEqual(['a', 'b']);
  });

  it('waits a moment for what is in flight, rather than to write it twice', async () => {
    const closing = producer(hanging, spool());
    const receipts = put(closing, 'a');
    await expect.poll(() => closing.stats().inFlightRequests).toBe(1);
    setTimeout(hang.resolve, 20);
    await closing.close({ timeoutMs: 1 });
    expect(await receipts).toEqual([{ region: 'us-east-1', ...place }]);
    expect(await onTheDisk()).toEqual([]);
  });

  it('rejects what is in a request that hangs where there is no spool', async () => {
    const closing = producer(hanging, { requestTimeoutMs: 60_000 });
    const rejected = expect(put(closing, 'a')).rejects.toBeInstanceOf(ProducerClosedError);
    expect(await closeMs(closing, 50)).toBeLessThan(IN_TIME_MS);
    await rejected;
  });

  it('ends in its time when the disk hangs, and then nothing that was rejected is called spooled', async () => {
    let isOpen = false;
    onDisk({
      writeDurably: async (file, bytes, offset) => {
        if (isOpen) await hang.promise;
        return realDisk.writeDurably(file, bytes, offset);
      },
    });
    const closing = producer(failing, spool());
    const rejected = expect(put(closing, 'a', 'b')).rejects.toBeInstanceOf(ProducerClosedError);
    await expect.poll(() => closing.stats().retries).toBeGreaterThan(0);
    isOpen = true;
    expect(await closeMs(closing, 50)).toBeLessThan(IN_TIME_MS);
    await rejected;
  });

  it.each([
    ['hangs', () => hang.promise.then(() => Promise.reject(new Error('too late')))],
    ['throws', () => Promise.reject(new Error('from the disk'))],
  ])('ends in its time when opening the spool %s', async (_how, open) => {
    vi.spyOn(Spool, 'open').mockImplementation(open);
    const closing = producer(failing, spool());
    const settled = Promise.allSettled([put(closing, 'a')]);
    expect(await closeMs(closing, 50)).toBeLessThan(IN_TIME_MS);
    expect(await settled).toMatchObject([{ status: 'rejected' }]);
  });

  it('ends in its time when closing the spool hangs', async () => {
    const closing = producer(failing, spool());
    const receipts = put(closing, 'a');
    await expect.poll(() => closing.stats().retries).toBeGreaterThan(0);
    vi.spyOn(Spool.prototype, 'close').mockImplementation(() => hang.promise);
    expect(await closeMs(closing, 50)).toBeLessThan(IN_TIME_MS);
    expect(await receipts).toEqual([{ spooled: true }]);
  });

  it('ends in its time when a listener throws', async () => {
    const uncaught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      const closing = producer(failing, spool());
      for (const event of ['retrying', 'spooling', 'spoolProblem', 'regionChanged'] as const) {
        closing.on(event, () => {
          throw new Error(event);
        });
      }
      const receipts = put(closing, 'a');
      await expect.poll(() => closing.stats().retries).toBeGreaterThan(0);
      expect(await closeMs(closing, 50)).toBeLessThan(IN_TIME_MS);
      expect(await receipts).toEqual([{ spooled: true }]);
      expect(uncaught.length).toBeGreaterThan(0);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    }
  });

  it('is over for all who asked when the first of them wants to wait no longer', async () => {
    const closing = producer(failing);
    const rejected = expect(put(closing, 'a')).rejects.toBeInstanceOf(ProducerClosedError);
    const patient = closing.close({ timeoutMs: 60_000 });
    expect(await closeMs(closing, 10)).toBeLessThan(IN_TIME_MS);
    await patient;
    await rejected;
  });

  it.each([
    ['null', null],
    ['a number', 5],
    ['a text for its time', { timeoutMs: '5' }],
    ['NaN', { timeoutMs: Number.NaN }],
    ['a Symbol', { timeoutMs: Symbol('s') }],
  ])('refuses %s, and the producer stays open', async (_name, options) => {
    const open = producer({
      ...hanging,
      send: async ({ region, records }) => records.map(() => ({ region, ...place })),
    });
    await expect(open.close(options as { timeoutMs: number })).rejects.toBeInstanceOf(ProducerConfigError);
    await expect(put(open, 'a')).resolves.toHaveLength(1);
  });

  it.each([-5, 0.5, Number.POSITIVE_INFINITY])(
    'takes %d for a time, since it may be what is left of one',
    async (timeoutMs) => {
      const closing = producer(failing);
      await expect(closing.close({ timeoutMs })).resolves.toBeUndefined();
    },
  );
});
