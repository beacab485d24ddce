import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';

const DRILL_TIMEOUT_MS = 280_000;

interface Outcome {
  readonly status: number | null;
  readonly last: string;
  readonly said: string;
}

function start(...flags: string[]) {
  const child = spawn(process.execPath, ['bin/spillway.ts', 'drill', '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Promise<Outcome> = Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]).then(([out, said, status]) => ({ status, said, last: out.trimEnd().split('\n').at(-1) ?? '' }));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended };
}

describe('a drill', () => {
  it(
    'of the 2020 outage moves DNS and producers once, within a minute, and loses nothing',
    async () => {
      const { status, last, said } = await start().ended;
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

  it(
    'of the 2024 outage holds, though an observer is killed',
    async () => {
      const flags = ['--scenario', '2024-kinesis', '--for', '40s', '--kill-observer', 'eu-west-1'];
      const { status, last, said } = await start(...flags).ended;
      expect(status, said).toBe(0);
      expect(JSON.parse(last)).toMatchObject({ verdict: 'hold', ok: true, flips: 0, records: { lost: 0 } });
    },
    DRILL_TIMEOUT_MS,
  );

  it('ends with one message and status 2 for a scenario or a config that cannot be used', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-drill-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const config = join(directory, 'spillway.config.json');
    await writeFile(config, '{ "name": "Shop" }');

    expect(await start('--scenario', 'no-such').ended).toMatchObject({
      status: 2,
      said: expect.stringContaining('is not in the catalogue'),
    });
    expect(await start('--config', config).ended).toMatchObject({
      status: 2,
      said: expect.stringMatching(/name: .*\n.*zone/s),
    });
    expect(await start('--for', 'soon').ended).toMatchObject({ status: 2 });
  });
});
