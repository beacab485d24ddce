import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { workDirectory } from '../../files/own-files.ts';
import { withLock } from './directory-lock.ts';
import { LocalStackEnvironmentError } from './errors.ts';
import { install, LOCK_FILES } from './installation.ts';
import { findPython, type Python } from './python.ts';

const lockTimeoutMs = 20 * 60_000;

export interface EnvironmentOptions {
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: `.spillway/localstack` in the project. */
  readonly parent?: string;
}

async function identify(python: Python): Promise<string> {
  const hash = createHash('sha256').update(`${python.version} ${process.platform} ${process.arch}`);
  for (const file of LOCK_FILES) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

/** What Ctrl-C or a crash left half made; the caller holds the lock, so nobody is making one now. */
async function discardHalfMade(parent: string): Promise<void> {
  const names = await readdir(parent);
  const halfMade = names.filter((name) => name.startsWith('new-'));
  await Promise.all(halfMade.map((name) => rm(path.join(parent, name), { recursive: true, force: true })));
}

/** What is installed, and some room to unpack it; venv and pip say little of a full disk. */
const NEEDED_MIB = 600;

async function assertRoom(parent: string): Promise<void> {
  const { bavail, bsize } = await statfs(parent);
  const freeMib = Math.floor((bavail * bsize) / 2 ** 20);
  if (freeMib >= NEEDED_MIB) return;
  throw new LocalStackEnvironmentError(
    `LocalStack could not be installed: the disk is full: it needs ${NEEDED_MIB} MB in ${parent}, and ${freeMib} MB are free.`,
  );
}

/**
 * The Python that has LocalStack installed, made on first use and reused while the lock files and the Python stay the same.
 * Throws LocalStackEnvironmentError.
 */
export async function ensureEnvironment(
  options: EnvironmentOptions = {},
): Promise<{ readonly python: string }> {
  const parent = options.parent ?? path.join(workDirectory(), '.spillway/localstack');
  const base = await findPython(process.env);
  const directory = path.join(parent, await identify(base));
  const python = path.join(directory, 'bin/python');
  if (existsSync(python)) return { python };

  await mkdir(parent, { recursive: true });
  const lock = { file: path.join(parent, 'lock'), timeoutMs: lockTimeoutMs, ...options };
  await withLock(lock, async () => {
    if (existsSync(python)) return;
    await discardHalfMade(parent);
    await assertRoom(parent);
    const made = await mkdtemp(path.join(parent, 'new-'));
    try {
      await install({ ...options, basePython: base.executable, directory: made });
      await rm(directory, { recursive: true, force: true }); // its base Python has gone
      await rename(made, directory);
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  });
  return { python };
}
