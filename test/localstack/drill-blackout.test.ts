import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

it(
  'a drill succeeds with all of the primary black-holed and control planes answering 503, and no call needs either',
  async () => {
    const { status, last, said } = await startDrill('--blackout', 'us-east-1').ended;
    expect(status, said).toBe(0);
    const result = JSON.parse(last);
    expect(result).toMatchObject({
      verdict: 'failover',
      ok: true,
      diagnosis: 'RegionUnreachable',
      flips: 1,
      records: { lost: 0, reordered: 0, spooled: 0 },
      audit: { violations: 0 },
    });
    expect(result.rtoMs).toBeLessThanOrEqual(60_000);
    expect(result.latchedMs).toBeGreaterThan(result.flipMs);
    expect(said).toMatch(/failover by an operator: (?:already-)?latched/);

    const { stdout } = await promisify(execFile)(process.execPath, ['bin/spillway.ts', 'audit', '--json']);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ ok: true, violations: 0, calls: result.audit.calls });
    expect(report.allowed.probe).toBeGreaterThan(0);
    expect(report.allowed['application-data']).toBeGreaterThan(0);
  },
  DRILL_TIMEOUT_MS,
);
