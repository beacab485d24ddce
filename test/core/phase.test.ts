import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { phaseDriftMs, phaseOf } from '../../lambda/core/phase.ts';

const policy = { tickMs: 5_000 };

describe('the phase of an observer', () => {
  it.each([
    [0, 0, 0],
    [400, 0, 0],
    [500, 0, 0],
    [501, 0, 500],
    [4_800, 0, 200],
    [1_667, 1 / 3, 0],
    [0, 1 / 3, 500],
  ])('a round at %i ms of the clock, with phase %d, comes %i ms later', (atMs, phase, driftMs) => {
    expect(phaseDriftMs({ atMs: 1_800_000_000_000 + atMs, phase }, policy)).toBeCloseTo(driftMs, -1);
  });

  it('is reached within a dozen rounds from anywhere, and kept', () => {
    const clock = fc.integer({ min: 0, max: 2_000_000_000_000 });
    const phases = fc.double({ min: 0, max: 0.999, noNaN: true });
    const tick = fc.integer({ min: 1_000, max: 30_000 });
    fc.assert(
      fc.property(clock, phases, tick, (startMs, phase, tickMs) => {
        let atMs = startMs;
        const drifts: number[] = [];
        for (let round = 0; round < 20; round++) {
          const driftMs = phaseDriftMs({ atMs, phase }, { tickMs });
          drifts.push(driftMs);
          atMs += driftMs + tickMs;
        }
        expect(Math.min(...drifts)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...drifts)).toBeLessThanOrEqual(tickMs / 10 + 1);
        expect(Math.max(...drifts.slice(12))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('differs between observers by as much as it can', () => {
    expect([0, 1, 2].map((index) => Math.round(phaseOf(index, 3) * policy.tickMs))).toEqual([
      0, 1_667, 3_333,
    ]);
  });
});
