import { describe, expect, it } from 'vitest';
import { ConsumerConfigError, type MovedRecord, MoveOrderChecker } from '../../../lib/consumer/index.ts';

const record = (sequence: number, more: Partial<MovedRecord> = {}): MovedRecord => ({
  ...{ region: 'us-east-1', producerId: 'p', partitionKey: 'k', epoch: 0, sequence, first: sequence === 1 },
  ...more,
});

describe('a checker over regions', () => {
  it('settles what arrived long enough ago, and nothing twice', () => {
    const checker = new MoveOrderChecker({ clockSkewMs: 1_000 });
    checker.check(record(1, { arrivedAtMs: 10_000 }));
    checker.check(record(4, { arrivedAtMs: 20_000 }));
    checker.check(record(6, { arrivedAtMs: 30_000 }));
    expect(checker.settle({ readToMs: 20_999 })).toEqual([]);
    const missing = { kind: 'missing', producerId: 'p', partitionKey: 'k', epoch: 0 };
    expect(checker.settle({ readToMs: 21_000 })).toEqual([
      { ...missing, from: 2, to: 3, arrivedAtMs: 20_000 },
    ]);
    expect(checker.check(record(5, { arrivedAtMs: 31_000, region: 'us-west-2' })).kind).toBe('elsewhere');
    expect(checker.settle()).toEqual([]);
  });

  it('without arrival times settles at the end alone', () => {
    const checker = new MoveOrderChecker();
    for (const sequence of [1, 3]) checker.check(record(sequence));
    expect(checker.settle({ readToMs: Date.now() })).toEqual([]);
    expect(checker.settle()).toHaveLength(1);
  });

  it('does not take a copy that a drain makes later for the reason of a swap', () => {
    const checker = new MoveOrderChecker();
    for (const sequence of [1, 3, 2]) checker.check(record(sequence, { arrivedAtMs: 1_000 }));
    checker.check(record(2, { arrivedAtMs: 3_600_000, region: 'us-west-2' }));
    expect(checker.settle()).toMatchObject([{ kind: 'reordered', from: 2, to: 2 }]);
  });

  it('does not take a copy in the same region for the reason either', () => {
    const checker = new MoveOrderChecker();
    const kinds = [1, 3, 2, 2].map((sequence) => checker.check(record(sequence)).kind);
    expect(kinds).toEqual(['first', 'ahead', 'late', 'copy']);
    expect(checker.settle()).toMatchObject([{ kind: 'reordered', from: 2, to: 2 }]);
  });

  it('takes bounded memory, and says how much it has given up', () => {
    const checker = new MoveOrderChecker({ maxKeys: 100 });
    for (let key = 0; key < 1_000; key++)
      for (const sequence of [1, 3]) checker.check(record(sequence, { partitionKey: `${key}` }));
    expect([checker.size, checker.forgotten]).toEqual([100, 900]);
    const holes = new MoveOrderChecker();
    for (let n = 0; n < 1_000; n++) holes.check(record(2 * n + 1, { first: n === 0 }));
    expect(holes.settle().length + holes.forgotten).toBe(999);
    expect(holes.settle().length).toBeLessThan(10);
    const late = new MoveOrderChecker();
    for (let n = 1_000; n > 0; n--) late.check(record(2 * n, { first: false }));
    expect(late.settle().length + late.forgotten).toBeLessThan(1_000);
    const epochs = new MoveOrderChecker();
    for (let epoch = 0; epoch < 100; epoch++) epochs.check(record(1, { epoch }));
    expect(epochs.check(record(2, { epoch: 0 })).kind).toBe('before');
  });

  it('needs to know the region', () => {
    expect(() => new MoveOrderChecker().check(record(1, { region: undefined as never }))).toThrow(
      ConsumerConfigError,
    );
    expect(() => new MoveOrderChecker({ maxKeys: 0 })).toThrow(/whole number from 1/);
    expect(() => new MoveOrderChecker({ clockSkewMs: -1 })).toThrow(/milliseconds from 0/);
  });
});
