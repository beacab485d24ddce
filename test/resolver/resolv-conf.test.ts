import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { east, startFakeResolver, west } from './fake-resolver.ts';

const fixture = fileURLToPath(new URL('./fixtures/follow.ts', import.meta.url));
/** A process of its own sees another file in the place of /etc/resolv.conf. */
const WITH_FILE = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
/** Needs root on Linux. Elsewhere the tests of RenewingResolver say the same with servers that are given to it. */
const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', WITH_FILE, '/dev/null', 'true']).status === 0;

it.runIf(mayMount)(
  'follows /etc/resolv.conf to another resolver, and through a moment without any',
  async () => {
    const [before, after] = [
      await startFakeResolver({ text: east }),
      await startFakeResolver({ text: west }),
    ];
    const directory = mkdtempSync(join(tmpdir(), 'spillway-resolv-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'resolv.conf');
    const name = ({ address }: { readonly address: string }) =>
      // A search list and the machine's own time-outs change nothing.
      writeFileSync(
        file,
        `search corp.internal\noptions ndots:5 timeout:30 attempts:5\nnameserver ${address}\n`,
      );
    name(before);
    const child = spawn('unshare', ['-m', 'sh', '-c', WITH_FILE, file, process.execPath, fixture], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      child.kill();
      await once(child, 'exit');
    });
    const regions: string[] = [];
    createInterface({ input: child.stdout }).on('line', (region) => regions.push(region));
    await expect.poll(() => regions, { timeout: 15_000 }).toEqual(['us-east-1']);

    before.silent = true;
    name(after);
    await expect.poll(() => regions, { timeout: 15_000 }).toEqual(['us-east-1', 'us-west-2']);

    writeFileSync(file, '');
    const { asked } = after;
    before.silent = false;
    name(before);
    await expect.poll(() => regions, { timeout: 15_000 }).toEqual(['us-east-1', 'us-west-2', 'us-east-1']);
    expect(asked).toBeGreaterThan(0);
  },
);
