import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { JavaPrograms } from '../../../lib/local/clients/java.ts';
import type { Sink } from '../../../test/producer/sink/sink.ts';
import { credentials } from '../contestants.ts';
import { ProcessTree } from './process-tree.ts';
import { type Mode, type OursTask, type Ran, type Run, workload } from './protocol.ts';

export type ContestantName = 'spillway' | 'kpl';

export interface Contestant {
  readonly tree: ProcessTree;
  run(run: Run): Promise<Ran>;
  close(): Promise<void>;
}

interface Setting {
  readonly mode: Mode;
  readonly sink: Sink;
  readonly programs: JavaPrograms;
}

/** Longer than any run, with all that is outstanding at its end. */
const ANSWER_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 30_000;

/**
 * The KPL as it does best here; what is not named is its default. Limits that would slow it down are out of its way: the rate of a
 * shard, and the time that a record may wait.
 */
export const kplSettings = {
  outstanding: 20_000,
  maxConnections: workload.connections,
  rateLimit: 1_000_000,
  recordTtlMs: 600_000,
  // Else it keeps a heap of all records that are outstanding, from which it removes each by a search.
  trackOldest: false,
} as const;

/** Its threads come from a pool where each request has few records for its work; aggregated, a thread for each request is faster. */
const kplThreads = { plain: { threadPool: 16 }, aggregated: {} } as const satisfies Record<Mode, object>;

export async function startContestant(name: ContestantName, setting: Setting): Promise<Contestant> {
  const child = name === 'kpl' ? await kpl(setting) : await ours(setting);
  return driven(child, name);
}

async function kpl({ mode, sink, programs }: Setting): Promise<ChildProcess> {
  const { hostname, port } = new URL(sink.url);
  const caFile = join(programs.tempDirectory, `bench-ca-${process.pid}.pem`);
  await writeFile(caFile, sink.ca ?? '');
  const settings = {
    ...workload,
    ...credentials,
    ...kplSettings,
    ...kplThreads[mode],
    host: hostname,
    port: Number(port),
    caFile,
    tempDirectory: programs.tempDirectory,
    aggregate: mode === 'aggregated',
    // Not a multiple of the number of keys, so that a key does not always have the same data.
    distinct: workload.keys + 7,
  };
  const args = ['-cp', programs.classPath, 'KplBench', JSON.stringify(settings)];
  return spawn('java', args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
}

/** In JavaScript, as applications run it: reading TypeScript takes Node 50 MB. */
async function ours({ mode, sink, programs }: Setting): Promise<ChildProcess> {
  const task: OursTask = { url: sink.url, ca: sink.ca ?? '', mode };
  const file = join(programs.tempDirectory, `bench-ours-${process.pid}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'ours.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Some packages ask for Node's own modules with `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return spawn(process.execPath, [file, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function driven(child: ChildProcess, name: string): Promise<Contestant> {
  const { stdin, stdout, stderr, pid } = child;
  if (stdin === null || stdout === null || stderr === null || pid === undefined)
    throw new Error(`${name} did not start.`);
  let complaints = '';
  stderr.on('data', (text: Buffer) => {
    complaints = `${complaints}${text}`.slice(-4_000);
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const answer = async (timeoutMs: number): Promise<unknown> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const { value, done } = await lines.next();
    clearTimeout(timer);
    if (done === true) throw new Error(`${name} ended, or gave no answer in ${timeoutMs} ms: ${complaints}`);
    return JSON.parse(value);
  };
  const tree = new ProcessTree(pid);
  await answer(START_TIMEOUT_MS);
  return {
    tree,
    run: async (run) => {
      stdin.write(`${JSON.stringify(run)}\n`);
      return (await answer(ANSWER_TIMEOUT_MS + run.runUpMs + run.windowMs)) as Ran;
    },
    close: async () => {
      tree.stop();
      const exit = once(child, 'exit');
      stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_TIMEOUT_MS);
      await exit;
      clearTimeout(timer);
    },
  };
}
