import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_LATE_SHARE, Pace, type PaceMinute, paceText } from '../../../lib/local/drill/pace.ts';
import type { UpstreamCall } from '../../../lib/local/proxy/fault-proxy.ts';

let nowMs: number;
let minutes: PaceMinute[];
let pace: Pace;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  nowMs = 0;
  minutes = [];
  pace = new Pace({
    lateMs: 1_000,
    now: () => nowMs,
    onMinute: (minute) => minutes.push(minute),
    processes: () => [{ name: 'LocalStack', cpuPercent: 40, rssMb: 900 }],
  });
});

afterEach(() => {
  pace.close();
  vi.useRealTimers();
});

const call = (ms: number, more: Partial<UpstreamCall> = {}): UpstreamCall => ({
  service: 'kinesis',
  operation: 'PutRecord',
  end: 'answered',
  ms,
  ...more,
});

/** A hundred calls spread over each of so many windows of ten seconds. */
function windows(count: number, latePerWindow: number): void {
  for (let window = 0; window < count; window++) {
    for (let n = 0; n < 100; n++) pace.saw(call(n < latePerWindow ? 1_500 : 50));
    nowMs += 10_000;
  }
}

describe('the pace of a world', () => {
  it('tells the middle and the tail of puts and reads, minute by minute', () => {
    for (let ms = 1; ms <= 101; ms++) pace.saw(call(ms));
    pace.saw(call(7, { operation: 'GetRecords' }));
    vi.advanceTimersByTime(60_000);
    pace.saw(call(1_200, { operation: 'PutRecords' }));
    vi.advanceTimersByTime(60_000);
    expect(minutes).toMatchObject([
      { minute: 1, puts: { p50Ms: 51, p95Ms: 96 }, reads: { p50Ms: 7, p95Ms: 7 }, calls: 102, late: 0 },
      { minute: 2, puts: { p50Ms: 1_200 }, reads: { p50Ms: null }, calls: 1, late: 1 },
    ]);
    expect(minutes.map(paceText)).toEqual([
      'puts 51/96 ms, reads 7/7 ms (p50/p95), 0 of 102 calls late; LocalStack 40 % 900 MB',
      'puts 1200/1200 ms, reads none (p50/p95), 1 of 1 calls late; LocalStack 40 % 900 MB',
    ]);
  });

  it('takes what nobody waited for as late, and an invocation for as long as its function took', () => {
    pace.saw(call(10, { end: 'abandoned' }));
    pace.saw(call(10, { end: 'failed' }));
    pace.saw(call(5_000, { service: 'lambda', operation: 'InvokeFunctionUrl' }));
    vi.advanceTimersByTime(60_000);
    expect(minutes).toMatchObject([{ calls: 2, late: 2 }]);
  });

  it('finds the worst half minute since a moment', () => {
    windows(3, 5);
    const calmMs = nowMs;
    windows(6, 0);
    expect(pace.worstLateShare(0)).toBeCloseTo(0.05);
    expect(pace.worstLateShare(calmMs)).toBe(0);
  });

  it('makes nothing of a hiccup, of a few calls, or of a world that has only begun', () => {
    windows(2, 50);
    expect(pace.worstLateShare(0)).toBe(0);
    const laterMs = nowMs;
    windows(1, 2);
    windows(5, 0);
    expect(pace.worstLateShare(laterMs)).toBeLessThan(MAX_LATE_SHARE);
    const quietMs = nowMs;
    for (let n = 0; n < 4; n++) {
      pace.saw(call(9_000));
      nowMs += 10_000;
    }
    expect(pace.worstLateShare(quietMs)).toBe(0);
  });
});
