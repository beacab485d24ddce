import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentile, percentilesOfAll, poissonUpperBound } from '../../lib/simulator/statistics.ts';

const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
  minLength: 1,
  maxLength: 60,
});
const percents = fc.integer({ min: 1, max: 100 });

describe('percentile', () => {
  it('is the nearest rank: the 19th of twenty for 95 %', () => {
    const values = Array.from({ length: 20 }, (_, index) => 20 - index);
    expect(percentile(values, 95)).toBe(19);
    expect(percentile(values, 50)).toBe(10);
    expect(percentile(values, 100)).toBe(20);
    expect(percentile([7], 1)).toBe(7);
    expect(
      percentile(
        Array.from({ length: 100 }, (_, index) => index + 1),
        7,
      ),
    ).toBe(7);
  });

  it('of nothing is null', () => {
    expect(percentile([], 50)).toBeNull();
  });

  it('is the least of the values that so many do not exceed', () => {
    fc.assert(
      fc.property(numbers, percents, (values, percent) => {
        const result = percentile(values, percent) as number;
        expect(values).toContain(result);
        const notAbove = (limit: number) => values.filter((value) => value <= limit).length * 100;
        expect(notAbove(result)).toBeGreaterThanOrEqual(percent * values.length);
        const below = values.filter((value) => value < result);
        if (below.length > 0) expect(notAbove(Math.max(...below))).toBeLessThan(percent * values.length);
      }),
    );
  });

  it('refuses what is not a percentage', () => {
    for (const percent of [0, -1, 101, Number.NaN])
      expect(() => percentile([1], percent)).toThrow(RangeError);
  });
});

describe('percentiles over all runs', () => {
  it('count a run in which it never happened as longer than any other', () => {
    expect(percentilesOfAll([1, 2, 3, null])).toEqual({ p50: 2, p95: null });
    expect(percentilesOfAll([null, null, 1])).toEqual({ p50: null, p95: null });
    expect(percentilesOfAll([])).toEqual({ p50: null, p95: null });
  });
});

describe('Poisson upper bound', () => {
  it.each([
    [0, 2.9957],
    [1, 4.7439],
    [2, 6.2958],
    [5, 10.513],
    [10, 16.9622],
    [100, 118.0792],
  ])('of %d events is %d, as in the tables', (events, bound) => {
    expect(poissonUpperBound(events)).toBeCloseTo(bound, 3);
  });

  it('of no events is the rule of three, at any confidence', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.9999, noNaN: true }), (confidence) => {
        expect(poissonUpperBound(0, confidence)).toBeCloseTo(-Math.log(1 - confidence), 9);
      }),
    );
  });

  it('is the mean at which so few events have 5 % probability', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 }), (events) => {
        const mean = poissonUpperBound(events);
        let [term, sum] = [Math.exp(-mean), Math.exp(-mean)];
        for (let count = 1; count <= events; count++) {
          term *= mean / count;
          sum += term;
        }
        expect(sum).toBeCloseTo(0.05, 9);
      }),
    );
  });

  it('grows with the events, and stays finite for many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (events) => {
        const bound = poissonUpperBound(events);
        expect(bound).toBeGreaterThan(events);
        expect(bound).toBeLessThan(events + 3 + 2.2 * Math.sqrt(events) + 2);
        expect(poissonUpperBound(events + 1)).toBeGreaterThan(bound);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses what is no count', () => {
    for (const events of [-1, 0.5, Number.NaN]) expect(() => poissonUpperBound(events)).toThrow(RangeError);
  });
});
