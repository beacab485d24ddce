import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Spool } from '../../lib/producer/spool/spool.ts';

/** A store that makes single records durable, for many callers at the same time. */
export interface Rival {
  /** Resolves when the record survives a power loss. */
  append(key: string, data: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export const rivals = { spool: openSpool, sqlite: openSqlite } as const;
export type RivalName = keyof typeof rivals;

async function openSpool(directory: string): Promise<Rival> {
  const spool = await Spool.open({ directory: join(directory, 'spool') });
  return {
    append: (partitionKey, data) => spool.append([{ partitionKey, data }]),
    close: () => spool.close(),
  };
}

/**
 * SQLite used well: WAL, a sync at each commit, prepared statements, and one transaction for all waiting
 * appends. These share a promise, as the appends of the spool do.
 */
async function openSqlite(directory: string): Promise<Rival> {
  const database = new DatabaseSync(join(directory, 'spool.db'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE records (id INTEGER PRIMARY KEY, key TEXT NOT NULL, data BLOB NOT NULL);
  `);
  const begin = database.prepare('BEGIN');
  const insert = database.prepare('INSERT INTO records (key, data) VALUES (?, ?)');
  const commit = database.prepare('COMMIT');
  let waiting: { key: string; data: Uint8Array }[] = [];
  let group = Promise.withResolvers<void>();
  const flush = (): void => {
    const [records, done] = [waiting, group];
    waiting = [];
    group = Promise.withResolvers();
    begin.run();
    for (const { key, data } of records) insert.run(key, data);
    commit.run();
    done.resolve();
  };
  return {
    append: (key, data) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ key, data });
      return group.promise;
    },
    close: async () => database.close(),
  };
}
