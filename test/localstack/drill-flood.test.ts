import { expect, it } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

it(
  'a flood of a thousand requests a second leaves what the switches hold in the standby',
  async () => {
    const { status, last, said } = await startDrill('--flood', '1000').ended;
    expect(status, said).toBe(0);
    const result = JSON.parse(last);
    expect(result).toMatchObject({
      ok: true,
      verdict: 'hold',
      flips: 0,
      rtoMs: null,
      flood: { ok: true, requestsPerSecond: 1_000, reserved: 100, expected: 'holds', answersChanged: 0 },
      records: { lost: 0, reordered: 0 },
      audit: { violations: 0 },
    });
    expect(result.flood.sent + result.flood.unsent).toBe(60_000);
    expect(said).toMatch(/failover by an operator: latched/);
  },
  DRILL_TIMEOUT_MS,
);
