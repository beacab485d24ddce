import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailoverProducer, type ProducerOptions, RecordError } from '../../lib/producer/index.ts';
import type { OutgoingRecord, ProducerRecord } from '../../lib/producer/record.ts';
import type { Transport } from '../../lib/producer/transport.ts';
import { BodyBuffers } from '../../lib/producer/wire/body-buffers.ts';
import { encoded } from '../../lib/producer/wire/culprits.ts';
import { encodings } from '../../lib/producer/wire/encodings.ts';
import { badLists, badRecords, detached, outOfBounds } from './ill-typed.ts';

/** What the stream took, in order. */
let taken: string[];
let isUp: boolean;
let encoding: 'cbor' | 'json';
let producers: FailoverProducer[];
let directory: string;

beforeEach(async () => {
  vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
  taken = [];
  isUp = true;
  encoding = 'cbor';
  producers = [];
  directory = await mkdtemp(join(tmpdir(), 'spillway-ill-typed-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  await rm(directory, { recursive: true });
});

/** Encodes as the real ones do, and has one record of a key in a request. */
const transport: Transport = {
  async send({ region, stream, records }) {
    encoded({ stream, records }, (batch) => encodings[encoding].write(batch, new BodyBuffers({ keep: 0 })));
    await new Promise(setImmediate);
    if (!isUp) throw new Error('the region is down');
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

const good = (data: string): ProducerRecord => ({ partitionKey: data, data });
const ill = (record: unknown) => record as ProducerRecord;
const spooled = (options: Partial<ProducerOptions> = {}) =>
  producer({ spool: { directory: join(directory, 'spool'), afterMs: 50 }, ...options });

const kinds: readonly (readonly [string, () => FailoverProducer])[] = [
  ['in memory', () => producer()],
  ['with envelopes', () => producer({ envelope: true })],
  ['with a spool', () => spooled()],
  ['always over the disk', () => spooled({ acknowledge: 'spooled' })],
  ['that has no room', () => producer({ maxBufferedRecords: 1 })],
];

describe.each(kinds)('a producer %s', (_kind, create) => {
  it('rejects each ill-typed record alone and at once, whatever it is put with', async () => {
    const trying = create();
    await trying.put(good('first'));
    const all = badRecords();
    for (const [name, record] of all) {
      const order: string[] = [];
      const before = trying.put(good('before')).then(() => order.push('before'));
      const bad = expect(trying.put(ill(record)), name).rejects.toBeInstanceOf(RecordError);
      await bad.then(() => order.push('bad'));
      await trying.put(good('after'));
      await before;
      expect(order, name).toEqual(['bad', 'before']);
    }
  });

  it('rejects a call with the first of its ill-typed records, and delivers the others', async () => {
    const trying = create();
    const bad = badRecords().map(([, record]) => ill(record));
    const call = trying.putMany([
      good('a'),
      ill({ ...good('x'), explicitHashKey: 5 }),
      good('b'),
      ...bad,
      good('c'),
    ]);
    await expect(call).rejects.toThrow(/explicitHashKey/);
    await trying.flush();
    await trying.close();
    const data = ['a', 'b', 'c'];
    for (const one of data) expect(taken.some((written) => written.endsWith(one))).toBe(true);
    expect(taken).toHaveLength(data.length);
  });
});

describe('a producer', () => {
  it.each(badLists)('rejects %s where it takes an array, and goes on', async (_name, list) => {
    const trying = producer();
    await expect(trying.putMany(list as readonly ProducerRecord[])).rejects.toBeInstanceOf(RecordError);
    await expect(trying.putMany([good('a'), good('b')])).resolves.toHaveLength(2);
  });

  it('fails what an array does not have, and what it throws for, and delivers the rest', async () => {
    const trying = producer();
    const list = [good('a'), undefined, good('b')] as ProducerRecord[];
    Object.defineProperty(list, 3, {
      get() {
        throw new Error('from an index');
      },
      enumerable: true,
    });
    await expect(trying.putMany(list)).rejects.toBeInstanceOf(RecordError);
    await trying.flush();
    expect(taken).toEqual(['a', 'b']);
  });

  it.each([
    ['shared memory', () => new Uint8Array(new SharedArrayBuffer(2)).fill(97)],
    ['a buffer that can be resized', () => new Uint8Array(new ArrayBuffer(2, { maxByteLength: 9 })).fill(97)],
    ['a class of its own', () => new (class extends Uint8Array {})([97, 97])],
    ['another realm', () => runInNewContext('new Uint8Array([97, 97])') as Uint8Array],
    ['a subclass that lies', () => lying()],
  ])('takes bytes of %s', async (_name, bytes) => {
    await producer().put({ partitionKey: 'k', data: bytes() });
    expect(taken).toEqual(['aa']);
  });

  it.each([10_000, 1])(
    'takes a record whose getter puts another one, with room for %d',
    async (maxBufferedRecords) => {
      const trying = producer({ maxBufferedRecords });
      const inner: Promise<unknown>[] = [];
      const nested = {
        partitionKey: 'k',
        get data() {
          inner.push(trying.put(good('inner')));
          return 'outer';
        },
      };
      await Promise.all([
        trying.put(good('first')),
        trying.put(nested),
        trying.putMany([good('next'), nested]),
      ]);
      await Promise.all(inner);
      expect(taken.toSorted()).toEqual(['first', 'inner', 'inner', 'next', 'outer', 'outer']);
    },
  );

  it('ignores fields that it does not know', async () => {
    const record = Object.assign(Object.create({ partitionKey: 'k' }), { data: 'x', extra: Symbol('s') });
    await producer().put(record);
    expect(taken).toEqual(['x']);
  });

  it('says what it was given without running any of it', async () => {
    const trying = producer();
    await expect(trying.put(ill({ ...good('a'), partitionKey: Symbol('s') }))).rejects.toThrow(/a symbol/);
    await expect(trying.put(ill({ ...good('a'), data: new DataView(new ArrayBuffer(1)) }))).rejects.toThrow(
      /byteOffset/,
    );
    await expect(trying.put(ill({ ...good('a'), explicitHashKey: 5 }))).rejects.toThrow(/in a string, not 5/);
  });
});

function lying(): Uint8Array {
  class Lying extends Uint8Array {
    override get byteLength(): number {
      return 50_000;
    }
  }
  return new Lying([97, 97]);
}

/** Takes a record's bytes away while it is held back. */
const losses: readonly (readonly [string, () => Uint8Array, (bytes: Uint8Array) => void])[] = [
  ['detached', () => new Uint8Array(100).fill(97), detached],
  ['a detached Buffer', () => Buffer.from(new ArrayBuffer(100)).fill(97), detached],
  [
    'resized',
    () => new Uint8Array(new ArrayBuffer(100, { maxByteLength: 200 })),
    (bytes) => (bytes.buffer as ArrayBuffer).resize(200),
  ],
];

describe.each(losses)('bytes that are %s after the put', (_name, create, lose) => {
  it.each(['cbor', 'json'] as const)(
    'refuse their own record while it waits to be sent in %s',
    async (as) => {
      encoding = as;
      const trying = producer({ lingerMs: 30 });
      const bytes = create();
      const bad = trying.put({ partitionKey: 'k', data: bytes });
      const next = trying.put({ partitionKey: 'k', data: 'next' });
      lose(bytes);
      await expect(bad).rejects.toBeInstanceOf(RecordError);
      await next;
      expect(taken).toEqual(['next']);
      expect(trying.stats()).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0, retries: 0 });
    },
  );

  it('refuse their own record while it waits for room', async () => {
    const trying = producer({ maxBufferedRecords: 1, envelope: true });
    const bytes = create();
    const first = trying.put(good('first'));
    const bad = trying.put({ partitionKey: 'k', data: bytes });
    const next = trying.put({ partitionKey: 'k', data: 'next' });
    lose(bytes);
    await expect(bad).rejects.toBeInstanceOf(RecordError);
    await Promise.all([first, next]);
    expect(taken).toHaveLength(2);
  });

  it('refuse their own record while it waits for a region, and the others go to the disk', async () => {
    isUp = false;
    const trying = spooled({ retryMaxMs: 5 });
    const bytes = create();
    await trying.flush();
    const bad = trying.put({ partitionKey: 'a', data: bytes });
    const others = trying.putMany([good('b'), good('c')]);
    await expect.poll(() => trying.stats().retries).toBeGreaterThan(2);
    lose(bytes);
    await expect(bad).rejects.toBeInstanceOf(RecordError);
    expect(await others).toEqual([{ spooled: true }, { spooled: true }]);
  });
});

describe.each(['cbor', 'json'] as const)('an encoder of %s', (name) => {
  it('says which records it cannot take', () => {
    const batch = {
      stream: 's',
      records: [
        { partitionKey: 'a', data: new Uint8Array(1) },
        { partitionKey: 'b', data: detached(new Uint8Array(9)) },
        { partitionKey: 'c', data: outOfBounds() },
        { partitionKey: 'd', data: new Uint8Array(0) },
      ],
    };
    const write = () => encoded(batch, (some) => encodings[name].write(some, new BodyBuffers({ keep: 0 })));
    expect(write).toThrow(
      expect.objectContaining({
        name: 'EncodingError',
        culprits: [expect.objectContaining({ index: 1 }), expect.objectContaining({ index: 2 })],
      }),
    );
  });
});
