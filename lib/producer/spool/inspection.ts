import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type JournalEntry, rangesOf, readJournal } from './acknowledgement-journal.ts';
import { CURSOR_FILE, type CursorContent, decodeCursor } from './cursor.ts';
import { codeOf, SpoolDirectoryError } from './errors.ts';
import { isOwned, LOCK_FILE, readOwner } from './lock.ts';
import { QUARANTINE_DIRECTORY } from './quarantine.ts';
import { REFUSED_DIRECTORY } from './refused.ts';
import { SEGMENT_HEADER_BYTES } from './segment-format.ts';
import { listSegments, surveySegment } from './survey.ts';

/** The content of a spool's directory, whether a process owns it or not. */
export interface Inspection {
  readonly directory: string;
  readonly owner: { readonly alive: boolean; readonly pid?: number; readonly host?: string };
  /** `lost`: there is a file, but no intact slot in it; every record would be sent again. */
  readonly cursor: { readonly segment: number; readonly offset: number } | 'none' | 'lost';
  /** Records that Kinesis has not acknowledged. */
  readonly records: number;
  readonly bytes: number;
  readonly segments: number;
  readonly bytesOnDisk: number;
  /** When the oldest segment was begun and the newest was last written, as ISO 8601. */
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
  /**
   * Bytes after the last intact record: a write that was cut off, or, while an owner lives, one in progress.
   */
  readonly tornBytes: number;
  readonly damages: readonly { readonly segment: number; readonly start: number; readonly end: number }[];
  readonly quarantinedFiles: number;
  /** Records that a stream refused for good, each in a file of `refused/`. */
  readonly refusedRecords: number;
}

/**
 * Reads every record of a spool, and changes nothing.
 *
 * @throws SpoolDirectoryError, SpoolVersionError
 */
export async function inspectSpool(directory: string): Promise<Inspection> {
  await requireSpool(directory);
  // The owner may delete drained segments between listing the directory and opening a file.
  const alive = await isOwned(directory);
  const owner = await readOwner(directory);
  const content = decodeCursor(await readIfThere(join(directory, CURSOR_FILE)));
  const files = await listSegments(directory);
  const journal = await readJournal(directory);
  const sum = await inspectSegments(files, { cursor: content.cursor ?? { segment: 0, offset: 0 }, journal });
  return {
    directory,
    owner: { alive, ...(owner === undefined ? {} : owner) },
    cursor: cursorOf(content),
    ...sum,
    quarantinedFiles: (await namesIn(join(directory, QUARANTINE_DIRECTORY))).filter((name) =>
      name.endsWith('.bin'),
    ).length,
    refusedRecords: (await namesIn(join(directory, REFUSED_DIRECTORY))).length,
  };
}

/** Checks that the directory exists, and does not create it. @throws SpoolDirectoryError */
export async function requireSpool(directory: string): Promise<void> {
  const names = await namesIn(directory);
  if (names.some((name) => name === LOCK_FILE || name === CURSOR_FILE || name.endsWith('.seg'))) return;
  throw new SpoolDirectoryError(
    `There is no spool in ${directory}. Name the directory that the producer was given as \`spool.directory\`.`,
  );
}

type Sums = Pick<
  Inspection,
  'records' | 'bytes' | 'segments' | 'bytesOnDisk' | 'oldest' | 'newest' | 'tornBytes' | 'damages'
>;

async function inspectSegments(
  files: readonly { readonly number: number; readonly path: string }[],
  {
    cursor,
    journal,
  }: {
    readonly cursor: { readonly segment: number; readonly offset: number };
    readonly journal: readonly JournalEntry[];
  },
): Promise<Sums> {
  const damages: { segment: number; start: number; end: number }[] = [];
  let [records, bytes, bytesOnDisk, tornBytes, segments] = [0, 0, 0, 0, 0];
  let oldest: number | undefined;
  let newest: number | undefined;
  for (const file of files) {
    const isLast = file === files.at(-1);
    const from = file.number === cursor.segment ? cursor.offset : 0;
    const looked = await lookAt(file, from);
    if (looked === undefined) continue;
    const { survey, mtimeMs } = looked;
    const { scan, header, boundary } = survey;
    segments++;
    bytesOnDisk += survey.bytes.length;
    newest = Math.max(newest ?? 0, mtimeMs);
    if (header === undefined && survey.bytes.length > SEGMENT_HEADER_BYTES) {
      damages.push({ segment: file.number, start: 0, end: survey.bytes.length });
      continue;
    }
    if (file.number < cursor.segment) continue;
    oldest ??= header?.createdAtMs;
    const start = Math.max(from, SEGMENT_HEADER_BYTES);
    const acknowledged =
      header === undefined ? undefined : rangesOf(journal, { header, start, end: scan.end });
    records += scan.records - (from > 0 ? boundary.index : 0) - (acknowledged?.records ?? 0);
    bytes += Math.max(scan.end - start, 0) - (acknowledged?.bytes ?? 0);
    for (const damage of scan.damages) damages.push({ segment: file.number, ...damage });
    if (scan.tail === undefined) continue;
    if (isLast) tornBytes = scan.tail.end - scan.tail.start;
    else if (header !== undefined) damages.push({ segment: file.number, ...scan.tail });
  }
  return {
    records,
    bytes,
    segments,
    bytesOnDisk,
    oldest: iso(oldest),
    newest: iso(newest),
    tornBytes,
    damages,
  };
}

/** Surveys one segment; undefined when the owner has deleted it meanwhile. */
async function lookAt(file: { readonly number: number; readonly path: string }, from: number) {
  try {
    const { mtimeMs } = await stat(file.path);
    return { survey: await surveySegment(file, from), mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function cursorOf({ cursor, corrupt }: CursorContent): Inspection['cursor'] {
  if (cursor !== undefined) return { segment: cursor.segment, offset: cursor.offset };
  return corrupt ? 'lost' : 'none';
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

async function readIfThere(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return [];
    throw new SpoolDirectoryError(`Cannot read ${directory} (${codeOf(cause)}).`, { cause });
  });
}
