import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { east, startFakeResolver, west } from './fake-resolver.ts';

const fixture = fileURLToPath(new URL('./fixtures/follow.ts', import.meta.url));
const EAST = 'us-east-1';
const WEST = 'us-west-2';
/** A process of its own sees another file in the place of /etc/resolv.conf. */
const WITH_FILE = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
/** Needs root on Linux. Elsewhere the tests of RenewingResolver say the same of servers that are given to it. */
const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', WITH_FILE, '/dev/null', 'true']).status === 0;
/** A process has to start, and a busy machine may take its time. */
const PATIENCE = { timeout: 40_000 };
const TEST_TIMEOUT_MS = 90_000;

/** A follower in a process of its own, which sees a file of its own. */
function startFollower(servers: readonly string[], ...args: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'spillway-resolv-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'resolv.conf');
  const write = (text: string) => writeFileSync(file, text);
  // A search list and the machine's own time-outs change nothing.
  const name = (...addresses: readonly string[]) =>
    write(
      ['search corp.internal', 'options ndots:5 timeout:30 attempts:5']
        .concat(addresses.map((address) => `nameserver ${address}`))
        .join('\n'),
    );
  name(...servers);
  const command = ['-m', 'sh', '-c', WITH_FILE, file, process.execPath, fixture, ...args];
  const child = spawn('unshare', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const said: string[] = [];
  const problems: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) =>
    (line.startsWith('problem: ') ? problems : said).push(line),
  );
  return { said, problems, write, name, child };
}

describe.runIf(mayMount)('the system’s resolvers', { timeout: TEST_TIMEOUT_MS }, () => {
  it('are followed to another one, and through a moment without any', async () => {
    const [before, after] = [
      await startFakeResolver({ text: east }),
      await startFakeResolver({ text: west }),
    ];
    const { said, problems, write, name } = startFollower([before.address]);
    await expect.poll(() => said, PATIENCE).toEqual([EAST]);
    before.silent = true;
    name(after.address);
    await expect.poll(() => said, PATIENCE).toEqual([EAST, WEST]);

    const known = problems.length;
    write('');
    await expect.poll(() => problems.length, PATIENCE).toBeGreaterThan(known);
    before.silent = false;
    name(before.address);
    await expect.poll(() => said, PATIENCE).toEqual([EAST, WEST, EAST]);
  });

  it('are followed even if node’s default resolver, which was used, now asks them in another order', async () => {
    const [silent, before, after] = [
      await startFakeResolver({ silent: true }),
      await startFakeResolver({ text: east }),
      await startFakeResolver({ text: west }),
    ];
    const { said, name } = startFollower([silent.address, before.address], 'ask-first');
    await expect.poll(() => said, PATIENCE).toEqual(['2', EAST]);
    name(after.address);
    await expect.poll(() => said, PATIENCE).toEqual(['2', EAST, WEST]);
  });

  it('are followed by a process that was suspended meanwhile', async () => {
    const [before, after] = [
      await startFakeResolver({ text: east }),
      await startFakeResolver({ text: west }),
    ];
    const { said, name, child } = startFollower([before.address]);
    await expect.poll(() => said, PATIENCE).toEqual([EAST]);
    child.kill('SIGSTOP');
    before.silent = true;
    name(after.address);
    child.kill('SIGCONT');
    await expect.poll(() => said, PATIENCE).toEqual([EAST, WEST]);
  });
});
