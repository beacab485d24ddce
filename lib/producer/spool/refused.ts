import { constants } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, syncDirectory } from './disk.ts';
import { codeOf, SpoolRefusedError } from './errors.ts';
import type { SpooledRecord } from './reader.ts';
import { segmentFileName } from './segment-format.ts';

export const REFUSED_DIRECTORY = 'refused';
/** Most records that are kept aside; with more, the records are not the cause. */
const MAX_FILES = 1_000;

/**
 * Writes a refused record durably to a file of its own, so that people can inspect and repair it. The name
 * follows from the record's place, so that a record that is refused again after a crash is kept once.
 *
 * @returns the file's path
 * @throws SpoolRefusedError when there are too many, and errors of the disk
 */
export async function keepRefused(
  { directory, disk }: { readonly directory: string; readonly disk: Disk },
  { position, partitionKey, explicitHashKey, data }: SpooledRecord,
  reason: unknown,
): Promise<string> {
  const folder = join(directory, REFUSED_DIRECTORY);
  await mkdir(folder).then(
    () => syncDirectory(directory),
    (error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    },
  );
  const name = `${segmentFileName(position.segment)}.${position.offset}.json`;
  const files = await readdir(folder);
  if (files.length >= MAX_FILES && !files.includes(name)) {
    throw new SpoolRefusedError(
      `${folder} has ${files.length} records that were refused for good, and takes no more. Find out why, and move them away.`,
      { cause: reason },
    );
  }
  const content = {
    partitionKey,
    explicitHashKey,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    refused: new Date().toISOString(),
    reason: reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason),
  };
  const path = join(folder, name);
  const file = await disk.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
  try {
    await disk.writeDurably(file, Buffer.from(`${JSON.stringify(content)}\n`), 0);
  } finally {
    await file.close();
  }
  await syncDirectory(folder);
  return path;
}
