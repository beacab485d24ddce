import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entry, Ticket } from '../../lib/producer/entry.ts';
import { Lanes } from '../../lib/producer/lanes.ts';

const owner = new Ticket(1, 0);
const data = new Uint8Array(1);

/** The index of an entry is its place among those of its key. */
const entryOf = (partitionKey: string, index: number): Entry =>
  new Entry({ partitionKey, data }, { owner, index, size: 1 });

/** So few lanes that many keys meet in each. */
const crowded = () => new Lanes({ ordered: true, records: 1, random: Math.random });
const key = fc.nat(60).map((n) => `key-${n}`);

/** Adds an entry for each key. */
function filled(keys: readonly string[]): Lanes {
  const lanes = crowded();
  const counts = new Map<string, number>();
  for (const name of keys) {
    const index = counts.get(name) ?? 0;
    counts.set(name, index + 1);
    lanes.add(entryOf(name, index));
  }
  return lanes;
}

function expectWhole(entries: readonly Entry[], keys: readonly string[]): void {
  expect(entries.map(({ partitionKey }) => partitionKey).sort()).toEqual([...keys].sort());
  for (const list of Map.groupBy(entries, ({ partitionKey }) => partitionKey).values()) {
    expect(list.map(({ index }) => index)).toEqual(list.map((_, n) => n));
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('add'), key }),
  fc.record({ kind: fc.constant('take'), records: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constantFrom('done', 'retry'), pick: fc.nat() }),
);

describe('the lanes', () => {
  it('never have two records of a key under way, and let all of them through in order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const lanes = crowded();
        const added: string[] = [];
        const counts = new Map<string, number>();
        const underWay: Entry[] = [];
        const through: Entry[] = [];
        const take = (records: number): void => {
          underWay.push(...lanes.take({ records, bytes: 1_000 }));
          const keys = underWay.map(({ partitionKey }) => partitionKey);
          expect(new Set(keys).size).toBe(keys.length);
        };
        for (const one of steps) {
          if ('key' in one) {
            const index = counts.get(one.key) ?? 0;
            counts.set(one.key, index + 1);
            added.push(one.key);
            lanes.add(entryOf(one.key, index));
          } else if ('records' in one) take(one.records);
          else if (underWay.length > 0) {
            const [entry] = underWay.splice(one.pick % underWay.length, 1) as [Entry];
            if (one.kind === 'retry') lanes.retry(entry);
            else {
              through.push(entry);
              lanes.done(entry);
            }
          }
        }
        for (let rounds = 0; through.length < added.length; rounds++) {
          expect(rounds).toBeLessThanOrEqual(added.length);
          take(500);
          for (const entry of underWay.splice(0)) {
            through.push(entry);
            lanes.done(entry);
          }
        }
        expectWhole(through, added);
        expect(lanes.ready).toBe(0);
      }),
    );
  });

  it('give everything back in order, the heads that are held elsewhere included, and are as new then', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 200 }), fc.nat(50), (keys, held) => {
        const lanes = filled(keys);
        const elsewhere = lanes.take({ records: held, bytes: 1_000 });
        const all = lanes.clear(elsewhere);
        expectWhole(all, keys);
        for (const entry of all) lanes.add(entry);
        expectWhole(lanes.clear([]), keys);
      }),
    );
  });

  it('let what is overdue go, and the next in its lane forward', () => {
    const lanes = filled(['a', 'b', 'a', 'a', 'b']);
    const overdue = lanes.expire(({ partitionKey, index }) => partitionKey === 'a' && index < 2);
    expect(overdue.map(({ partitionKey, index }) => [partitionKey, index])).toEqual([
      ['a', 0],
      ['a', 1],
    ]);
    expect(lanes.clear([]).map(({ index }) => index)).toHaveLength(3);
  });

  it('expire a long queue of one key in one go', () => {
    const lanes = filled(Array.from({ length: 50_000 }, () => 'hot'));
    expect(lanes.expire(() => true)).toHaveLength(50_000);
    expect(lanes.ready).toBe(0);
  });

  it('hold nobody back when no order is asked for', () => {
    const lanes = new Lanes({ ordered: false, records: 10, random: Math.random });
    for (let n = 0; n < 5; n++) lanes.add(entryOf('same', n));
    expect(lanes.take({ records: 10, bytes: 1_000 })).toHaveLength(5);
  });
});
