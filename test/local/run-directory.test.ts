import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIT_FILE,
  createRunDirectory,
  newestAuditFile,
  RunDirectoryError,
} from '../../lib/local/run-directory.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spillway-runs-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the directory of a run', () => {
  it('is named by the time and the process, so that two at once have their own', async () => {
    const one = await createRunDirectory(root, 0, 11);
    const two = await createRunDirectory(root, 0, 12);
    const runs = await readdir(join(root, '.spillway/runs'));
    expect(runs).toEqual(['1970-01-01T00-00-00-000Z-11', '1970-01-01T00-00-00-000Z-12']);
    expect([one, two]).toEqual(runs.map((name) => join(root, '.spillway/runs', name)));
  });

  it('takes the place of the oldest when there are many, but not of one whose run goes on', async () => {
    const runs = join(root, '.spillway/runs');
    const dead = 4_194_304; // above every process id
    const going = await createRunDirectory(root, 0, process.pid);
    await mkdir(join(runs, '0-mine'));
    for (let day = 1; day <= 25; day++) await createRunDirectory(root, day * 86_400_000, dead);
    const left = await readdir(runs);
    expect(left.filter((name) => name.endsWith(`-${dead}`))).toHaveLength(20);
    expect(left).toContain('0-mine');
    expect(left.map((name) => join(runs, name))).toContain(going);
    expect(left).not.toContain(`1970-01-02T00-00-00-000Z-${dead}`);
  });

  it('of the last drill that recorded its calls is found, though a later one did not get so far', async () => {
    expect(await newestAuditFile(root)).toBeUndefined();
    const [first, second] = [
      await createRunDirectory(root, 0, 11),
      await createRunDirectory(root, 1_000, 11),
    ];
    await createRunDirectory(root, 2_000, 11);
    await writeFile(join(first, AUDIT_FILE), '');
    await writeFile(join(second, AUDIT_FILE), '');
    expect(await newestAuditFile(root)).toBe(join(second, AUDIT_FILE));
  });

  it('says where nothing can be written, and what to do', async () => {
    await writeFile(join(root, '.spillway'), '');
    const refused = createRunDirectory(root, 0, 11);
    await expect(refused).rejects.toBeInstanceOf(RunDirectoryError);
    await expect(refused).rejects.toThrow(/Nothing can be written to .*\.spillway .*make it writable/);
  });
});
