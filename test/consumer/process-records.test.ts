import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  BadRecordError,
  ClaimedElsewhereError,
  Deduplicator,
  type EventRecord,
  processRecord,
  processRecords,
  type RecordFailure,
  type SeenStore,
} from '../../lib/consumer/index.ts';
import { aggregate, damaged, enveloped, eventOf, type InEvent, id, probe } from './fixtures/lambda-event.ts';

const textOf = ({ data }: EventRecord<unknown>): string => Buffer.from(data).toString();
const quiet = { onFailure: () => {} };
const bad = damaged(enveloped(9));
const group = (...data: readonly Uint8Array[]): Buffer =>
  aggregate(...data.map((one) => ({ partitionKey: 'k', data: one })));

/** A handler that remembers what it handled, and fails for some. */
function handler(...failing: readonly string[]) {
  const handled: string[] = [];
  const left = new Set(failing);
  return {
    handled,
    recover: () => left.clear(),
    handle: async (record: EventRecord<unknown>) => {
      const text = textOf(record);
      if (left.has(text)) throw new Error(`cannot handle ${text}`);
      handled.push(text);
    },
  };
}

describe('processing an event', () => {
  it('handles each record in order, leaves marked ones out, and reports nothing', async () => {
    const { handled, handle } = handler();
    const event = eventOf(enveloped(1), probe, group(enveloped(2), enveloped(3)));
    expect(await processRecords(event, handle)).toEqual({ batchItemFailures: [] });
    expect(handled).toEqual(['1', '2', '3']);
  });

  it('stops at the first failure of a shard, says why, and goes on in other shards', async () => {
    const { handled, handle } = handler('2');
    const failures: RecordFailure<unknown>[] = [];
    const event = eventOf(...[1, 2, 3].map((n): InEvent => ({ data: enveloped(n), shard: 1 })), {
      data: enveloped(4),
      shard: 2,
    });
    const answer = await processRecords(event, handle, { onFailure: (failure) => failures.push(failure) });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '101' }] });
    expect(handled).toEqual(['1', '4']);
    expect(failures).toMatchObject([{ record: { recordId: id(2) }, error: { message: 'cannot handle 2' } }]);
  });

  it('logs a failure where nobody else is told', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    await processRecords(eventOf(enveloped(1)), handler('1').handle);
    expect(log.mock.calls).toEqual([
      [expect.stringMatching(/^Record 100\/0 of shardId-0+6 failed/), expect.any(Error)],
    ]);
  });

  it('is no failure as a whole because whoever is told of a failure fails', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const { handled, handle } = handler('1');
    const event = eventOf({ data: enveloped(1), shard: 1 }, { data: enveloped(2), shard: 2 });
    const onFailure = () => {
      throw new Error('no logger');
    };
    expect(await processRecords(event, handle, { onFailure })).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }],
    });
    expect(handled).toEqual(['2']);
    expect(log).toHaveBeenCalledOnce();
  });

  it('ends the wait for another consumer’s claim before the function is ended', async () => {
    let refusals = 0;
    const store: SeenStore = {
      ...{ seen: async () => false, remember: async () => {} },
      claim: async (claimed) => {
        if (claimed === id(1))
          return { kind: 'claimed', claim: { finish: async () => {}, release: async () => {} } };
        refusals++;
        return { kind: 'claimedElsewhere', leftMs: 60_000 };
      },
    };
    const { handled, handle } = handler();
    const failures: RecordFailure<unknown>[] = [];
    const answer = await processRecords(eventOf(enveloped(1), enveloped(2)), handle, {
      deduplicator: new Deduplicator({ store }),
      remainingMs: () => 1_050,
      onFailure: (failure) => failures.push(failure),
    });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '101' }] });
    expect(handled).toEqual(['1']);
    expect(failures.map(({ error }) => error)).toEqual([expect.any(ClaimedElsewhereError)]);
    // 50 ms are left: at once, after 25 ms, and at the end. In 15 s, the default, there are twenty.
    expect(refusals).toBe(3);
  });

  it('goes on within an aggregate when Lambda gives it again', async () => {
    const { handled, handle, recover } = handler('2');
    const deduplicator = new Deduplicator();
    const event = eventOf(group(enveloped(1), enveloped(2), enveloped(3)), enveloped(4));
    const first = await processRecords(event, handle, { deduplicator, ...quiet });
    expect([first, handled]).toEqual([{ batchItemFailures: [{ itemIdentifier: '100' }] }, ['1']]);
    recover();
    expect(await processRecords(event, handle, { deduplicator })).toEqual({ batchItemFailures: [] });
    expect(handled).toEqual(['1', '2', '3', '4']);
  });

  it('knows a record without envelope by its place', async () => {
    const { handled, handle, recover } = handler('b');
    const deduplicator = new Deduplicator();
    const event = eventOf(group(Buffer.from('a'), Buffer.from('a'), Buffer.from('b')));
    for (const failures of [1, 0]) {
      const { batchItemFailures } = await processRecords(event, handle, { deduplicator, ...quiet });
      expect(batchItemFailures).toHaveLength(failures);
      recover();
    }
    expect(handled).toEqual(['a', 'a', 'b']);
  });

  it('reports a bad record and stops there, unless it is set aside', async () => {
    const event = eventOf(enveloped(1), bad, enveloped(2));
    const [reported, setAside] = [handler(), handler()];
    const failures: RecordFailure<unknown>[] = [];
    const answer = await processRecords(event, reported.handle, { onFailure: (one) => failures.push(one) });
    expect([answer.batchItemFailures, reported.handled]).toEqual([[{ itemIdentifier: '101' }], ['1']]);
    expect(failures[0]?.error).toBeInstanceOf(BadRecordError);
    const aside: string[] = [];
    const gone = await processRecords(event, setAside.handle, {
      onBad: async ({ reason, bytes }) => void aside.push(`${reason} ${bytes?.length}`),
    });
    expect([gone.batchItemFailures, setAside.handled]).toEqual([[], ['1', '2']]);
    expect(aside).toEqual([`damaged-header ${bad.length}`]);
  });

  it('reports a bad record that cannot be set aside', async () => {
    const { handled, handle } = handler();
    const onBad = () => Promise.reject(new Error('the queue is full'));
    const answer = await processRecords(eventOf(bad, enveloped(2)), handle, { onBad, ...quiet });
    expect([answer.batchItemFailures, handled]).toEqual([[{ itemIdentifier: '100' }], []]);
  });
});

it('one record throws its first failure', async () => {
  const { handled, handle } = handler('2');
  const [record] = eventOf(group(enveloped(1), enveloped(2), enveloped(3))).Records;
  if (record === undefined) throw new Error('no record');
  await expect(processRecord(record, handle)).rejects.toThrow('cannot handle 2');
  expect(handled).toEqual(['1']);
  const [broken] = eventOf(bad).Records;
  if (broken) await expect(processRecord(broken, handle)).rejects.toThrow(BadRecordError);
});

/** What an event source mapping does with an answer: the batch again from the lowest number on. */
async function mapping(
  event: ReturnType<typeof eventOf>,
  invoke: (part: ReturnType<typeof eventOf>) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>,
): Promise<number> {
  let { Records } = event;
  for (let invocations = 1; ; invocations++) {
    const { batchItemFailures } = await invoke({ Records });
    if (batchItemFailures.length === 0) return invocations;
    const lowest = Math.min(...batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier)));
    Records = Records.filter(({ kinesis }) => Number(kinesis.sequenceNumber) >= lowest);
  }
}

it('whatever fails however often, each record is handled once and in order', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.integer({ min: 0, max: 3 })), async (all, fates) => {
      let n = 0;
      const event = eventOf(
        ...all.map((size) => {
          const data = Array.from({ length: size }, () => enveloped(++n));
          return size === 1 ? (data[0] as Uint8Array) : group(...data);
        }),
      );
      const handled: number[] = [];
      const deduplicator = new Deduplicator();
      await mapping(event, (part) =>
        processRecords(
          part,
          (record) => {
            if (fates.next().value === 0) throw new Error('this time');
            handled.push(Number(textOf(record)));
          },
          { deduplicator, ...quiet },
        ),
      );
      expect(handled).toEqual(Array.from({ length: n }, (_, at) => at + 1));
    }),
  );
});
