import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConsumerConfigError,
  Deduplicator,
  MemorySeenStore,
  type SeenStore,
} from '../../lib/consumer/index.ts';

describe('a deduplicator', () => {
  it('delivers each id once, in any interleaving of copies, one at a time or all at once', async () => {
    const ids = fc.array(fc.integer({ min: 0, max: 20 }).map(String), { maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(ids, fc.boolean(), async (stream, together) => {
        const delivered: string[] = [];
        const deduplicator = new Deduplicator({ store: new MemorySeenStore({ maxIds: 21 }) });
        const deliver = (id: string) =>
          deduplicator.once(id, async () => {
            await turn();
            delivered.push(id);
          });
        if (together) await Promise.all(stream.map(deliver));
        else for (const id of stream) await deliver(id);
        expect(delivered.toSorted()).toEqual([...new Set(stream)].toSorted());
      }),
      { numRuns: 50 },
    );
  });

  it('gives the handler’s value, and says which is a copy', async () => {
    const deduplicator = new Deduplicator();
    await expect(deduplicator.once('a', () => 1)).resolves.toEqual({ duplicate: false, value: 1 });
    await expect(deduplicator.once('a', () => 2)).resolves.toEqual({ duplicate: true });
  });

  it('cannot wait for less than no time', () => {
    for (const maxWaitMs of [-1, Number.NaN])
      expect(() => new Deduplicator({ maxWaitMs })).toThrow(ConsumerConfigError);
  });

  it('does not take a failed record for handled', async () => {
    const deduplicator = new Deduplicator();
    const failing = deduplicator.once('a', async () => Promise.reject(new Error('no room')));
    const waiting = deduplicator.once('a', () => 'second');
    await expect(failing).rejects.toThrow('no room');
    await expect(waiting).resolves.toEqual({ duplicate: false, value: 'second' });
  });

  it('asks and tells a store of one’s own, and passes on its failure', async () => {
    const remembered = new Set(['old']);
    let broken = false;
    const store: SeenStore = {
      seen: async (id) => remembered.has(id),
      remember: async (id) => {
        if (broken) throw new Error('table is gone');
        remembered.add(id);
      },
    };
    const deduplicator = new Deduplicator({ store });
    await expect(deduplicator.once('old', () => 0)).resolves.toEqual({ duplicate: true });
    await deduplicator.once('new', () => 0);
    expect(remembered.has('new')).toBe(true);
    broken = true;
    const failing = expect(deduplicator.once('x', () => 0)).rejects.toThrow('table is gone');
    const waiting = expect(deduplicator.once('x', () => 0)).rejects.toThrow('table is gone');
    await Promise.all([failing, waiting]);
    broken = false;
    await expect(deduplicator.once('x', () => 0)).resolves.toMatchObject({ duplicate: false });
  });
});

describe('the window in memory', () => {
  it('ends with the count: the oldest id goes first', async () => {
    const store = new MemorySeenStore({ maxIds: 2 });
    for (const id of ['a', 'b', 'b', 'c']) await store.remember(id);
    expect(await Promise.all(['a', 'b', 'c'].map((id) => store.seen(id)))).toEqual([false, true, true]);
  });

  it('ends with the age', async () => {
    let nowMs = 0;
    const store = new MemorySeenStore({ maxAgeMs: 1_000, now: () => nowMs });
    await store.remember('a');
    nowMs = 600;
    await store.remember('b');
    nowMs = 1_000;
    expect(await store.seen('a')).toBe(true);
    nowMs = 1_001;
    expect(await store.seen('a')).toBe(false);
    expect(await store.seen('b')).toBe(true);
    expect(store.size).toBe(1);
  });

  it('agrees with a plain list of ids and times', async () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 9 }).map(String), afterMs: fc.nat(40) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 100 }),
        fc.integer({ min: 1, max: 6 }),
        async (steps, maxIds) => {
          let nowMs = 0;
          const store = new MemorySeenStore({ maxIds, maxAgeMs: 100, now: () => nowMs });
          let model: { id: string; atMs: number }[] = [];
          for (const { id, afterMs } of steps) {
            nowMs += afterMs;
            model = model.filter(({ atMs }) => nowMs - atMs <= 100);
            const known = model.some((one) => one.id === id);
            expect(await store.seen(id)).toBe(known);
            await store.remember(id);
            if (!known) model = [...model, { id, atMs: nowMs }].slice(-maxIds);
            expect(store.size).toBe(model.length);
          }
        },
      ),
    );
  });

  it('is bounded: 300,000 ids in room for 5,000', async () => {
    const store = new MemorySeenStore({ maxIds: 5_000 });
    let largest = 0;
    for (let id = 0; id < 300_000; id++) {
      await store.remember(`${id}`);
      if (store.size > largest) largest = store.size;
    }
    expect(largest).toBe(5_000);
    expect(await store.seen('294999')).toBe(false);
    expect(await store.seen('295000')).toBe(true);
  });

  it.each([{ maxIds: 0 }, { maxIds: 1.5 }, { maxAgeMs: 0 }, { maxAgeMs: Number.NaN }])(
    'refuses %o',
    (options) => {
      expect(() => new MemorySeenStore(options)).toThrow(ConsumerConfigError);
    },
  );
});
