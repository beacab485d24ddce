import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  FailoverProducer,
  ProducerConfigError,
  type Receipt,
  RecordError,
} from '../../lib/producer/index.ts';
import type { ProducerRecord } from '../../lib/producer/record.ts';
import type { Transport } from '../../lib/producer/transport.ts';
import { badLists, badRecords } from './ill-typed.ts';

let taken: string[];
let producer: FailoverProducer;

const transport: Transport = {
  async send({ region, records }) {
    await new Promise(setImmediate);
    return records.map(({ data }) => {
      taken.push(Buffer.from(data).toString());
      return { region, shardId: 'shardId-000000000000', sequenceNumber: `${taken.length}` };
    });
  },
  close() {},
};

beforeEach(() => {
  vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
  taken = [];
  const options = {
    signal: { name: 'x.invalid' },
    regions: ['us-east-1'],
    streamName: 'orders',
    lingerMs: 0,
  };
  producer = new FailoverProducer(options, { transport });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await producer.close({ timeoutMs: 1 });
});

const good = (data: string): ProducerRecord => ({ partitionKey: data, data });
const never = new Promise<never>(() => {});
type Source = Iterable<ProducerRecord> | AsyncIterable<ProducerRecord>;

async function read(source: Source): Promise<{ readonly receipts: number; readonly error: unknown }> {
  let receipts = 0;
  try {
    for await (const _receipt of producer.receipts(source)) receipts++;
    return { receipts, error: undefined };
  } catch (error) {
    return { receipts, error };
  }
}

/** Not a generator, whose `yield` would ask each record whether it is a promise. */
function thinkingAfter(records: readonly ProducerRecord[]): AsyncIterable<ProducerRecord> {
  const rest = records.values();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const next = rest.next();
        return next.done === true ? never : next;
      },
    }),
  };
}

describe('receipts', () => {
  it('come as soon as they are there, though the source has not ended', async () => {
    async function* slow() {
      yield good('a');
      yield good('b');
      await never;
    }
    const receipts = producer.receipts(slow());
    await expect(receipts.next()).resolves.toMatchObject({ done: false });
    await expect(receipts.next()).resolves.toMatchObject({ value: { sequenceNumber: '2' } });
  });

  it('end with each ill-typed record, after those before it, while the source still thinks', async () => {
    for (const [name, record] of badRecords()) {
      const { receipts, error } = await read(thinkingAfter([good('a'), record as ProducerRecord]));
      expect({ name, receipts }).toEqual({ name, receipts: 1 });
      expect(error, name).toBeInstanceOf(RecordError);
    }
    await expect(producer.put(good('after'))).resolves.toBeDefined();
  });

  it('put what comes beside an ill-typed record all the same', async () => {
    const { error } = await read([good('a'), null as unknown as ProducerRecord, good('b')]);
    expect(error).toBeInstanceOf(RecordError);
    await producer.flush();
    expect(taken).toContain('a');
  });

  it('come for all that a source gave before it threw', async () => {
    function* source() {
      yield good('a');
      yield good('b');
      throw new Error('from the source');
    }
    const { receipts, error } = await read(source());
    expect(receipts).toBe(2);
    expect(error).toMatchObject({ message: 'from the source' });
  });

  it.each(badLists.filter(([name]) => !['a Set', 'a text', 'an iterable that throws'].includes(name)))(
    'are refused for %s',
    async (_name, source) => {
      expect(await read(source as Source)).toMatchObject({ receipts: 0, error: { name: 'RecordError' } });
    },
  );

  it('close a source that waits for nothing when their reader leaves', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield good('a');
      } finally {
        isClosed = true;
      }
    }
    for await (const _receipt of producer.receipts(source(), { window: 2 })) break;
    await expect.poll(() => isClosed).toBe(true);
  });

  it.each([null, 5, { window: 0 }, { window: '5' }, { window: Number.NaN }, { window: Symbol('s') }])(
    'are refused for options that are %o',
    async (options) => {
      const receipts = producer.receipts([good('a')], options as { window: number });
      await expect(receipts.next()).rejects.toBeInstanceOf(ProducerConfigError);
      expect(taken).toEqual([]);
    },
  );

  it('keep their order, whatever order the source and the stream answer in', async () => {
    async function* source() {
      for (let n = 0; n < 50; n++) {
        if (n % 7 === 0) await sleep(1);
        yield good(`${n}`);
      }
    }
    const receipts: Receipt[] = [];
    for await (const receipt of producer.receipts(source(), { window: 5 })) receipts.push(receipt);
    const numbers = receipts.map((receipt) => Number('sequenceNumber' in receipt && receipt.sequenceNumber));
    expect(numbers).toHaveLength(50);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });
});

describe('a writable', () => {
  it('ends with an ill-typed record, and what was written beside it goes on', async () => {
    const stream = producer.writable();
    const failed = once(stream, 'error');
    for (const record of [good('a'), undefined, good('b')]) stream.write(record);
    const [error] = await failed;
    expect(error).toBeInstanceOf(RecordError);
    await producer.flush();
    expect(taken.toSorted()).toEqual(['a', 'b']);
    await expect(producer.put(good('after'))).resolves.toBeDefined();
  });

  it('fails what is piped into it', async () => {
    const source = Readable.from([good('a'), { partitionKey: 5, data: 'x' }, good('b')]);
    await expect(pipeline(source, producer.writable())).rejects.toBeInstanceOf(RecordError);
  });

  it.each([null, 5, { highWaterMark: -1 }, { highWaterMark: '5' }, { highWaterMark: Number.NaN }])(
    'is refused for options that are %o',
    (options) => {
      expect(() => producer.writable(options as { highWaterMark: number })).toThrow(ProducerConfigError);
    },
  );
});
