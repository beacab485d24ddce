import { access, constants, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './process-group.ts';

/** The directory for logs and files of a run cannot be written to. */
export class RunDirectoryError extends Error {
  override readonly name = 'RunDirectoryError';
}

/** Every AWS call of a drill, one JSON object a line: what `spillway audit` reads. */
export const AUDIT_FILE = 'audit.jsonl';

/** Most runs kept, of some 13 MB each; the newest are kept for inspection. */
const RUNS_KEPT = 20;

/**
 * Makes the directory where one run keeps its logs and files, and removes those of long ago.
 *
 * @throws RunDirectoryError when it cannot be made, or not be written to.
 */
export async function createRunDirectory(root: string, atMs: number, pid: number): Promise<string> {
  const runs = join(root, '.spillway', 'runs');
  const stamp = new Date(atMs).toISOString().replaceAll(/[:.]/g, '-');
  const directory = join(runs, `${stamp}-${pid}`);
  try {
    // Checked first: on a read-only file system, mkdir only reports that something does not exist.
    await access(root, constants.W_OK);
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new RunDirectoryError(
      `Nothing can be written to ${join(root, '.spillway')} (${code}): make room or make it writable, or run from a copy that is.`,
      { cause },
    );
  }
  await removeOldRuns(runs);
  return directory;
}

const runName = /^\d{4}-[\dTZ-]+-(\d+)$/;

/** The calls of the last drill that got as far as to record them. */
export async function newestAuditFile(root: string): Promise<string | undefined> {
  const runs = join(root, '.spillway', 'runs');
  const names = await readdir(runs).catch(() => []);
  for (const name of names
    .filter((one) => runName.test(one))
    .toSorted()
    .reverse()) {
    const file = join(runs, name, AUDIT_FILE);
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** Names begin with the time, so the last in order are the youngest. A run that still goes on is not removed. */
async function removeOldRuns(runs: string): Promise<void> {
  const names = (await readdir(runs)).filter((name) => runName.test(name)).toSorted();
  const ended = names.slice(0, -RUNS_KEPT).filter((name) => !isAlive(Number(runName.exec(name)?.[1])));
  await Promise.all(ended.map((name) => rm(join(runs, name), { recursive: true, force: true })));
}
