import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestGate } from '../../../lib/local/proxy/request-gate.ts';

function gate(perSecond: number) {
  const state = { nowMs: 0 };
  const made = new RequestGate(() => state.nowMs);
  made.limit('switch', perSecond);
  return { made, state };
}

describe('what Lambda lets through for a reserved concurrency', () => {
  it('is the limit for each second, evenly, however many ask', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 2_000 }), fc.integer({ min: 1, max: 4 }), (perSecond, times) => {
        const { made, state } = gate(perSecond);
        const seconds = 10;
        const asked = perSecond * times;
        let admitted = 0;
        for (let n = 0; n < asked * seconds; n++) {
          state.nowMs = (n * 1_000) / asked;
          if (made.admits('switch')) admitted++;
        }
        expect(admitted / (perSecond * seconds)).toBeGreaterThan(0.98);
        expect(admitted / (perSecond * seconds)).toBeLessThan(1.02);
      }),
      { numRuns: 25 },
    );
  });

  it('does not grow in quiet times beyond a tenth of a second', () => {
    const { made, state } = gate(200);
    state.nowMs = 60_000;
    expect(Array.from({ length: 100 }, () => made.admits('switch')).filter(Boolean)).toHaveLength(20);
  });

  it('is everything for another host, and for this one once it has no limit', () => {
    const { made } = gate(10);
    expect(Array.from({ length: 50 }, () => made.admits('vote')).every(Boolean)).toBe(true);
    made.limit('switch', undefined);
    expect(Array.from({ length: 50 }, () => made.admits('switch')).every(Boolean)).toBe(true);
  });
});
