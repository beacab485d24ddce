import { describe, expect, it } from 'vitest';
import { disorders, fitnessOf, shortfalls, takes } from '../../lambda/core/fitness.ts';

const up = { kinesisWrite: 'up', kinesisRead: 'up', reachability: 'up' } as const;
const peak = { bytesPerSecond: 5_000_000, recordsPerSecond: 900 };
const cell = { cell: 'orders', surveyedAtMs: 1, peak };

describe('what a stream takes', () => {
  it('is 1 MB/s and 1,000 records/s a shard', () => {
    expect(takes({ mode: 'provisioned', shards: 4 })).toEqual({
      bytesPerSecond: 4_000_000,
      recordsPerSecond: 4_000,
    });
  });

  it('on demand is twice what it has taken, and no less than 4 MB/s', () => {
    const quiet = { mode: 'on-demand', peak: { bytesPerSecond: 1, recordsPerSecond: 1 } } as const;
    expect(takes(quiet)).toEqual({ bytesPerSecond: 4_000_000, recordsPerSecond: 4_000 });
    expect(takes({ mode: 'on-demand', peak })).toEqual({
      bytesPerSecond: 10_000_000,
      recordsPerSecond: 4_000,
    });
  });

  it('on demand is what it was warmed for, if that is more', () => {
    const warm = (warmMibPerSecond: number) => takes({ mode: 'on-demand', peak, warmMibPerSecond });
    expect(warm(100)).toEqual({ bytesPerSecond: 104_857_600, recordsPerSecond: 100_000 });
    expect(warm(5)).toEqual({ bytesPerSecond: 10_000_000, recordsPerSecond: 5_000 });
  });

  it('falls short of the peak by bytes, or by records', () => {
    const of = (shards: number, load = peak) =>
      shortfalls([{ ...cell, peak: load, standby: { mode: 'provisioned', shards } }], 'standby');
    expect(of(4)).toEqual([
      'orders: peak 5.0 MB/s and 900 records/s, the standby stream takes 4.0 MB/s and 4000 records/s (4 shards)',
    ]);
    expect(of(5)).toEqual([]);
    expect(of(5, { bytesPerSecond: 1, recordsPerSecond: 5_001 })).toHaveLength(1);
    expect(shortfalls([cell], 'standby')).toEqual([]);
  });
});

describe('the standby', () => {
  it('is unfit only when its canary is known to fail', () => {
    expect(fitnessOf(up, [])).toEqual({ fit: true, findings: [] });
    for (const signal of ['kinesisWrite', 'kinesisRead', 'reachability'] as const) {
      expect(fitnessOf({ ...up, [signal]: 'down' }, []).fit).toBe(false);
      expect(fitnessOf({ ...up, [signal]: 'unknown' }, [])).toMatchObject({
        fit: true,
        findings: [expect.any(String)],
      });
    }
  });

  it('that keeps no key together, as the primary does, is said to, and is fit', () => {
    const byKey = { mode: 'on-demand', peak } as const;
    const managed = { ...byKey, serviceManaged: true } as const;
    const found = fitnessOf(up, [{ ...cell, primary: byKey, standby: managed }]);
    expect(found).toEqual({ fit: true, findings: [expect.stringMatching(/^orders: .*ends the order/)] });
    const others = [
      { ...cell, primary: managed, standby: managed },
      { ...cell, primary: managed, standby: byKey },
      { ...cell, standby: managed },
    ];
    expect(disorders(others)).toEqual([]);
  });

  it('that is too small is said to be, and is still better than an impaired primary', () => {
    const small = { ...cell, standby: { mode: 'provisioned', shards: 1 } } as const;
    expect(fitnessOf(up, [small])).toMatchObject({
      fit: true,
      findings: [expect.stringContaining('1 shards')],
    });
  });
});
