import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addLatencies, type LatencyEvidence, LEARNT_SAMPLES } from '../../lambda/core/latency.ts';
import { evidenceModels } from '../../lambda/core/observation.ts';
import { policy } from './levels.ts';

const context = { model: evidenceModels(policy).kinesisLatency, limits: policy };

/** Feeds rounds of three puts with the given latencies. */
function feed(latencies: readonly number[], before?: LatencyEvidence, startMs = 0) {
  let evidence = before;
  let atMs = startMs;
  for (let n = 0; n < latencies.length; n += 3) {
    atMs += policy.tickMs;
    evidence = addLatencies(evidence, { latenciesMs: latencies.slice(n, n + 3), atMs }, context);
  }
  return { evidence, atMs };
}
const times = (n: number, of: (n: number) => number) => Array.from({ length: n }, (_, index) => of(index));
/** Healthy answers of some region: mostly around the given time, now and then three times as long. */
const healthy = (n: number, aroundMs: number) =>
  times(n, (i) => (i % 50 === 49 ? 3 * aroundMs : aroundMs * (0.8 + 0.4 * ((i * 7) % 10) * 0.1)));

describe('latency', () => {
  it('learns what is usual, near or far, and finds nothing slow in it', () => {
    for (const usualMs of [5, 40, 250]) {
      const { evidence } = feed(healthy(3_000, usualMs));
      expect(evidence?.slow.alarmed).toBe(false);
      expect(evidence?.quantileMs).toBeGreaterThan(usualMs);
      expect(evidence?.quantileMs).toBeLessThan(4 * usualMs);
    }
  });

  it('is down when most answers take far longer than usual, in a few rounds', () => {
    const usual = feed(healthy(600, 40));
    const slow = feed(
      times(30, () => 1_200),
      usual.evidence,
      usual.atMs,
    );
    expect(slow.evidence?.slow.alarmed).toBe(true);
  });

  it('does not learn slowness as the new normal while it lasts, and clears when it is over', () => {
    const usual = feed(healthy(600, 40));
    const slow = feed(
      times(3_000, () => 1_200),
      usual.evidence,
      usual.atMs,
    );
    expect(slow.evidence?.slow.alarmed).toBe(true);
    const over = feed(healthy(600, 40), slow.evidence, slow.atMs);
    expect(over.evidence?.slow.alarmed).toBe(false);
  });

  it('never calls an answer slow below the floor, however fast the region usually is', () => {
    const usual = feed(healthy(600, 2));
    const { evidence } = feed(
      times(300, () => policy.slowFloorMs - 1),
      usual.evidence,
      usual.atMs,
    );
    expect(evidence?.slow.alarmed).toBe(false);
  });

  it('accuses nobody before it has learnt', () => {
    const { evidence } = feed([5, 5, 5, ...times(LEARNT_SAMPLES - 3, () => 1_900)]);
    expect(evidence?.slow.score).toBe(0);
  });

  it('keeps a usable quantile whatever the latencies are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 300 }), (latencies) => {
        const { evidence } = feed(latencies);
        if (evidence !== undefined) expect(evidence.quantileMs).toBeGreaterThan(0);
        expect(Number.isFinite(evidence?.quantileMs ?? 1)).toBe(true);
      }),
    );
  });
});
