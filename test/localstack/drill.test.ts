import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

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
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, said] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  const ended = once(child, 'close').then(
    ([status]): Outcome => ({ status, said, last: out.trimEnd().split('\n').at(-1) ?? '' }),
  );
  /** Waits until the drill has said this, for as long as it goes on. */
  const says = (pattern: RegExp): Promise<void> =>
    Promise.race([
      expect.poll(() => out + said, { timeout: DRILL_TIMEOUT_MS }).toMatch(pattern),
      ended.then(() => {
        if (!pattern.test(out + said)) throw new Error(`The drill ended too early:\n${said}`);
      }),
    ]);
  return { child, ended, says };
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
    'of the 2024 outage holds, though an observer is killed; and when LocalStack dies, says so and leaves nothing running',
    async () => {
      const flags = ['--scenario', '2024-kinesis', '--for', '40s', '--kill-observer', 'eu-west-1', '--keep'];
      const { child, ended, says } = start(...flags);
      await says(/kept: LocalStack at/);
      const running = await descendantsOf(child.pid ?? 0);
      const leader = running.find(({ command }) => command.includes('-m spillway_localstack'));
      process.kill(leader?.pid ?? Number.NaN, 'SIGKILL');
      const { status, last, said } = await ended;
      expect(JSON.parse(last)).toMatchObject({ verdict: 'hold', ok: true, flips: 0, records: { lost: 0 } });
      expect(status).toBe(1);
      expect(said).toMatch(/error.* LocalStack died during the drill: LocalStack ended by SIGKILL/);
      expect(await survivorsOf(running, 5_000)).toEqual([]);
    },
    DRILL_TIMEOUT_MS,
  );

  it(
    'that is interrupted while it deploys ends soon, with status 130 and nothing left running',
    async () => {
      const { child, ended, says } = start();
      // The first of six, so the CDK is at work on the others.
      await says(/Deployed \S+/);
      const running = await descendantsOf(child.pid ?? 0);
      expect(running.length).toBeGreaterThan(0);
      child.kill('SIGINT');
      const interruptedMs = performance.now();
      expect((await ended).status).toBe(130);
      expect(performance.now() - interruptedMs).toBeLessThan(10_000);
      expect(await survivorsOf(running, 5_000)).toEqual([]);
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
