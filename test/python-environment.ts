import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { workDirectory } from '../lib/files/own-files.ts';
import { withLock } from '../lib/local/localstack/directory-lock.ts';
import { findPython } from '../lib/local/localstack/python.ts';

const INSTALL_TIMEOUT_MS = 300_000;

export interface PythonEnvironment {
  /** Of the directory under `.spillway/`. */
  readonly name: string;
  /** File with versions and hashes. */
  readonly requirements: string;
}

/**
 * A Python with the packages of the file, in its versions and with its hashes; made once in a clone, with the Python that
 * LocalStack runs with. Not a part of LocalStack's own environment: that one is installed by everyone who plays a drill.
 */
export async function pythonWith({ name, requirements }: PythonEnvironment): Promise<string> {
  const base = await findPython(process.env);
  const identity = createHash('sha256')
    .update(base.version)
    .update(await readFile(requirements));
  const parent = join(workDirectory(), '.spillway', name);
  const directory = join(parent, identity.digest('hex').slice(0, 16));
  const python = join(directory, 'bin/python');
  await mkdir(parent, { recursive: true });
  const lock = { file: join(parent, 'lock'), timeoutMs: INSTALL_TIMEOUT_MS };
  await withLock(lock, async () => {
    if (existsSync(python)) return;
    const made = await mkdtemp(join(parent, 'new-'));
    const timeout = { timeout: INSTALL_TIMEOUT_MS };
    try {
      await execa(base.executable, ['-m', 'venv', made], timeout);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      const pinned = ['--no-deps', '--require-hashes', '-r', requirements];
      await execa(join(made, 'bin/python'), [...pip, ...pinned], timeout);
      await rm(directory, { recursive: true, force: true });
      await rename(made, directory);
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  });
  return python;
}
