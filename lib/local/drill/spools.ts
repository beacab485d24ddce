import { existsSync } from 'node:fs';
import { Spool } from '../../producer/spool/spool.ts';

const READ_RECORDS = 5_000;
const READ_BYTES = 8 * 1024 * 1024;
/** A drill writes some thousands of records. */
const MAX_READS = 1_000;

/** Data of every record that is still on disk, as text. The producers must have ended: a spool has one owner. */
export async function readSpools(directories: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of directories) {
    if (!existsSync(directory)) continue;
    const spool = await Spool.open({ directory });
    try {
      for (let n = 0; n < MAX_READS; n++) {
        const records = await spool.read({ records: READ_RECORDS, bytes: READ_BYTES });
        if (records.length === 0) break;
        for (const { data } of records) found.push(Buffer.from(data).toString());
      }
    } finally {
      await spool.close();
    }
  }
  return found;
}
