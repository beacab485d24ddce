import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../process-group.ts';
import { LocalStackEnvironmentError } from './errors.ts';

const pollIntervalMs = 500;

export interface LockOptions {
  readonly file: string;
  readonly timeoutMs: number;
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The process that holds the lock, or undefined when it has been released or its holder is dead. */
async function holder(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = Number(text);
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
}

async function acquire({ file, timeoutMs, onProgress, signal }: LockOptions): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = await holder(file);
    if (pid === undefined) {
      await sleep(pollIntervalMs); // its holder may have made the file and not yet written its id
      if ((await holder(file)) === undefined) await rm(file, { force: true });
      continue;
    }
    if (performance.now() > deadline) {
      throw new LocalStackEnvironmentError(
        `Process ${pid} has been installing LocalStack for ${Math.round(timeoutMs / 60_000)} minutes; end it and try again.`,
      );
    }
    if (!told) onProgress?.(`Waiting for process ${pid}, which is installing LocalStack`);
    told = true;
    await sleep(pollIntervalMs, undefined, signal ? { signal } : {});
  }
}

/**
 * Runs `work` while holding a lock file that names this process; a dead holder's lock is taken over. Two waiters that take
 * over at the same moment may both run, which the caller must survive: here the last step is an atomic rename.
 */
export async function withLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(options);
  try {
    return await work();
  } finally {
    await rm(options.file, { force: true });
  }
}
