import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runInGroup } from '../../lib/local/process-group.ts';
import { survivorsOf } from '../localstack/fixtures/processes.ts';

/** A command that starts another, tells its process id, and goes on as told. */
const parentAnd = (then: string) => ({
  command: 'sh',
  args: ['-c', `sleep 60 & echo $!; ${then}`],
  env: process.env,
});

function pidIn(line: string) {
  return [{ pid: Number(line), parent: 0, command: 'sleep 60' }];
}

describe('a command in a group of its own', () => {
  it('ends with its status and what it said, on an empty standard input', async () => {
    const run = { command: 'sh', args: ['-c', 'cat; echo out; echo err >&2; exit 7'], env: process.env };
    expect(await runInGroup(run)).toEqual({ status: 7, output: 'out\nerr' });
  });

  it('takes along what it started, when it ends', async () => {
    const { status, output } = await runInGroup(parentAnd('exit 0'));
    expect(status).toBe(0);
    expect(await survivorsOf(pidIn(output), 2_000)).toEqual([]);
  });

  it('takes along what it started, when it is aborted', async () => {
    const controller = new AbortController();
    const started = Promise.withResolvers<string>();
    const run = { ...parentAnd('wait'), signal: controller.signal, onLine: started.resolve };
    const ended = expect(runInGroup(run)).rejects.toThrow('asked to stop');
    const sleeping = pidIn(await started.promise);
    controller.abort(new Error('asked to stop'));
    await ended;
    expect(await survivorsOf(sleeping, 2_000)).toEqual([]);
  });

  it('takes along what it started, when the process that runs it is killed', async () => {
    const module = fileURLToPath(new URL('../../lib/local/process-group.ts', import.meta.url));
    const run = JSON.stringify(parentAnd('wait'));
    const script = `const { runInGroup } = await import('${module}'); runInGroup({ ...${run}, onLine: console.log })`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    expect(await survivorsOf(pidIn(String(line)), 2_000)).toEqual([]);
  });

  it('says why it cannot be started', async () => {
    const { status, output } = await runInGroup({ command: '/no/such', args: [], env: {} });
    expect(status).toBe(127);
    expect(output).toMatch(/\/no\/such/);
  });
});
