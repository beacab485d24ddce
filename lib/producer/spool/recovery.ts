import { constants } from 'node:fs';
import { rm } from 'node:fs/promises';
import { AcknowledgedRanges } from './acknowledged-ranges.ts';
import { type JournalEntry, rangesOf, readJournal } from './acknowledgement-journal.ts';
import { CURSOR_FILE, CursorFile, type DurableCursor } from './cursor.ts';
import type { DamageReport } from './damage-report.ts';
import type { Disk } from './disk.ts';
import type { SpoolPosition } from './position.ts';
import type { OnProblem } from './problem.ts';
import { partitionKeyOf } from './record-format.ts';
import { type Damage, scan } from './scan.ts';
import { SEGMENT_HEADER_BYTES } from './segment-format.ts';
import type { Segment } from './segment-log.ts';
import { listSegments, readSegmentHeader, type SegmentSurvey, surveySegment } from './survey.ts';

export interface Recovered {
  readonly cursorFile: CursorFile;
  readonly cursor: SpoolPosition;
  readonly segments: readonly Segment[];
  readonly nextNumber: number;
  readonly resumeLast: boolean;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly disk: Disk;
  readonly report: DamageReport;
  readonly onProblem: OnProblem;
  /** Called with the partition key of each remaining record. */
  readonly onRecord?: ((partitionKey: string) => void) | undefined;
}

/**
 * Makes the directory's files usable again, however the last owner ended. Only the owner of the directory may
 * call it.
 *
 * @throws SpoolVersionError
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { directory, disk, onProblem } = options;
  const files = await listSegments(directory);
  const { file: cursorFile, content } = await CursorFile.open(directory, disk);
  try {
    const durable = await believable(content.cursor, files);
    if (durable === undefined && (content.corrupt || content.cursor !== undefined)) {
      onProblem({
        kind: 'cursorLost',
        message: `The file \`${CURSOR_FILE}\` in ${directory} cannot be used: every record in the spool is sent again.`,
      });
    }
    const journal = await readJournal(directory);
    const { segments, cursor, tailInDoubt } = await recoverSegments(options, { files, durable, journal });
    if (durable === undefined && content.corrupt) await rebuildCursor(cursorFile, segments);
    const last = segments.at(-1);
    const beyondEnd = last?.number === cursor.segment && cursor.offset > last.size;
    // New records in the place of acknowledged ones that were cut off would pass for acknowledged.
    const acknowledgedBeyond = journal.some(
      ({ segment, salt, end }) => segment === last?.number && salt === last.salt && end > last.size,
    );
    return {
      cursorFile,
      cursor,
      segments,
      nextNumber: Math.max(files.at(-1)?.number ?? 0, durable?.segment ?? 0) + 1,
      // A record appended before the cursor would count as acknowledged.
      resumeLast:
        last !== undefined &&
        last.number === files.at(-1)?.number &&
        !beyondEnd &&
        !acknowledgedBeyond &&
        !tailInDoubt,
    };
  } catch (error) {
    await cursorFile.close();
    throw error;
  }
}

/** Rebuilds the cursor, so that the next start or an inspection does not find it lost again. */
async function rebuildCursor(file: CursorFile, [oldest]: readonly Segment[]): Promise<void> {
  if (oldest === undefined) return;
  const { number, salt } = oldest;
  await file.write({ segment: number, offset: SEGMENT_HEADER_BYTES, salt });
}

/**
 * The cursor, if it can be believed. One about another file of the same number (from a restored backup, for
 * example) cannot.
 */
async function believable(
  cursor: DurableCursor | undefined,
  files: readonly { readonly number: number; readonly path: string }[],
): Promise<DurableCursor | undefined> {
  const file = files.find(({ number }) => number === cursor?.segment);
  if (cursor === undefined || file === undefined) return cursor;
  const header = await readSegmentHeader(file);
  return header === undefined || header.salt === cursor.salt ? cursor : undefined;
}

interface Found {
  readonly files: readonly { readonly number: number; readonly path: string }[];
  readonly durable: DurableCursor | undefined;
  readonly journal: readonly JournalEntry[];
}

async function recoverSegments(
  options: RecoveryOptions,
  { files, durable, journal }: Found,
): Promise<{ segments: readonly Segment[]; cursor: SpoolPosition; tailInDoubt: boolean }> {
  const { report } = options;
  const start = durable ?? { segment: 0, offset: 0 };
  const segments: Segment[] = [];
  let cursor: SpoolPosition = { segment: start.segment, offset: start.offset, index: 0 };
  let tailInDoubt = false;
  for (const file of files) {
    if (file.number < start.segment) {
      // The segment was acknowledged; the owner died before it deleted the file.
      await rm(file.path, { force: true });
      continue;
    }
    const atCursor = file.number === start.segment;
    const survey = await surveySegment(file, atCursor ? start.offset : 0);
    if (survey.header === undefined) {
      await withoutHeader(survey, report);
      continue;
    }
    const isLast = file === files.at(-1);
    const { segment, cut } = await usable(survey, { ...options, isLast, from: atCursor ? start.offset : 0 });
    tailInDoubt = isLast && !cut;
    const from = atCursor ? start.offset : SEGMENT_HEADER_BYTES;
    segment.acknowledged = rangesOf(journal, { header: segment, start: from, end: segment.size });
    segments.push(segment);
    if (options.onRecord !== undefined) tellRecords({ survey, segment, from }, options.onRecord);
    if (atCursor) {
      const offset = start.offset > segment.size ? start.offset : survey.boundary.offset;
      cursor = { segment: segment.number, offset, index: survey.boundary.index };
    }
  }
  return { segments, cursor, tailInDoubt };
}

/**
 * Handles a file that ends within its headers: it was being created, and no record of it was ever
 * acknowledged.
 */
async function withoutHeader({ number, path, bytes }: SegmentSurvey, report: DamageReport): Promise<void> {
  if (bytes.length > SEGMENT_HEADER_BYTES) return report.whole(number, { path, size: bytes.length });
  await rm(path, { force: true });
  if (bytes.length > 0) report.torn(number, bytes.length);
}

async function usable(
  { number, path, bytes, header, scan: scanned }: SegmentSurvey,
  {
    disk,
    report,
    onProblem,
    isLast,
    from,
  }: RecoveryOptions & { readonly isLast: boolean; readonly from: number },
): Promise<{ segment: Segment; cut: boolean }> {
  if (header === undefined) throw new Error('unreachable: a segment without header was taken for usable');
  const { tail } = scanned;
  const damages: Damage[] = [...scanned.damages];
  let size = scanned.end;
  let cut = true;
  if (tail !== undefined && isLast) {
    cut = await cutTail(path, { size: scanned.end, disk }).catch((cause: unknown) => {
      onProblem({
        kind: 'tailNotCut',
        segment: number,
        message: `Could not cut the torn end of ${path}.`,
        cause,
      });
      return false;
    });
    report.torn(number, tail.end - tail.start);
  } else if (tail !== undefined) {
    damages.push(tail);
    size = tail.end;
  }
  for (const damage of damages) {
    // Records that were acknowledged before the damage are no loss.
    if (damage.end <= from) continue;
    await report.range(number, { damage, bytes: bytes.subarray(damage.start, damage.end) });
  }
  const acknowledged = new AcknowledgedRanges();
  return { segment: { ...header, path, size, records: scanned.records, damages, acknowledged }, cut };
}

async function cutTail(
  path: string,
  { size, disk }: { readonly size: number; readonly disk: Disk },
): Promise<boolean> {
  const file = await disk.open(path, constants.O_WRONLY);
  try {
    await disk.cutDurably(file, size);
    return true;
  } finally {
    await file.close();
  }
}

function tellRecords(
  {
    survey,
    segment,
    from,
  }: { readonly survey: SegmentSurvey; readonly segment: Segment; readonly from: number },
  onRecord: (partitionKey: string) => void,
): void {
  const { salt, size, acknowledged } = segment;
  const bytes = {
    buffer: survey.bytes.subarray(SEGMENT_HEADER_BYTES, size),
    base: SEGMENT_HEADER_BYTES,
    salt,
  };
  scan(bytes, (start) => {
    if (start >= from && acknowledged.at(start) === undefined) {
      onRecord(partitionKeyOf(bytes, start - SEGMENT_HEADER_BYTES));
    }
  });
}
