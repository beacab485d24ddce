import {
  claimedLength,
  isIntact,
  nextCandidate,
  RECORD_HEADER_BYTES,
  type SegmentBytes,
} from './record-format.ts';

/** Bytes of a segment in which no record could be found; file offsets, `end` excluded. */
export interface Damage {
  readonly start: number;
  readonly end: number;
}

export interface Scan {
  readonly records: number;
  /** File offset after the last intact record. */
  readonly end: number;
  /** Damage that is followed by an intact record. */
  readonly damages: readonly Damage[];
  /**
   * Bytes after the last intact record, without the zeros at the end: these are room for the next records.
   */
  readonly tail: Damage | undefined;
}

/**
 * Limit of a search, as a multiple of the buffer's size. A search may have to try many false candidates, each
 * with a CRC over up to 10 MiB. The limit is enough for any accident; data made to look like records ends the
 * search, and the rest counts as damage.
 */
const SEARCH_BUDGET_FACTOR = 16;
const ZEROS_BYTES = 64 * 1024;
const MIN_SEARCH_BUDGET_BYTES = 64 * 1024 * 1024;

/**
 * Visits all records of `bytes`, which must begin at a record's boundary; `visit` gets each record's file
 * offsets.
 */
export function scan(bytes: SegmentBytes, visit?: (start: number, end: number) => void): Scan {
  const { buffer, base } = bytes;
  const damages: Damage[] = [];
  let records = 0;
  let at = 0;
  let end = 0;
  while (at < buffer.length) {
    const length = claimedLength(bytes, at);
    if (length === undefined || !isIntact(bytes, at, length)) {
      const next = findRecord(bytes, at + 1);
      if (next === undefined) break;
      damages.push({ start: base + at, end: base + next });
      at = next;
      continue;
    }
    visit?.(base + at, base + at + length);
    records++;
    at += length;
    end = at;
  }
  const used = endWithoutZeros(buffer, end);
  const tail = end < used ? { start: base + end, end: base + used } : undefined;
  return { records, end: base + end, damages, tail };
}

/** Where the zeros at the end of the file begin; `from` when there are only zeros from there on. */
function endWithoutZeros(buffer: Buffer, from: number): number {
  const zeros = Buffer.alloc(Math.min(buffer.length - from, ZEROS_BYTES));
  let end = buffer.length;
  while (end > from) {
    const start = Math.max(end - ZEROS_BYTES, from);
    if (buffer.compare(zeros, 0, end - start, start, end) !== 0) break;
    end = start;
  }
  while (end > from && buffer[end - 1] === 0) end--;
  return end;
}

function findRecord(bytes: SegmentBytes, from: number): number | undefined {
  const { buffer } = bytes;
  let budgetBytes = Math.max(buffer.length * SEARCH_BUDGET_FACTOR, MIN_SEARCH_BUDGET_BYTES);
  let at = nextCandidate(bytes, from);
  while (at !== undefined && at + RECORD_HEADER_BYTES < buffer.length) {
    const length = claimedLength(bytes, at);
    if (length !== undefined && at + length <= buffer.length) {
      budgetBytes -= length;
      if (budgetBytes < 0) return undefined;
      if (isIntact(bytes, at, length)) return at;
    }
    at = nextCandidate(bytes, at + 1);
  }
  return undefined;
}
