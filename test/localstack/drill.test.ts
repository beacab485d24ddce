import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { AUDIT_FILE } from '../../lib/local/run-directory.ts';
import { parseCalls } from '../../lib/operate/audit.ts';
import ownConfig from '../../spillway.config.ts';
import { judgeRecord } from '../permissions/drill-record.ts';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

/** Of LocalStack. */
const ACCOUNT = '000000000000';

/** The config of this clone, with keys of its owner for the stream that exists: producers, probes and reads meet them. */
async function sealedConfig(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-drill-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const keyIn = (region: string): string =>
    `arn:aws:kms:${region}:${ACCOUNT}:key/00000000-0000-4000-8000-000000000001`;
  const kmsKeyArn = { primary: keyIn('us-east-1'), standby: keyIn('us-west-2') };
  const cells = ownConfig.cells.map((cell) =>
    cell.name === 'orders' ? { ...cell, stream: { name: 'orders', existing: true, kmsKeyArn } } : cell,
  );
  const file = join(directory, 'sealed.json');
  await writeFile(file, JSON.stringify({ ...ownConfig, cells }));
  return file;
}

describe('a drill', () => {
  it(
    'of the 2020 outage moves DNS and producers once, within a minute, loses nothing, and calls what the roles are for',
    async () => {
      const { status, last, said } = await startDrill('--config', await sealedConfig()).ended;
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

      // Every call was one that the tables of rights foresee, and no right is one that nobody uses.
      const file = join(result.runDirectory, AUDIT_FILE);
      const config = await loadConfig({ directory: result.runDirectory });
      const calls = parseCalls(await readFile(file, 'utf8'), file);
      expect(judgeRecord(calls, config, ACCOUNT)).toEqual({ unforeseen: [], unseen: [] });
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
