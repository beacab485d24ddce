import { expect, it } from 'vitest';
import { DRILL_TIMEOUT_MS, startDrill } from './fixtures/drill.ts';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

it(
  'a drill that is interrupted while it deploys ends soon, with status 130 and nothing left running',
  async () => {
    const { child, ended, says } = startDrill();
    await says(/Deploying \d+ stacks/);
    const drilling = () => descendantsOf(child.pid ?? 0);
    const isDeploying = ({ command }: { readonly command: string }) => / deploy --all /.test(command);
    await expect.poll(async () => (await drilling()).some(isDeploying), { timeout: 30_000 }).toBe(true);
    const running = await drilling();
    expect(running.some(({ command }) => command.includes('spillway_localstack'))).toBe(true);
    child.kill('SIGINT');
    const interruptedMs = performance.now();
    expect((await ended).status).toBe(130);
    expect(performance.now() - interruptedMs).toBeLessThan(10_000);
    expect(await survivorsOf(running, 5_000)).toEqual([]);
  },
  DRILL_TIMEOUT_MS,
);
