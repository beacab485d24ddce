import { describe, expect, it } from 'vitest';
import { type MovedRecord, MoveOrderChecker, OrderChecker } from '../../../lib/consumer/index.ts';
import { moveCases } from '../../../lib/consumer/move-cases.ts';

function recordsIn(reads: string): readonly MovedRecord[] {
  return reads.split(' ').map((text) => {
    const found = /^([EW])(\d+)\.(\d+)([!?]?)$/.exec(text);
    if (found === null) throw new Error(`${text} is no record`);
    const [, region = '', epoch, sequence, mark] = found;
    return {
      ...{ region, producerId: 'p', partitionKey: 'k', first: mark === '!' },
      ...{ epoch: Number(epoch), sequence: Number(sequence) },
    };
  });
}

describe.each(moveCases)('$title', ({ reads, one, oneRegion, allRegions, settled, meaning }) => {
  const records = recordsIn(reads);

  it('is what an OrderChecker says of one region', () => {
    const checker = new OrderChecker();
    const own = records.filter(({ region }) => region === one);
    expect(own.map((record) => checker.check(record).kind)).toEqual(oneRegion);
  });

  it('is what a MoveOrderChecker says of all', () => {
    const checker = new MoveOrderChecker();
    expect(records.map((record) => checker.check(record).kind)).toEqual(allRegions);
    expect(checker.settle().map(({ kind }) => kind)).toEqual(settled);
    expect(settled.length > 0).toBe(meaning === 'wrong');
    expect(checker.settle()).toEqual([]);
  });
});

it('each thing that a checker can say is in the table', () => {
  const every = (of: 'oneRegion' | 'allRegions' | 'settled') =>
    [...new Set(moveCases.flatMap((one): readonly string[] => one[of]))].toSorted();
  expect(every('oneRegion')).toEqual(['behind', 'duplicate', 'first', 'gap', 'late', 'next', 'unnumbered']);
  expect(every('allRegions')).toEqual([
    ...['ahead', 'before', 'copy', 'elsewhere', 'first', 'late', 'next', 'unnumbered'],
  ]);
  expect(every('settled')).toEqual(['missing', 'reordered']);
});
