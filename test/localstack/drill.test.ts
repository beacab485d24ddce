import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { AUDIT_FILE } from '../../lib/local/run-directory.ts';
import { parseCalls } from '../../lib/operate/audit.ts';
import { isWho } from '../../lib/operate/audit-rules.ts';
import { deployedFrom } from '../permissions/deployed.ts';
import { judgeRecord } from '../permissions/drill-record.ts';
import { evaluate, templatesIn } from '../permissions/evaluate.ts';
import { LOCAL_ACCOUNT as account, sealedConfig } from '../permissions/sealed-config.ts';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';

async function sealedConfigFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-drill-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'sealed.json');
  await writeFile(file, JSON.stringify(sealedConfig));
  return file;
}

describe('a drill', () => {
  it(
    'of the 2020 outage moves DNS and producers once, within a minute, loses nothing, and calls what the roles are for',
    async () => {
      const { status, last, said } = await startDrill('--config', await sealedConfigFile()).ended;
      expect(status, said).toBe(0);
      const result = JSON.parse(last);
      expect(result).toMatchObject({
        scenario: '2020-kinesis',
        verdict: 'failover',
        expected: 'failover',
        ok: true,
        flips: 1,
        records: { lost: 0 },
        consumers: { lost: 0, reordered: 0 },
      });
      expect(result.records.acknowledged).toBeGreaterThan(100);
      expect(result.detectMs).toBeGreaterThan(0);
      expect(result.flipMs).toBeGreaterThan(result.detectMs);
      expect(result.rtoMs).toBeLessThanOrEqual(60_000);
      expect(result.consumers.processed).toBe(result.records.acknowledged);
      expect(result.consumers.rtoMs).toBeGreaterThan(result.flipMs / 2);
      expect(result.consumers.rtoMs).toBeLessThanOrEqual(75_000);

      // Every call was one that the tables of rights foresee, and no right is one that nobody uses.
      const file = join(result.runDirectory, AUDIT_FILE);
      const config = await loadConfig({ directory: result.runDirectory });
      const calls = parseCalls(await readFile(file, 'utf8'), file);
      expect(judgeRecord(calls, config, account)).toEqual({ unforeseen: [], unseen: [] });
      // And the roles that were deployed allow each of them; the consumers' own role is the application's.
      const deployed = deployedFrom(templatesIn(join(result.runDirectory, 'cdk')), account);
      const ours = calls.filter((call) => !isWho(call, 'consumer'));
      const { denied, judged, keys } = await evaluate(ours, { config, account, deployed });
      expect(denied).toEqual([]);
      expect(judged).toBeGreaterThan(100);
      expect(keys).toBeGreaterThan(5);
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
