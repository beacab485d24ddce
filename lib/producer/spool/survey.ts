import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Scan, scan } from './scan.ts';
import { readSegmentFile } from './segment-file.ts';
import {
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentNumber,
} from './segment-format.ts';

/** The content of one segment's file. A survey changes nothing. */
export interface SegmentSurvey {
  readonly number: number;
  readonly path: string;
  readonly bytes: Buffer;
  /** Undefined when neither copy is intact: then no record can be recognised. */
  readonly header: SegmentHeader | undefined;
  readonly scan: Scan;
  /** The last record boundary at or before the given offset, and the number of intact records up to there. */
  readonly boundary: { readonly offset: number; readonly index: number };
}

/** The segments in the directory, by ascending number. Other files are ignored. */
export async function listSegments(directory: string): Promise<readonly { number: number; path: string }[]> {
  const names = await readdir(directory);
  const segments = names.flatMap((name) => {
    const number = segmentNumber(name);
    return number === undefined ? [] : [{ number, path: join(directory, name) }];
  });
  return segments.sort((a, b) => a.number - b.number);
}

/** @throws SpoolVersionError */
export async function readSegmentHeader({
  number,
  path,
}: {
  readonly number: number;
  readonly path: string;
}): Promise<SegmentHeader | undefined> {
  return decodeSegmentHeader(await readSegmentFile(path, SEGMENT_HEADER_BYTES), number);
}

/**
 * Reads a whole segment (up to 256 MiB at a time) and checks every record.
 *
 * @throws SpoolVersionError
 */
export async function surveySegment(
  { number, path }: { readonly number: number; readonly path: string },
  boundaryAt = 0,
): Promise<SegmentSurvey> {
  const bytes = await readSegmentFile(path);
  const header = decodeSegmentHeader(bytes, number);
  const boundary = { offset: SEGMENT_HEADER_BYTES, index: 0 };
  if (header === undefined) {
    const nothing = { records: 0, end: 0, damages: [], tail: { start: 0, end: bytes.length } };
    return { number, path, bytes, header, scan: nothing, boundary };
  }
  const records = {
    buffer: bytes.subarray(SEGMENT_HEADER_BYTES),
    base: SEGMENT_HEADER_BYTES,
    salt: header.salt,
  };
  const scanned = scan(records, (start, end) => {
    if (start <= boundaryAt) boundary.offset = Math.max(boundary.offset, start);
    if (end > boundaryAt) return;
    boundary.offset = end;
    boundary.index++;
  });
  return { number, path, bytes, header, scan: scanned, boundary };
}
