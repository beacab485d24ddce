import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpoolDirectoryError, SpoolLockedError } from './errors.ts';

export const LOCK_FILE = 'lock';
const OWNER_FILE = 'owner.json';
const SQLITE_BUSY = 5;
/**
 * Two processes that ask at the same instant may both be refused, and inspecting the lock also takes a
 * moment; so try again.
 */
const ATTEMPTS = 8;
const PAUSE_MS = 25;

/**
 * Keeps the databases referenced: the garbage collector would close an unreferenced one, and release its
 * lock.
 */
const held = new Set<object>();

export interface SpoolLock {
  release(): Promise<void>;
}

/**
 * Owns the directory until `release` or the end of the process, however the process ends.
 *
 * Node has no file locks, but SQLite does: its lock on `lock` (a database that stays empty) is the kernel's
 * own, on the inode. The kernel releases a dead owner's lock, so no takeover can race. The lock also works
 * between containers and between threads, where a process id means nothing. `owner.json` only tells people
 * who the owner is.
 *
 * @throws SpoolLockedError, SpoolDirectoryError
 */
export async function lockDirectory(directory: string): Promise<SpoolLock> {
  const { DatabaseSync } = await import('node:sqlite');
  for (let attempt = 1; ; attempt++) {
    let database: InstanceType<typeof DatabaseSync> | undefined;
    try {
      database = new DatabaseSync(join(directory, LOCK_FILE));
      // The journal is in memory, because kill -9 would leave the file of a journal behind.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      await tellOwner(directory);
      const mine = database;
      held.add(mine);
      return {
        release: async () => {
          await rm(join(directory, OWNER_FILE), { force: true }).catch(() => {});
          held.delete(mine);
          mine.close();
        },
      };
    } catch (cause) {
      database?.close();
      if (!isBusy(cause)) {
        throw new SpoolDirectoryError(
          `Cannot lock the spool in ${directory}: it must be writable, and its file \`${LOCK_FILE}\` empty.`,
          { cause },
        );
      }
      if (attempt === ATTEMPTS) throw await lockedError(directory, cause);
    }
    await sleep(PAUSE_MS * (0.5 + Math.random()));
  }
}

/** Whether any process owns the directory now. Creates nothing. */
export async function isOwned(directory: string): Promise<boolean> {
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(join(directory, LOCK_FILE), { readOnly: true });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    // Without a lock file, no process ever opened the directory.
    return isBusy(error);
  } finally {
    database?.close();
  }
}

/** The process that owns the directory, or owned it when it died. */
export async function readOwner(directory: string): Promise<{ pid: number; host: string } | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(join(directory, OWNER_FILE), 'utf8'));
    if (typeof owner !== 'object' || owner === null) return undefined;
    if (!('pid' in owner && typeof owner.pid === 'number')) return undefined;
    if (!('host' in owner && typeof owner.host === 'string')) return undefined;
    return { pid: owner.pid, host: owner.host };
  } catch {
    return undefined;
  }
}

async function tellOwner(directory: string): Promise<void> {
  const owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  // The lock works without this file, and a full disk must not prevent a drain.
  await writeFile(join(directory, OWNER_FILE), `${JSON.stringify(owner)}\n`).catch(() => {});
}

async function lockedError(directory: string, cause: unknown): Promise<SpoolLockedError> {
  const owner = await readOwner(directory);
  const who = owner === undefined ? 'Another process' : `Process ${owner.pid} on ${owner.host}`;
  return new SpoolLockedError(
    `${who} owns the spool in ${directory}. End it, or give this producer a directory of its own.`,
    { cause, ...(owner === undefined ? {} : { ownerPid: owner.pid }) },
  );
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === SQLITE_BUSY;
}
