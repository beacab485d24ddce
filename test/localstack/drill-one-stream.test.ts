import { expect, it } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

it(
  'a drill of one dead stream moves that cell alone, and one of a dead canary moves nothing',
  async () => {
    const one = await startDrill('--scenario', 'one-stream').ended;
    expect(one.status, one.said).toBe(0);
    expect(JSON.parse(one.last)).toMatchObject({
      verdict: 'failover',
      ok: true,
      diagnosis: 'StreamImpaired',
      cells: { orders: 'us-west-2', clicks: 'us-east-1' },
      records: { lost: 0 },
      audit: { violations: 0 },
    });
    const canary = await startDrill('--scenario', 'canary-only', '--for', '90s').ended;
    expect(canary.status, canary.said).toBe(0);
    expect(JSON.parse(canary.last)).toMatchObject({ verdict: 'hold', ok: true, flips: 0 });
  },
  2 * DRILL_TIMEOUT_MS,
);
