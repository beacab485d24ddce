import type { DatabaseSync as Database } from 'node:sqlite';
import { DrainUsageError } from './errors.ts';

/**
 * Keeps the databases referenced: the garbage collector would close an unreferenced one, and release its
 * lock.
 */
const held = new Set<Database>();
const SQLITE_BUSY = 5;

export interface CheckpointLock {
  release(): void;
}

/**
 * Allows one drain at a time for a checkpoint: two would copy everything twice. Node has no file locks, but
 * SQLite does: its lock is the kernel's own and ends with the process, however the process ends. The file
 * `<checkpoint>.lock` stays, and is empty.
 *
 * @throws DrainUsageError
 */
export async function lockCheckpoint(file: string): Promise<CheckpointLock> {
  // Loaded only when needed: on Node 22 SQLite warns that it is experimental, whatever the command.
  const { DatabaseSync } = await import('node:sqlite');
  let database: Database | undefined;
  try {
    database = new DatabaseSync(`${file}.lock`);
    // The journal is in memory, because kill -9 would leave the file of a journal behind.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    const busy = cause instanceof Error && 'errcode' in cause && Number(cause.errcode) % 256 === SQLITE_BUSY;
    throw new DrainUsageError(
      busy
        ? `Another drain is using ${file}: wait until that drain ends, or end it.`
        : `${file} cannot be locked: its directory must exist and be writable.`,
      { cause },
    );
  }
  const mine = database;
  held.add(mine);
  return {
    release: () => {
      held.delete(mine);
      mine.close();
    },
  };
}
