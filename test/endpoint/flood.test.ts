import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { SWITCH_FAILURES } from '../../lambda/core/deployment.ts';
import { heldFlood, latchIn, shareLetThrough } from '../../lib/endpoint/flood.ts';
import { newChecker, observe } from '../../lib/route53/checker.ts';
import { endpointHealthy } from '../../lib/route53/health-check.ts';
import { endpointCheck } from '../route53/design-tree.ts';

/** Two in each of eight regions, each every 10 s. */
const CHECKERS = 16;
const check = endpointCheck('switch', { inverted: true, failureThreshold: SWITCH_FAILURES });
const generator = xoroshiro128plus(14);

/** Seconds until the latch ends, when each look of a checker is answered with this probability; null: not in this time. */
function endsAfterS(share: number, seconds: number): number | null {
  const checkers = Array.from({ length: CHECKERS }, () => newChecker);
  for (let second = 10; second <= seconds; second += 10) {
    for (let n = 0; n < CHECKERS; n++) {
      const seen = uniformFloat64(generator) < share;
      checkers[n] = observe(checkers[n] ?? newChecker, seen, SWITCH_FAILURES);
      const healthy = checkers.filter((one) => one.healthy).length;
      if (endpointHealthy(check, { healthy, total: CHECKERS })) return second;
    }
  }
  return null;
}
const runs = (count: number, share: number, seconds: number) =>
  Array.from({ length: count }, () => endsAfterS(share, seconds));
const ended = (all: readonly (number | null)[]): number =>
  all.filter((one) => one !== null).length / all.length;
/** A share just inside of what the reserve gives to this flood. */
const shareOf = (requestsPerSecond: number): number => shareLetThrough({ reserved: 100, requestsPerSecond });

describe('a flood of the switch endpoint, by the rules of Route 53,', () => {
  it('that the reserve takes, or nearly, does not end a latch within an hour', () => {
    expect(latchIn({ reserved: 100, requestsPerSecond: heldFlood(100) })).toBe('holds');
    expect(heldFlood(100)).toBe(1_666);
    expect(runs(300, shareOf(heldFlood(100)), 3_600).every((one) => one === null)).toBe(true);
  });

  it('that is much larger than the reserve ends it within minutes, but not in an instant', () => {
    expect(latchIn({ reserved: 100, requestsPerSecond: 3_400 })).toBe('ends');
    const all = runs(300, shareOf(3_400), 300);
    expect(ended(all)).toBeGreaterThan(0.95);
    expect(Math.min(...all.map((one) => one ?? 300))).toBeGreaterThanOrEqual(30);
  });

  // The figures of docs/how-it-works.md, for a reserve of 100.
  it.each([
    [2_000, 3_600, 0.25, 0.6],
    [2_500, 300, 0.5, 0.75],
    [5_000, 120, 0.95, 1],
    [5_000, 60, 0.3, 0.55],
  ])('of %i a second ends it within %i s in a share of runs between %d and %d', (rate, seconds, from, to) => {
    const share = ended(runs(400, shareOf(rate), seconds));
    expect(share).toBeGreaterThanOrEqual(from);
    expect(share).toBeLessThanOrEqual(to);
  });

  it('takes the same share from everybody, and all of it when there is no flood', () => {
    expect(shareLetThrough({ reserved: 20, requestsPerSecond: 1_000 })).toBeCloseTo(0.2);
    expect(shareLetThrough({ reserved: 20, requestsPerSecond: 8 })).toBe(1);
    expect(shareLetThrough({ reserved: 20, requestsPerSecond: 0 })).toBe(1);
    expect(latchIn({ reserved: 20, requestsPerSecond: 1_000 })).toBe('ends');
    expect(latchIn({ reserved: 20, requestsPerSecond: 500 })).toBe('may end');
  });
});
