import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

type Spillway = ChildProcessByStdio<null, Readable, Readable>;

function spillwayLocal(...flags: string[]): Spillway {
  return spawn(process.execPath, ['bin/spillway.ts', 'local', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcome(child: Spillway): Promise<{ status: number; said: string }> {
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { status, said };
}

describe('spillway local', () => {
  it('serves until SIGTERM, then ends with status 0 and leaves nothing running', async () => {
    const child = spillwayLocal('--json');
    try {
      const ended = outcome(child);
      const early = ended.then(({ said }) => Promise.reject(new Error(said)));
      const [line] = await Promise.race([once(child.stdout, 'data'), early]);
      const facts = JSON.parse(String(line));
      expect(facts).toMatchObject({ url: `http://127.0.0.1:${facts.port}`, external: false, pid: child.pid });
      expect((await fetch(`${facts.url}/_localstack/health`)).ok).toBe(true);
      const started = await descendantsOf(child.pid ?? 0);
      expect(started.length).toBeGreaterThan(0);
      child.kill('SIGTERM');
      expect(await ended).toMatchObject({ status: 0 });
      expect(await survivorsOf(started, 5_000)).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says which port is in use and ends with status 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { status, said } = await outcome(spillwayLocal('--port', String(port)));
    expect(status).toBe(1);
    expect(said).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use`));
    taken.close();
  });

  it('refuses what is not a port with status 2', async () => {
    const { status, said } = await outcome(spillwayLocal('--port', '70000'));
    expect(status).toBe(2);
    expect(said).toMatch(/A port is a whole number from 1 to 65535/);
  });
});
