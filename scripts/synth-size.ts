/**
 * `npm run synth:size -- --cells 1000`: runs `cdk synth` on a generated config, and prints the time, the
 * memory and the size of the stacks. Ends with status 1 when these exceed what CloudFormation takes, or what
 * is promised.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const LIMITS = { seconds: 120, memoryMib: 4_096, resources: 500, bytes: 1_000_000 } as const;
const SAMPLE_MS = 250;
const TIMEOUT_MS = 300_000;
const MIB = 2 ** 20;
const PAGE_BYTES = 4_096;

const { values } = parseArgs({ options: { cells: { type: 'string', default: '1000' } } });
const count = Number(values.cells);
const directory = await mkdtemp(join(tmpdir(), 'spillway-synth-size-'));
try {
  const config = join(directory, 'spillway.config.json');
  await writeFile(config, JSON.stringify(generated(count)));
  const { seconds, memoryMib } = await synth(config, join(directory, 'out'));
  const stacks = await stacksOf(join(directory, 'out'));
  const figures = {
    cells: count,
    seconds: Math.round(seconds * 10) / 10,
    memoryMib,
    stacks: stacks.length,
    resources: Math.max(...stacks.map(({ resources }) => resources)),
    bytes: Math.max(...stacks.map(({ bytes }) => bytes)),
  };
  console.log(JSON.stringify(figures));
  for (const [what, limit] of Object.entries(LIMITS)) {
    const value = figures[what as keyof typeof LIMITS];
    if (value <= limit) continue;
    console.error(`${what}: ${value} is more than ${limit}`);
    process.exitCode = 1;
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

function generated(cells: number): object {
  return {
    name: 'size',
    zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
    healthCheckQuota: Math.max(200, cells + 100),
    cells: Array.from({ length: cells }, (_, n) => ({ name: `cell-${n}`, stream: `stream-${n}` })),
  };
}

async function synth(config: string, out: string): Promise<{ seconds: number; memoryMib: number }> {
  const startedMs = performance.now();
  const child = spawn('npx', ['cdk', 'synth', '--quiet', '--output', out, '--context', `config=${config}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    timeout: TIMEOUT_MS,
  });
  let most = 0;
  const sampling = setInterval(async () => {
    most = Math.max(most, await memoryOfGroup(child.pid ?? 0));
  }, SAMPLE_MS);
  const [status] = await once(child, 'exit');
  clearInterval(sampling);
  if (status !== 0) throw new Error(`cdk synth ended with status ${status}.`);
  return { seconds: (performance.now() - startedMs) / 1_000, memoryMib: Math.round(most / MIB) };
}

/** Resident memory of every process of the group, in bytes; 0 where there is no /proc. */
async function memoryOfGroup(group: number): Promise<number> {
  const ids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(
    ids.map(async (id) => {
      const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
      // After the command's name, which may hold anything, come the state, the parent and the group.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[2]) === group ? Number(fields[21]) * PAGE_BYTES : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function stacksOf(out: string): Promise<readonly { resources: number; bytes: number }[]> {
  const files = (await readdir(out)).filter((name) => name.endsWith('.template.json'));
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(out, file), 'utf8');
      return {
        resources: Object.keys(JSON.parse(text).Resources ?? {}).length,
        bytes: Buffer.byteLength(text),
      };
    }),
  );
}
