import { expect, it } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

it(
  'a drill of the 2024 outage holds, though an observer is killed; and when LocalStack dies, says so and leaves nothing running',
  async () => {
    const flags = ['--scenario', '2024-kinesis', '--for', '40s', '--kill-observer', 'eu-west-1', '--keep'];
    const { child, ended, says } = startDrill(...flags);
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
