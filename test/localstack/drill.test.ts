import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

describe('a drill', () => {
  it(
    'of the 2020 outage moves DNS and producers once, within a minute, and loses nothing',
    async () => {
      const { status, last, said } = await startDrill().ended;
      expect(status, said).toBe(0);
      const result = JSON.parse(last);
      expect(result).toMatchObject({
        scenario: '2020-kinesis',
        verdict: 'failover',
        expected: 'failover',
        ok: true,
        flips: 1,
        records: { lost: 0 },
      });
      expect(result.records.acknowledged).toBeGreaterThan(100);
      expect(result.detectMs).toBeGreaterThan(0);
      expect(result.flipMs).toBeGreaterThan(result.detectMs);
      expect(result.rtoMs).toBeLessThanOrEqual(60_000);
    },
    DRILL_TIMEOUT_MS,
  );

  it('ends with one message and status 2 for a scenario or a config that cannot be used', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-drill-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const config = join(directory, 'spillway.config.json');
    await writeFile(config, '{ "name": "Shop" }');

    expect(await startDrill('--scenario', 'no-such').ended).toMatchObject({
      status: 2,
      last: expect.stringContaining('is not in the catalogue'),
    });
    expect(await startDrill('--config', config).ended).toMatchObject({
      status: 2,
      last: expect.stringMatching(/name: .*zone/),
    });
    expect(await startDrill('--for', 'soon').ended).toMatchObject({ status: 2 });
  });
});
