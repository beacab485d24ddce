import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RegisterError } from '../../../lib/local/running/errors.ts';
import { birthOf, isRunning } from '../../../lib/local/running/process-birth.ts';
import { REGISTER_DIRECTORY, RunRegister, registerDirectory } from '../../../lib/local/running/register.ts';
import type { RunEntry } from '../../../lib/local/running/run-entry.ts';

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'spillway-running-'));
  directory = join(parent, 'register');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const entry = async (changes: Partial<RunEntry> = {}): Promise<RunEntry> => ({
  activity: 'drilling',
  pid: process.pid,
  birth: await birthOf(process.pid),
  user: 'ana',
  sinceMs: 1_000,
  what: '2020-kinesis',
  ...changes,
});

describe('the register of runs', () => {
  it('shows what entered until it leaves, to every user', async () => {
    const register = new RunRegister(directory);
    const own = await register.enter(await entry());
    await own.update({ activity: 'kept', runDirectory: '/runs/1' });
    expect(await new RunRegister(directory).running()).toEqual([
      { ...(await entry()), activity: 'kept', runDirectory: '/runs/1', ticket: own.ticket },
    ]);
    expect((await stat(directory)).mode & 0o7777).toBe(0o1777);
    expect((await stat(join(directory, `${own.ticket}.json`))).mode & 0o777).toBe(0o644);
    await own.leave();
    expect(await register.running()).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });

  it('gives each of many that enter at once a number of its own', async () => {
    const register = new RunRegister(directory);
    const many = await Promise.all(
      Array.from({ length: 12 }, async () => register.enter(await entry({ sinceMs: 5 }))),
    );
    const running = await register.running();
    expect(running).toHaveLength(12);
    expect(new Set(many.map(({ ticket }) => ticket)).size).toBe(12);
  });

  it('forgets a process that has died, and one whose id another has been given since', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    const register = new RunRegister(directory);
    await register.enter(await entry({ pid: dead.pid ?? 0, birth: '' }));
    await register.enter(await entry({ birth: 'an earlier boot 12' }));
    const own = await register.enter(await entry());
    expect((await register.running()).map(({ ticket }) => ticket)).toEqual([own.ticket]);
    expect(await readdir(directory)).toEqual([`${own.ticket}.json`]);
  });

  it('passes over what is no entry: garbage, a link, a pipe, text that would move the cursor', async () => {
    const register = new RunRegister(directory);
    const own = await register.enter(await entry());
    const good = await readFile(join(directory, `${own.ticket}.json`), 'utf8');
    await writeFile(join(parent, 'elsewhere'), good);
    await symlink(join(parent, 'elsewhere'), join(directory, '1.json'));
    await writeFile(join(directory, '2.json'), '{');
    await writeFile(join(directory, '3.json'), JSON.stringify({ ...JSON.parse(good), user: '\u001b[2J' }));
    await writeFile(join(directory, '4.json'), good.padEnd(20_000));
    await once(spawn('mkfifo', [join(directory, '5.json')]), 'exit');
    await mkdir(join(directory, '6.json'));
    expect((await register.running()).map(({ ticket }) => ticket)).toEqual([own.ticket]);
  });

  it('says that it cannot be used where a link or a file is in its place', async () => {
    await writeFile(directory, '');
    await expect(new RunRegister(directory).enter(await entry())).rejects.toThrow(/not a directory/);
    await rm(directory);
    await mkdir(join(parent, 'real'));
    await symlink(join(parent, 'real'), directory);
    await expect(new RunRegister(directory).enter(await entry())).rejects.toThrow(RegisterError);
  });

  it('is one for all users and copies of the project, whatever their temporary directories', () => {
    expect(registerDirectory({ TMPDIR: '/home/ana/tmp' })).toBe(registerDirectory({}));
    expect(registerDirectory({ [REGISTER_DIRECTORY]: '/srv/drills' })).toBe('/srv/drills');
  });
});

describe('a process', () => {
  it('is told from a later one with its id', async () => {
    const child = spawn('sleep', ['60']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const pid = child.pid ?? 0;
    const birth = await birthOf(pid);
    expect(birth).not.toBe('');
    expect(await birthOf(pid)).toBe(birth);
    expect(await isRunning({ pid, birth })).toBe(true);
    expect(await isRunning({ pid, birth: `${birth}1` })).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await isRunning({ pid, birth })).toBe(false);
  });

  it('that has ended and was not asked for its status yet does not run', async () => {
    // The inner shell ends at once, and `sleep`, which takes the outer one's place, never asks for it.
    const parentProcess = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 60']);
    onTestFinished(() => void parentProcess.kill('SIGKILL'));
    const [line] = await once(parentProcess.stdout, 'data');
    const pid = Number(String(line));
    await expect.poll(() => isRunning({ pid, birth: '' }), { timeout: 5_000 }).toBe(false);
  });
});
