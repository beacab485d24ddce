import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BufferFullError,
  FailoverProducer,
  ProducerClosedError,
  type ProducerOptions,
  type ProducerRecord,
  type PutOutcome,
  RecordError,
} from '../../lib/producer/index.ts';
import type { OutgoingRecord } from '../../lib/producer/record.ts';
import type { Transport } from '../../lib/producer/transport.ts';

let taken: string[];
/** Requests wait until it is resolved. */
let gate: PromiseWithResolvers<void>;
let producers: FailoverProducer[];

beforeEach(() => {
  vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
  taken = [];
  gate = Promise.withResolvers();
  producers = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  gate.resolve();
  await Promise.all(producers.map((one) => one.close({ timeoutMs: 1 })));
});

/** Refuses a request with a record whose key is `bad`. */
const transport: Transport = {
  async send({ region, records }) {
    await gate.promise;
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

const record = (partitionKey: string, data = partitionKey): ProducerRecord => ({ partitionKey, data });
const kinds = (outcomes: readonly PutOutcome[]): readonly string[] =>
  outcomes.map((outcome) => (outcome instanceof Error ? outcome.name : 'taken'));

describe('putEach', () => {
  it('tells what became of each record, and never rejects for one', async () => {
    gate.resolve();
    const each = producer({ maxBatchRecords: 1 });
    const records = [record('a'), record(''), record('bad'), null as never, record('b')];
    const outcomes = await each.putEach(records);
    expect(kinds(outcomes)).toEqual(['taken', 'RecordError', 'ValidationException', 'RecordError', 'taken']);
    expect(outcomes[4]).toMatchObject({ region: 'us-east-1', sequenceNumber: '2' });
    expect(await each.putEach([])).toEqual([]);
    await expect(each.putEach('no' as never)).rejects.toThrow(RecordError);
  });

  it('refuses at once what has no room, and takes it when there is', async () => {
    const each = producer({ maxBufferedRecords: 3 });
    const keys = ['a', 'b', 'c', 'd', ''];
    const first = each.putEach(keys.map((key) => record(key)));
    const second = each.putEach([record('e')]);
    expect(kinds(await second)).toEqual(['BufferFullError']);
    gate.resolve();
    expect(kinds(await first)).toEqual(['taken', 'taken', 'taken', 'BufferFullError', 'RecordError']);
    expect((await second)[0]).toBeInstanceOf(BufferFullError);
    expect(kinds(await each.putEach([record('e')]))).toEqual(['taken']);
    expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'e']);
  });

  it('refuses all later records of a key that has no room, however small, and none of another', async () => {
    const each = producer({ maxBufferedBytes: 100_000, maxBufferedRecords: 1_000 });
    const large = 'x'.repeat(1_000);
    const hot = [
      ...Array.from({ length: 40 }, () => record('hot', large)),
      record('hot', 'small'),
      record('cold'),
    ];
    const outcomes = each.putEach(hot);
    gate.resolve();
    const told = kinds(await outcomes);
    const firstRefused = told.indexOf('BufferFullError');
    expect(firstRefused).toBeGreaterThan(0);
    expect(new Set(told.slice(firstRefused, -1))).toEqual(new Set(['BufferFullError']));
    expect(told.at(-1)).toBe('taken');
  });

  it('does not pass calls that wait, and leaves them their places', async () => {
    const each = producer({ maxBufferedRecords: 1 });
    const first = each.put(record('a'));
    const waiting = each.put(record('b'));
    expect(kinds(await each.putEach([record('c')]))).toEqual(['BufferFullError']);
    gate.resolve();
    await Promise.all([first, waiting]);
    expect(taken).toEqual(['a', 'b']);
  });

  it('waits for a spool that is being opened, and is told when the producer is closed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-each-'));
    try {
      const each = producer({ spool: { directory: join(directory, 'spool') }, acknowledge: 'spooled' });
      expect(await each.putEach([record('a'), record('b')])).toEqual([{ spooled: true }, { spooled: true }]);
      gate.resolve();
      await each.close();
      expect(taken.toSorted()).toEqual(['a', 'b']);
      await expect(each.putEach([record('c')])).rejects.toThrow(ProducerClosedError);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('tells all that are open when the producer is closed', async () => {
    const each = producer();
    const open = each.putEach([record('a'), record('b')]);
    await each.close({ timeoutMs: 1 });
    expect(kinds(await open)).toEqual(['ProducerClosedError', 'ProducerClosedError']);
  });
});
