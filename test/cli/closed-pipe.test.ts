import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { root } from './fixtures/command.ts';

const TIMEOUT_MS = 120_000;
/** Nobody listens there: a question ends at once. */
const NOWHERE = 'http://127.0.0.1:9';
const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

interface Ended {
  readonly status: number | null;
  /** Empty when that end was closed. */
  readonly out: string;
  readonly said: string;
}

interface Closing {
  readonly close: readonly ('stdout' | 'stderr')[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A real process whose reader has gone before it writes its first word: a Node takes longer to start than this to close. */
async function unread([file = '', ...args]: readonly string[], { close, env }: Closing): Promise<Ended> {
  const child: ChildProcess = spawn(file, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...credentials, AWS_ENDPOINT_URL: NOWHERE, NO_COLOR: '1', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for (const name of close) child[name]?.destroy();
  const read = (name: 'stdout' | 'stderr'): Promise<string> =>
    close.includes(name) || child[name] === null ? Promise.resolve('') : text(child[name]);
  const [out, said, [status]] = await Promise.all([read('stdout'), read('stderr'), once(child, 'exit')]);
  return { status, out, said };
}

const spillway = (line: string): readonly string[] => [
  process.execPath,
  'bin/spillway.ts',
  ...line.split(' '),
];

/** Every verb's help, one after the other in one process: starting them costs more than the rest. */
const everyHelp = `
  import { spillway, spillwayProgram } from '${pathToFileURL(join(root, 'lib/cli/spillway.ts')).href}';
  import { processIo } from '${pathToFileURL(join(root, 'lib/cli/io.ts')).href}';
  const paths = (command, path) => [path, ...command.commands.flatMap((child) => paths(child, [...path, child.name()]))];
  const all = paths(await spillwayProgram(processIo()), []);
  for (const path of all) {
    const status = await spillway(['node', 'spillway', ...path, '--help']);
    if (status !== 0) throw new Error(path.join(' '));
    // The error of a write comes later than the write.
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.exitCode = all.length > 20 ? 0 : 9;
`;

describe('a reader that has gone', { timeout: TIMEOUT_MS }, () => {
  it.each([
    ['the help of the package’s own command', [join(root, 'bin/spillway'), '--help'], 0],
    ['the help of every verb', [process.execPath, '--input-type=module', '--eval', everyHelp], 0],
    ['a document of an error', spillway('history --json --config missing.json'), 2],
    ['a screen that tells of trouble', spillway('status --dns 127.0.0.1:9'), 4],
    ['a verb that goes on until Ctrl-C', spillway('status --watch --dns 127.0.0.1:9'), 141],
    ['a trace of hours', spillway('simulate --seeds 1..100000 --trace'), 141],
  ])('of %s is no error, and the end is quiet', async (_, argv, status) => {
    expect(await unread(argv, { close: ['stdout'] })).toEqual({ status, out: '', said: '' });
  });

  it('of what is said beside it takes nothing from the document', async () => {
    const { status, out } = await unread(spillway('doctor --json --dns 127.0.0.1:9'), { close: ['stderr'] });
    expect(status).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ ok: false });
  });

  it('does not cut an act in half', async () => {
    const aws = await startFakeAws();
    onTestFinished(() => aws.close());
    const line = spillway('pause --reason test --yes');
    const env = { AWS_ENDPOINT_URL: aws.url };
    expect((await unread(line, { close: ['stdout', 'stderr'], env })).status).toBe(0);
    expect(tableOf(aws, 'us-west-2/spillway-state').get('control#control')?.pause).toBeDefined();
  });
});

it('a full disk is said, and is a failure', { timeout: TIMEOUT_MS }, async () => {
  const [file = '', ...args] = spillway('cost --json');
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
  const stderr = child.stderr ?? expect.unreachable();
  const [said, [status]] = await Promise.all([text(stderr), once(child, 'exit')]);
  expect(status).toBe(1);
  expect(said).toMatch(/^error Standard output cannot be written \(ENOSPC.*\n$/);
});
