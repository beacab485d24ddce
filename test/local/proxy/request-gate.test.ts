import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { RequestGate } from '../../../lib/local/proxy/request-gate.ts';

function world(perSecond: number) {
  const generator = xoroshiro128plus(7);
  const state = { nowMs: 0 };
  const gate = new RequestGate({ nowMs: () => state.nowMs, random: () => uniformFloat64(generator) });
  gate.limit('switch', perSecond);
  return { gate, state };
}

describe('what Lambda lets through for a reserved concurrency', () => {
  it.each([
    [200, 1_000],
    [1_000, 1_000],
    [1_000, 5_000],
  ])(
    'is %i a second of %i that ask in batches, and the same share for somebody who asks between them',
    (limit, rate) => {
      const { gate, state } = world(limit);
      const [seconds, batchMs] = [60, 10];
      const counted = { flood: 0, letThrough: 0, others: 0, othersThrough: 0 };
      for (let tick = 0; tick < (seconds * 1_000) / batchMs; tick++) {
        state.nowMs = tick * batchMs;
        for (let n = 0; n < (rate * batchMs) / 1_000; n++) {
          counted.flood++;
          if (gate.admits('switch')) counted.letThrough++;
        }
        state.nowMs += (tick * 7) % batchMs;
        if (tick % 5 !== 0) continue;
        counted.others++;
        if (gate.admits('switch')) counted.othersThrough++;
      }
      const share = Math.min(1, limit / (rate + 20));
      expect(Math.abs(counted.letThrough / counted.flood - share)).toBeLessThan(0.05);
      expect(Math.abs(counted.othersThrough / counted.others - share)).toBeLessThan(0.08);
    },
  );

  it('is everything as long as no more ask', () => {
    const { gate, state } = world(200);
    const admitted = Array.from({ length: 1_000 }, (_, n) => {
      state.nowMs = n * 6;
      return gate.admits('switch');
    });
    expect(admitted.every(Boolean)).toBe(true);
  });

  it('is everything for another host, and for this one once it has no limit', () => {
    const { gate } = world(10);
    expect(Array.from({ length: 50 }, () => gate.admits('vote')).every(Boolean)).toBe(true);
    gate.limit('switch', undefined);
    expect(Array.from({ length: 50 }, () => gate.admits('switch')).every(Boolean)).toBe(true);
  });
});
