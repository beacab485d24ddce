import { setTimeout as sleep } from 'node:timers/promises';
import type { Spool, SpoolEntry, SpooledRecord } from '../../../lib/producer/spool/spool.ts';

export function entry(text: string, partitionKey = 'key'): SpoolEntry {
  return { partitionKey, data: Buffer.from(text) };
}

/** Everything that `read` gives from here on. */
export async function readAll(spool: Spool): Promise<readonly SpooledRecord[]> {
  const all: SpooledRecord[] = [];
  for (;;) {
    const records = await spool.read({ records: 100, bytes: 1024 * 1024 });
    if (records.length === 0) return all;
    all.push(...records);
  }
}

export async function readTexts(spool: Spool): Promise<readonly string[]> {
  return (await readAll(spool)).map(({ data }) => Buffer.from(data).toString());
}

/** Polls until `isTrue`, for at most 5 s. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error('it did not come true within 5 s');
    await sleep(5);
  }
}
