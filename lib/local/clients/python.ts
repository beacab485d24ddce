import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { workDirectory } from '../../files/own-files.ts';
import { withLock } from '../localstack/directory-lock.ts';
import { findPython } from '../localstack/python.ts';
import { ForeignClientError } from './errors.ts';

const INSTALL_TIMEOUT_MS = 300_000;
const HASH_CHARACTERS = 16;

export interface PythonEnvironment {
  /** Of the directory under `.spillway/`. */
  readonly name: string;
  /** File with versions and hashes. */
  readonly requirements: string;
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** A Python with the clients of PyPI. @throws as `pythonWith` */
export const clientPython = (onProgress?: (line: string) => void): Promise<string> =>
  pythonWith({
    name: 'python-clients',
    requirements: join(import.meta.dirname, 'python/requirements.lock'),
    onProgress,
  });

/**
 * A Python with the packages of the file, in its versions and with its hashes; made once in a clone, with the Python that
 * LocalStack runs with. Not a part of LocalStack's own environment: that one is installed by everyone who plays a drill.
 *
 * @throws ForeignClientError, LocalStackEnvironmentError
 */
export async function pythonWith({ name, requirements, onProgress }: PythonEnvironment): Promise<string> {
  const base = await findPython(process.env);
  const pinned = await readFile(requirements).catch((cause: unknown) => {
    throw new ForeignClientError('Programs in Python run in a clone of Spillway only: clone it.', { cause });
  });
  const identity = createHash('sha256').update(base.version).update(pinned).digest('hex');
  const parent = join(workDirectory(), '.spillway', name);
  const directory = join(parent, identity.slice(0, HASH_CHARACTERS));
  const python = join(directory, 'bin/python');
  if (existsSync(python)) return python;
  await mkdir(parent, { recursive: true });
  await withLock({ file: join(parent, 'lock'), timeoutMs: INSTALL_TIMEOUT_MS, onProgress }, async () => {
    if (existsSync(python)) return;
    onProgress?.(`Installing ${name} with pip, once in a clone`);
    const made = await mkdtemp(join(parent, 'new-'));
    try {
      await install({ base: base.executable, directory: made, requirements });
      await rm(directory, { recursive: true, force: true });
      await rename(made, directory);
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  });
  return python;
}

async function install({
  base,
  directory,
  requirements,
}: {
  readonly base: string;
  readonly directory: string;
  readonly requirements: string;
}): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const pinned = ['--no-deps', '--require-hashes', '-r', requirements];
  const steps = [
    [base, ['-m', 'venv', directory]],
    [join(directory, 'bin/python'), [...pip, ...pinned]],
  ] as const;
  for (const [command, args] of steps) {
    const { failed, stderr } = await execa(command, args, { reject: false, timeout: INSTALL_TIMEOUT_MS });
    if (failed) throw new ForeignClientError(`${command} failed: ${stderr}\nSee that PyPI is reached.`);
  }
}
