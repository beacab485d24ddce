import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderChecker } from '../../lib/consumer/index.ts';
import { KeySequencer } from '../../lib/envelope/key-sequencer.ts';

describe('the numbers of a key', () => {
  it('run from 1 without a hole, whatever other keys do', () => {
    const sequencer = new KeySequencer({ epoch: 7 });
    const given = ['a', 'b', 'a', 'a', 'b'].map((key) => sequencer.next(key));
    expect(given.map(({ sequence }) => sequence)).toEqual([1, 1, 2, 3, 2]);
    expect(given.map(({ first }) => first)).toEqual([true, true, false, false, false]);
    expect(given.every(({ epoch }) => epoch === 7)).toBe(true);
  });

  it('rise, and show no gap that is none, however few keys are remembered', () => {
    const keys = fc.array(fc.integer({ min: 0, max: 12 }).map(String), { maxLength: 300 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 8 }), (order, maxKeys) => {
        const sequencer = new KeySequencer({ maxKeys });
        const checker = new OrderChecker({ maxKeys: 100 });
        const last = new Map<string, number>();
        for (const key of order) {
          const next = sequencer.next(key);
          expect(next.sequence).toBeGreaterThan(last.get(key) ?? 0);
          last.set(key, next.sequence);
          expect(sequencer.size).toBeLessThanOrEqual(2 * maxKeys);
          const verdict = checker.check({ producerId: 'p', partitionKey: key, ...next });
          expect(verdict.kind).toBe(next.first ? 'first' : 'next');
        }
      }),
    );
  });

  it('begin anew in the next epoch', () => {
    const sequencer = new KeySequencer();
    sequencer.next('a');
    expect(sequencer.advance()).toBe(1);
    expect(sequencer.next('a')).toEqual({ epoch: 1, sequence: 1, first: true });
  });

  it('take bounded memory: 400,000 keys in room for 20,000', () => {
    const sequencer = new KeySequencer({ maxKeys: 10_000 });
    let largest = 0;
    for (let key = 0; key < 400_000; key++) {
      sequencer.next(`key-${key}`);
      if (sequencer.size > largest) largest = sequencer.size;
    }
    expect(largest).toBe(20_000);
  });
});
