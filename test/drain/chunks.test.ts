import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../lib/drain/chunks.ts';

const MIB = 1024 * 1024;
const record = (partitionKey: string, n: number, data = new Uint8Array(1)) => ({ partitionKey, n, data });

describe('the chunks of a page', () => {
  it('hold every record once, a key at most once in each, and its records in their order', () => {
    const keys = fc.array(fc.integer({ min: 0, max: 9 }).map(String), { maxLength: 200 });
    fc.assert(
      fc.property(keys, (page) => {
        const chunks = chunksOf(page.map((key, n) => record(key, n)));
        for (const chunk of chunks) {
          expect(chunk.length).toBeGreaterThan(0);
          expect(new Set(chunk.map(({ partitionKey }) => partitionKey)).size).toBe(chunk.length);
        }
        const sent = chunks.flat();
        expect(sent.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(page.map((_, n) => n));
        for (const key of new Set(page)) {
          const numbers = sent.filter(({ partitionKey }) => partitionKey === key).map(({ n }) => n);
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('are within the limits of PutRecords', () => {
    const many = chunksOf(Array.from({ length: 1_001 }, (_, n) => record(`${n}`, n)));
    expect(many.map(({ length }) => length)).toEqual([500, 500, 1]);
    const large = chunksOf(Array.from({ length: 6 }, (_, n) => record(`${n}`, n, new Uint8Array(MIB))));
    expect(large.map(({ length }) => length)).toEqual([4, 2]);
  });

  it('hold a record that is above the limit alone', () => {
    const chunks = chunksOf([record('a', 0), record('b', 1, new Uint8Array(9 * MIB)), record('c', 2)]);
    expect(chunks.map(({ length }) => length)).toEqual([1, 1, 1]);
  });
});
