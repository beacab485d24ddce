import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  FailoverProducer,
  type ProducerOptions,
  type Receipt,
  SpoolUnavailableError,
} from '../../lib/producer/index.ts';
import { realDisk } from '../../lib/producer/spool/disk.ts';
import { drainSpool } from '../../lib/producer/spool/drain.ts';
import { SpoolFullError } from '../../lib/producer/spool/errors.ts';
import { inspectSpool } from '../../lib/producer/spool/inspection.ts';
import { Spool } from '../../lib/producer/spool/spool.ts';
import type { Transport } from '../../lib/producer/transport.ts';
import { type SignalServer, startSignalServer } from './signal-server.ts';
import { servedRequest } from './sink/put-records.ts';

type Mood = 'serve' | 'fail' | 'hang' | 'reset';
const regionInScope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\//;
const east = 'v=1; region=us-east-1; stream=orders';
const west = 'v=1; region=us-west-2; stream=orders';

let kinesis: Server;
/** What each region took, in order. */
let written: { region: string; key: string; data: string }[];
let mood: (region: string) => Mood;
/** Whether a request with this record is refused for good. */
let refuses: (data: string) => boolean;
let dns: SignalServer;
let directory: string;
let producers: FailoverProducer[];

beforeEach(async () => {
  written = [];
  producers = [];
  mood = () => 'serve';
  refuses = () => false;
  directory = await mkdtemp(join(tmpdir(), 'spillway-spooling-'));
  kinesis = createServer(async (request, response) => {
    const served = await servedRequest(request);
    const region = regionInScope.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const now = mood(region);
    if (now === 'hang') return;
    if (now === 'reset') {
      request.socket.destroy();
      return;
    }
    if (now === 'fail') {
      response.writeHead(500).end('{"__type":"InternalFailure"}');
      return;
    }
    if (served.records.some(({ data }) => refuses(data.toString()))) {
      response.writeHead(400).end('{"__type":"ValidationException","message":"no"}');
      return;
    }
    const entries = served.records.map(({ partitionKey: key, data }) => {
      written.push({ region, key, data: data.toString() });
      return { ShardId: 'shardId-000000000000', SequenceNumber: `${written.length}` };
    });
    served.answer(response, entries);
  });
  kinesis.listen(0, '127.0.0.1');
  await once(kinesis, 'listening');
  dns = await startSignalServer(east);
});

afterEach(async () => {
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  kinesis.closeAllConnections();
  kinesis.close();
  await dns.close();
  await rm(directory, { recursive: true, force: true });
});

function producer(options: Partial<ProducerOptions> = {}): FailoverProducer {
  const created = new FailoverProducer({
    signal: { name: 'signal.orders.example.com', servers: [dns.address], pollMs: 20, timeoutMs: 200 },
    regions: ['us-east-1', 'us-west-2'],
    endpoint: () => `http://127.0.0.1:${(kinesis.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestTimeoutMs: 200,
    retryBaseMs: 5,
    retryMaxMs: 40,
    spool: { directory: join(directory, 'spool'), afterMs: 100 },
    ...options,
  });
  producers.push(created);
  return created;
}

const put = (to: FailoverProducer, data: string, partitionKey = 'k'): Promise<Receipt> =>
  to.put({ partitionKey, data });
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`);
const dataOf = (key = 'k') => written.flatMap((one) => (one.key === key ? [one.data] : []));
/** What a consumer sees of a key when it drops what it has seen. */
const firsts = (key = 'k') => [...new Set(dataOf(key))];

describe('a producer with a spool', () => {
  it('is not on the disk while a region takes records', async () => {
    // Long enough for the first signal on a busy machine.
    const direct = producer({ spool: { directory: join(directory, 'spool'), afterMs: 5_000 } });
    expect(await put(direct, 'a')).toMatchObject({ region: 'us-east-1' });
    expect(direct.stats()).toMatchObject({ spooling: false, spooledRecords: 0 });
  });

  it.each<Mood>(['fail', 'hang', 'reset'])(
    'acknowledges from the disk while the region can only %s, and delivers in order when it is back',
    async (how) => {
      mood = () => how;
      const spooling = producer();
      const drained = once(spooling, 'drained');
      const receipts = await Promise.all(numbers(0, 30).map((data) => put(spooling, data)));
      for (const receipt of receipts) expect(receipt).toEqual({ spooled: true });
      expect(await put(spooling, '30')).toEqual({ spooled: true });
      expect(written).toEqual([]);
      mood = () => 'serve';
      await drained;
      expect(firsts()).toEqual(numbers(0, 31));
      expect(spooling.stats()).toMatchObject({ spooledRecords: 0, spooling: false });
      expect(await put(spooling, '31')).toMatchObject({ region: 'us-east-1' });
    },
  );

  it('delivers to the region that the signal names by then', async () => {
    mood = (region) => (region === 'us-east-1' ? 'fail' : 'serve');
    const spooling = producer();
    const drained = once(spooling, 'drained');
    await Promise.all(numbers(0, 20).map((data) => put(spooling, data)));
    dns.answer = west;
    await drained;
    expect(written.every(({ region }) => region === 'us-west-2')).toBe(true);
    expect(firsts()).toEqual(numbers(0, 20));
  });

  it('delivers what an earlier process left, before anything new', async () => {
    mood = () => 'fail';
    const first = producer();
    await Promise.all(numbers(0, 10).map((data) => put(first, data)));
    await first.close({ timeoutMs: 50 });
    mood = () => 'serve';
    const second = producer();
    await Promise.all(numbers(10, 20).map((data) => put(second, data)));
    await second.flush();
    await expect.poll(() => firsts()).toEqual(numbers(0, 20));
    await second.close();
    expect(second.stats().spooledRecords).toBe(0);
  });

  it('spools what it holds when it is closed in an outage, instead of rejecting it', async () => {
    mood = () => 'fail';
    const closing = producer({ spool: { directory: join(directory, 'spool'), afterMs: 60_000 } });
    const receipts = Promise.all(numbers(0, 5).map((data) => put(closing, data)));
    await closing.close({ timeoutMs: 50 });
    for (const receipt of await receipts) expect(receipt).toEqual({ spooled: true });
  });

  it('spools what it holds when it is closed while it empties itself onto the disk', async () => {
    mood = () => 'hang';
    const closing = producer({ requestTimeoutMs: 600 });
    const receipts = Promise.all(numbers(0, 5).map((data) => put(closing, data)));
    await expect.poll(() => closing.stats().spooling).toBe(true);
    await closing.close({ timeoutMs: 1 });
    expect(closing.stats().spooling).toBe(false);
    for (const receipt of await receipts) expect(receipt).toEqual({ spooled: true });
  });

  it('spools what it holds when it is closed before the spool is open', async () => {
    mood = () => 'fail';
    const closing = producer({ spool: { directory: join(directory, 'spool'), afterMs: 60_000 } });
    const receipts = Promise.all(numbers(0, 5).map((data) => put(closing, data)));
    await closing.close({ timeoutMs: 0 });
    for (const receipt of await receipts) expect(receipt).toEqual({ spooled: true });
  });

  it('acknowledges from the disk when there has never been a signal', async () => {
    dns.answer = undefined;
    expect(await put(producer(), 'a')).toEqual({ spooled: true });
  });

  it('goes direct again under a steady load, and keeps the order across both ways', async () => {
    mood = () => 'fail';
    const busy = producer();
    const receipts: Promise<Receipt>[] = [];
    let back = false;
    const drained = once(busy, 'drained').then(() => {
      back = true;
    });
    for (let n = 0; n < 20_000 && !(back && n % 50 === 0); n++) {
      receipts.push(put(busy, `${n}`, `k${n % 40}`));
      if (busy.stats().spooledRecords > 100) mood = () => 'serve';
      if (n % 5 === 0) await sleep(1);
    }
    await drained;
    await Promise.all(receipts);
    await busy.flush();
    await busy.close();
    const perKey = numbers(0, 40).map((key) => firsts(`k${key}`).map(Number));
    expect(perKey.flat().toSorted((a, b) => a - b)).toEqual(numbers(0, receipts.length).map(Number));
    for (const order of perKey) expect(order).toEqual(order.toSorted((a, b) => a - b));
  }, 30_000);

  it('takes every record over the disk when asked to', async () => {
    const always = producer({ acknowledge: 'spooled' });
    const receipts = await Promise.all(numbers(0, 10).map((data) => put(always, data)));
    for (const receipt of receipts) expect(receipt).toEqual({ spooled: true });
    await always.close();
    expect(firsts()).toEqual(numbers(0, 10));
  });

  it('rejects with SpoolFullError when the disk may hold no more, and loses nothing it has acknowledged', async () => {
    mood = () => 'fail';
    const small = producer({
      spool: { directory: join(directory, 'spool'), afterMs: 100, maxBytes: 64 * 1024 },
    });
    expect(await put(small, '0')).toEqual({ spooled: true });
    const settled = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) => put(small, `${n + 1}`.padEnd(2_000))),
    );
    const acknowledged = settled.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n + 1}`] : []));
    const rejected = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(rejected.length).toBeGreaterThan(0);
    for (const error of rejected) expect(error).toBeInstanceOf(SpoolFullError);
    const drained = once(small, 'drained');
    mood = () => 'serve';
    await drained;
    expect(firsts().map((data) => data.trim())).toEqual(['0', ...acknowledged]);
  });

  it('says what is wrong when its directory cannot be used, and takes no record', async () => {
    const file = join(directory, 'spool', 'below', 'nothing');
    await expect(
      put(producer({ spool: { directory: file }, deliveryTimeoutMs: 100 }), 'a'),
    ).rejects.toBeInstanceOf(SpoolUnavailableError);
    if (process.getuid?.() === 0) return;
    await chmod(directory, 0o500);
    await expect(put(producer({ deliveryTimeoutMs: 100 }), 'a')).rejects.toBeInstanceOf(
      SpoolUnavailableError,
    );
  });

  it('shares a directory with nobody', async () => {
    const owner = producer();
    await put(owner, 'a');
    const second = producer({ deliveryTimeoutMs: 100 });
    await expect(put(second, 'b')).rejects.toThrow(/cannot be used: .*(own|lock)/i);
    await second.close();
    await owner.close();
    await expect(put(producer(), 'c')).resolves.toBeDefined();
  });

  it('waits for a directory that another one still has, and says so once', async () => {
    const leaving = producer();
    await put(leaving, 'a');
    const coming = producer();
    const problems: unknown[] = [];
    coming.on('spoolProblem', (problem) => problems.push(problem));
    const receipt = put(coming, 'b');
    await expect.poll(() => problems.length).toBe(1);
    await sleep(1_100);
    await leaving.close();
    expect(await receipt).toMatchObject({ region: 'us-east-1' });
    expect(problems).toEqual([expect.any(SpoolUnavailableError)]);
  });

  it('sets a record aside that no stream takes, says where, and delivers the others', async () => {
    const poisoned = await Spool.open({ directory: join(directory, 'spool') });
    await poisoned.append(
      ['a', 'poison', 'b', 'c'].map((data) => ({ partitionKey: `k${data}`, data: Buffer.from(data) })),
    );
    await poisoned.close();
    refuses = (data) => data === 'poison';
    const healing = producer();
    const problems: unknown[] = [];
    healing.on('spoolProblem', (problem) => problems.push(problem));
    expect(await put(healing, 'd')).toBeDefined();
    await healing.close();
    expect(healing.stats().spooledRecords).toBe(0);
    expect(written.map(({ data }) => data).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    const [file, ...others] = await readdir(join(directory, 'spool', 'refused'));
    expect(others).toEqual([]);
    expect(problems).toEqual([
      expect.objectContaining({ kind: 'recordRefused', message: expect.stringContaining(`${file}`) }),
    ]);
    const kept = JSON.parse(await readFile(join(directory, 'spool', 'refused', `${file}`), 'utf8'));
    expect(kept).toMatchObject({ partitionKey: 'kpoison', data: Buffer.from('poison').toString('base64') });
    expect(await inspectSpool(join(directory, 'spool'))).toMatchObject({ records: 0, refusedRecords: 1 });
  });

  it('drains past a record that no stream takes', async () => {
    const spool = await Spool.open({ directory: join(directory, 'spool') });
    const data = ['poison', ...numbers(0, 50)];
    await spool.append(data.map((text) => ({ partitionKey: `k${text}`, data: Buffer.from(text) })));
    const sent: string[] = [];
    const send: Transport['send'] = async ({ region, records }) => {
      const texts = records.map((record) => Buffer.from(record.data).toString());
      if (texts.includes('poison'))
        throw Object.assign(new Error('no'), { name: 'InvalidArgumentException' });
      sent.push(...texts);
      return records.map(() => ({ region, shardId: 's', sequenceNumber: '1' }));
    };
    const options = { spool, transport: { send, close() {} }, region: 'us-east-1', stream: 'orders' };
    expect(await drainSpool(options)).toEqual({ sent: 50, refused: 1, left: 0 });
    expect(sent.toSorted()).toEqual(numbers(0, 50).toSorted());
    await spool.close();
  });

  it('writes its cursor again when that failed, though nothing more is put', async () => {
    const always = producer({ acknowledge: 'spooled' });
    await put(always, 'a');
    await expect.poll(() => always.stats().spooledRecords).toBe(0);
    const { writeDurably } = realDisk;
    let failures = 0;
    const broken = vi.spyOn(realDisk, 'writeDurably').mockImplementation(async (file, bytes, offset) => {
      // A slot of the cursor.
      if (bytes.length === 64 && failures++ === 0) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      await writeDurably(file, bytes, offset);
    });
    await put(always, 'b');
    await expect.poll(() => failures, { timeout: 5_000 }).toBe(2);
    await expect.poll(() => always.stats().spooledRecords, { timeout: 5_000 }).toBe(0);
    broken.mockRestore();
    expect(dataOf()).toEqual(['a', 'b']);
  });

  it('keeps every key in order and loses nothing, however the region comes and goes', async () => {
    const moods = fc.array(fc.tuple(fc.constantFrom<Mood>('serve', 'fail', 'reset', 'hang'), fc.nat(60)), {
      maxLength: 8,
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(moods, async (list) => {
        written = [];
        run++;
        const spool = { directory: join(directory, `run-${run}`), afterMs: 30 };
        const changing = producer({ spool, requestTimeoutMs: 50 });
        const receipts: Promise<Receipt>[] = [];
        let n = 0;
        for (const [next, waitMs] of list) {
          mood = () => next;
          for (let m = 0; m < 20; m++) receipts.push(put(changing, `${n++}`, `k${n % 3}`));
          await sleep(waitMs);
        }
        mood = () => 'serve';
        await Promise.all(receipts);
        await changing.close();
        const all = ['k0', 'k1', 'k2'].map((key) => firsts(key).map(Number));
        expect(all.flat().toSorted((a, b) => a - b)).toEqual(numbers(0, n).map(Number));
        for (const order of all) expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});
