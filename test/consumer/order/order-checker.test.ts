import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderChecker, type OrderedRecord } from '../../../lib/consumer/index.ts';

const record = (sequence: number, more: Partial<OrderedRecord> = {}): OrderedRecord => ({
  producerId: 'p',
  partitionKey: 'k',
  epoch: 0,
  sequence,
  first: sequence === 1,
  ...more,
});
const kinds = (records: readonly OrderedRecord[], checker = new OrderChecker()) =>
  records.map((one) => checker.check(one).kind);

describe('the order of a key', () => {
  it('is first, then next, then next', () => {
    expect(kinds([1, 2, 3].map((n) => record(n)))).toEqual(['first', 'next', 'next']);
  });

  it('tells a gap and its size, and who fills it late', () => {
    const checker = new OrderChecker();
    expect(kinds([record(1), record(2)], checker)).toEqual(['first', 'next']);
    expect(checker.check(record(6))).toEqual({ kind: 'gap', missing: 3 });
    expect(
      kinds(
        [4, 4, 3, 5, 5, 7].map((n) => record(n)),
        checker,
      ),
    ).toEqual(['late', 'duplicate', 'late', 'late', 'duplicate', 'next']);
  });

  it('is kept apart by key and by producer', () => {
    const other = record(1, { partitionKey: 'l' });
    expect(kinds([record(1), other, record(1, { producerId: 'q' }), record(2)])).toEqual([
      'first',
      'first',
      'first',
      'next',
    ]);
  });

  it('begins anew with an epoch; without its first record that is a gap of unknown size', () => {
    const checker = new OrderChecker();
    expect(kinds([record(9), record(1, { epoch: 1 }), record(10)], checker)).toEqual([
      'first',
      'first',
      'behind',
    ]);
    expect(checker.check(record(5, { epoch: 2 }))).toEqual({ kind: 'gap', missing: undefined });
  });

  it('says nothing of records from before it began to look, nor of records without a number', () => {
    expect(kinds([record(7), record(3), record(0), record(8)])).toEqual([
      'first',
      'behind',
      'unnumbered',
      'next',
    ]);
  });

  it('takes a key that the producer had forgotten for a beginning', () => {
    expect(kinds([record(1), record(50, { first: true }), record(30), record(51)])).toEqual([
      'first',
      'first',
      'behind',
      'next',
    ]);
  });

  it('never takes a record it has not seen for a duplicate, nor one it has seen for new', () => {
    const sequences = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 });
    fc.assert(
      fc.property(sequences, (stream) => {
        const checker = new OrderChecker();
        const seen = new Set<number>();
        for (const sequence of stream) {
          const { kind } = checker.check(record(sequence, { first: false }));
          if (seen.has(sequence)) expect(['duplicate', 'behind']).toContain(kind);
          else expect(kind).not.toBe('duplicate');
          seen.add(sequence);
        }
      }),
    );
  });

  it('takes bounded memory: 300,000 keys in room for 4,000, and many gaps in one', () => {
    const checker = new OrderChecker({ maxKeys: 2_000 });
    let largest = 0;
    for (let key = 0; key < 300_000; key++) {
      checker.check(record(1, { partitionKey: `${key}` }));
      if (checker.size > largest) largest = checker.size;
    }
    expect(largest).toBe(4_000);
    const holes = Array.from({ length: 1_000 }, (_, n) => record(2 * n + 1, { first: false }));
    expect(
      kinds(holes, checker)
        .slice(1)
        .every((kind) => kind === 'gap'),
    ).toBe(true);
    expect(kinds([record(2, { first: false }), record(1_998, { first: false })], checker)).toEqual([
      'behind',
      'late',
    ]);
  });
});
