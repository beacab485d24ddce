import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  addRound,
  afterQuietRounds,
  failingShare,
  putsOf,
  putWindowPattern,
  WINDOW_ROUNDS,
} from '../../lambda/core/put-window.ts';

const round = fc
  .record({ counted: fc.integer({ min: 0, max: 35 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ counted, share }) => ({ counted, failed: Math.round(counted * share) }));

it('a window holds the last rounds, and no others', () => {
  fc.assert(
    fc.property(
      fc.array(round, { maxLength: 60 }),
      fc.integer({ min: 1, max: WINDOW_ROUNDS }),
      (rounds, last) => {
        const window = rounds.reduce((text, one) => addRound(text, one), '');
        expect(window).toMatch(putWindowPattern);
        const kept = rounds.slice(-WINDOW_ROUNDS).slice(-last);
        expect(putsOf(window, last)).toEqual({
          failed: kept.reduce((sum, { failed }) => sum + failed, 0),
          counted: kept.reduce((sum, { counted }) => sum + counted, 0),
        });
      },
    ),
  );
});

it('rounds of success that are added at once are what they are one by one', () => {
  fc.assert(
    fc.property(fc.array(round, { maxLength: 30 }), fc.nat({ max: 80 }), (rounds, quiet) => {
      const window = rounds.reduce((text, one) => addRound(text, one), '');
      let walked = window;
      for (let n = 0; n < quiet; n++) walked = addRound(walked, { failed: 0, counted: 3 });
      expect(afterQuietRounds(window, quiet, 3)).toBe(walked);
    }),
  );
});

it('a share lies within its bounds, and they close in on it with every put', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (counted, part) => {
        const failed = Math.round(counted * part);
        const { low, high } = failingShare({ failed, counted });
        expect(low).toBeLessThanOrEqual(failed / counted + 1e-9);
        expect(high).toBeGreaterThanOrEqual(failed / counted - 1e-9);
        const more = failingShare({ failed: 10 * failed, counted: 10 * counted });
        expect(more.high - more.low).toBeLessThanOrEqual(high - low + 1e-9);
      },
    ),
  );
  expect(failingShare({ failed: 0, counted: 0 })).toMatchObject({ low: 0, high: 1 });
});
