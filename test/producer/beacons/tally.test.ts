import { describe, expect, it } from 'vitest';
import { tallyOf } from '../../../lambda/core/beacon-item.ts';
import { Tally } from '../../../lib/producer/beacons/tally.ts';
import { RecordFailure } from '../../../lib/producer/errors.ts';

const at = (tally: Tally, nowMs: number) => {
  const counts = tally.window(nowMs);
  return counts === undefined ? undefined : tallyOf(counts);
};

describe('the counts of late', () => {
  it('are those of the last two slots, where they hold enough', () => {
    const tally = new Tally();
    tally.answered(5_000, { nowMs: 1_000, tookMs: 10 });
    tally.failed(500, { nowMs: 12_000, as: 'timeout' });
    expect(at(tally, 13_000)).toMatchObject({ ok: 0, failed: { timeout: 500 } });
  });

  it('reach back until there are twenty attempts, to a minute ago at most', () => {
    const tally = new Tally();
    for (let n = 0; n < 12; n++) tally.answered(2, { nowMs: n * 5_000, tookMs: 10 });
    expect(at(tally, 59_000)?.ok).toBe(20);
    expect(at(tally, 59_000 + 45_000)?.ok).toBe(6);
    expect(at(tally, 200_000)).toBeUndefined();
  });

  it('reach further back for what is the process’s own fault, which is no attempt', () => {
    const tally = new Tally();
    tally.answered(30, { nowMs: 1_000, tookMs: 10 });
    tally.failed(500, { nowMs: 12_000, as: 'throttled' });
    expect(at(tally, 13_000)).toMatchObject({ ok: 30, failed: { throttled: 500 } });
  });

  it('hold each refused record by its class, and say whether the region is at fault', () => {
    const tally = new Tally();
    const throttled = new RecordFailure('ProvisionedThroughputExceededException', 'slow down');
    const internal = new RecordFailure('InternalFailure', 'sorry');
    expect(tally.refused([throttled, throttled], 1_000)).toBe(false);
    expect(tally.refused([throttled, internal, throttled], 1_000)).toBe(true);
    expect(at(tally, 1_000)?.failed).toMatchObject({ throttled: 4, server: 1 });
  });

  it('hold the requests by how long they took', () => {
    const tally = new Tally();
    for (const tookMs of [1, 25, 26, 99, 300, 2_500, 9_000]) tally.answered(1, { nowMs: 0, tookMs });
    expect(at(tally, 0)?.latency).toEqual([2, 1, 1, 0, 1, 0, 1, 1]);
  });
});
