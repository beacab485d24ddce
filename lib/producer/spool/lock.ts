import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpoolDirectoryError, SpoolLockedError } from './errors.ts';

export const LOCK_FILE = 'lock';
const OWNER_FILE = 'owner.json';
const SQLITE_BUSY = 5;
/** Two who ask at the same instant may both be refused, and a look at the lock takes a moment. */
const ATTEMPTS = 8;
const PAUSE_MS = 25;

/** A database that nobody refers to would be closed by the garbage collector, and its lock be gone. */
const held = new Set<object>();

export interface SpoolLock {
  release(): Promise<void>;
}

/**
 * Owns the directory until `release` or the end of the process, whatever ends it.
 *
 * Node has no file locks, but SQLite does: its lock on `lock` (a database that stays empty) is the kernel's own, on the
 * inode. A dead owner's lock is gone by itself, so that there is no takeover to race for, and it holds between containers
 * and between threads, where a process id says nothing. `owner.json` only tells people who it is.
 *
 * @throws SpoolLockedError, SpoolDirectoryError
 */
export async function lockDirectory(directory: string): Promise<SpoolLock> {
  const { DatabaseSync } = await import('node:sqlite');
  for (let attempt = 1; ; attempt++) {
    let database: InstanceType<typeof DatabaseSync> | undefined;
    try {
      database = new DatabaseSync(join(directory, LOCK_FILE));
      // In memory: a journal's file would be left behind by kill -9.
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

/** Whether anyone owns the directory now. Creates nothing. */
export async function isOwned(directory: string): Promise<boolean> {
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(join(directory, LOCK_FILE), { readOnly: true });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    // No lock file: nobody ever opened it.
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
  // The lock holds without it; a full disk must not keep anyone from draining.
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
