import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Damage } from './scan.ts';
import { segmentFileName } from './segment-format.ts';

export const QUARANTINE_DIRECTORY = 'quarantine';
/** Most damaged ranges that are kept for inspection; further ones are skipped, but not copied. */
const MAX_FILES = 1_000;

export interface Quarantined extends Damage {
  readonly segment: number;
  /**
   * The file with the damaged bytes; its report is next to it. Undefined when the limit of files was reached.
   */
  readonly file: string | undefined;
}

/**
 * Keeps a copy of damaged bytes for inspection. The name follows from the place and the content, so that the
 * same damage, found at each start, is kept once.
 */
export async function quarantineBytes(
  directory: string,
  { segment, damage, bytes }: { readonly segment: number; readonly damage: Damage; readonly bytes: Buffer },
): Promise<Quarantined> {
  const folder = await quarantineFolder(directory);
  const files = await readdir(folder);
  const checksum = crc32(bytes).toString(16).padStart(8, '0');
  const name = `${segmentFileName(segment)}.${damage.start}-${damage.end}.${checksum}`;
  const file = join(folder, `${name}.bin`);
  if (files.includes(`${name}.bin`)) return { segment, ...damage, file };
  if (files.length >= 2 * MAX_FILES) return { segment, ...damage, file: undefined };
  await writeFile(file, bytes);
  const report = {
    segment,
    ...damage,
    found: new Date().toISOString(),
    reason: 'no record with a good checksum begins here; good ones follow, or another segment does',
  };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  return { segment, ...damage, file };
}

/** Moves away a segment whose header is unreadable: without its salt, records cannot be told from noise. */
export async function quarantineSegment(
  directory: string,
  { segment, path, size }: { readonly segment: number; readonly path: string; readonly size: number },
): Promise<Quarantined> {
  const folder = await quarantineFolder(directory);
  const file = join(folder, `${segmentFileName(segment)}.whole.${Date.now()}.bin`);
  await rename(path, file);
  const report = {
    segment,
    start: 0,
    end: size,
    found: new Date().toISOString(),
    reason: 'both headers are damaged',
  };
  await writeFile(`${file.slice(0, -'.bin'.length)}.json`, `${JSON.stringify(report, null, 2)}\n`);
  return { segment, start: 0, end: size, file };
}

async function quarantineFolder(directory: string): Promise<string> {
  const folder = join(directory, QUARANTINE_DIRECTORY);
  await mkdir(folder, { recursive: true });
  return folder;
}
