import { type FileHandle, open } from 'node:fs/promises';
import type { DamageReport } from './damage-report.ts';
import { codeOf, SpoolReadError } from './errors.ts';
import type { SpoolPosition } from './position.ts';
import { claimedLength, decodeRecord, isIntact, type SpoolEntry } from './record-format.ts';
import { type Damage, scan } from './scan.ts';
import { readAt } from './segment-file.ts';
import { SEGMENT_HEADER_BYTES } from './segment-format.ts';
import type { Segment, SegmentLog } from './segment-log.ts';

export interface SpooledRecord extends SpoolEntry {
  /** The place right after the record. Acknowledging it covers this record and all before it. */
  readonly position: SpoolPosition;
  /** Bytes of the record in its segment; they end at `position`. */
  readonly bytesOnDisk: number;
}

export interface ReadLimit {
  /** At most this many records… */
  readonly records: number;
  /** …and this many bytes of keys and data; but always one record, if there is one. */
  readonly bytes: number;
}

const MIN_WINDOW_BYTES = 64 * 1024;
const MAX_WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * Reads the durable records in order. Checks each one again, because a file that was intact at the start may
 * have been damaged since.
 */
export class Reader {
  readonly #log: SegmentLog;
  readonly #report: DamageReport;
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;

  constructor(log: SegmentLog, report: DamageReport) {
    this.#log = log;
    this.#report = report;
  }

  /** The records after `from`, and the position to go on from (also past damage and ended segments). */
  async read(
    from: SpoolPosition,
    limit: ReadLimit,
  ): Promise<{ readonly records: readonly SpooledRecord[]; readonly next: SpoolPosition }> {
    const records: SpooledRecord[] = [];
    let next = from;
    let bytes = 0;
    for (;;) {
      const step = this.#segmentAt(next);
      if (step === undefined) break;
      next = step.position;
      const room = { records: limit.records - records.length, bytes: limit.bytes - bytes };
      if (room.records <= 0 || (records.length > 0 && room.bytes <= 0)) break;
      const found = await this.#readSome(step.segment, { position: next, room, first: records.length === 0 });
      if (found === 'full') break;
      for (const record of found) {
        records.push(record);
        bytes += Buffer.byteLength(record.partitionKey) + record.data.byteLength;
        next = record.position;
      }
    }
    return { records, next };
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  /** The segment to read from at or after `position`, and where in it; undefined at the end. */
  #segmentAt(position: SpoolPosition): { segment: Segment; position: SpoolPosition } | undefined {
    for (const segment of this.#log.segments) {
      if (segment.number < position.segment) continue;
      const isSame = segment.number === position.segment;
      const at = isSame ? position : { offset: SEGMENT_HEADER_BYTES, index: 0 };
      const next = nextUnread(segment, at);
      if (next.offset >= segment.size) continue;
      return { segment, position: { segment: segment.number, ...next } };
    }
    return undefined;
  }

  /**
   * Reads at least one record. Returns none if it found only damage, and 'full' if the next one is too large
   * for the room.
   */
  async #readSome(
    segment: Segment,
    { position, room, first }: { position: SpoolPosition; room: ReadLimit; first: boolean },
  ): Promise<readonly SpooledRecord[] | 'full'> {
    const { offset } = position;
    const stop = segment.damages.find(({ start }) => start >= offset)?.start ?? segment.size;
    let length = Math.min(stop - offset, windowBytes(segment, room));
    const handle = await this.#open(segment.path);
    for (;;) {
      const buffer = await readAt(handle, { offset, length });
      const bytes = { buffer, base: offset, salt: segment.salt };
      const claimed = claimedLength(bytes, 0);
      if (claimed !== undefined && claimed > length && offset + claimed <= stop) {
        length = claimed;
        continue;
      }
      if (claimed === undefined || !isIntact(bytes, 0, claimed)) {
        await this.#skipDamage(segment, position);
        return [];
      }
      const records = decodeAll(bytes, { segment, position, room, first });
      // A first read may find none: its records were acknowledged during the read, and the next read begins
      // after them.
      return records.length === 0 && !first ? 'full' : records;
    }
  }

  /** Searches the rest of the segment for intact records; marks what is between them as damage. */
  async #skipDamage(segment: Segment, { offset, index }: SpoolPosition): Promise<void> {
    const { size } = segment;
    const expected = segment.records - index;
    const handle = await this.#open(segment.path);
    const buffer = await readAt(handle, { offset, length: size - offset });
    const scanned = scan({ buffer, base: offset, salt: segment.salt });
    const found: Damage[] = [...scanned.damages];
    if (scanned.end < size) found.push({ start: scanned.end, end: size });
    segment.damages = [...segment.damages.filter(({ end }) => end <= offset), ...found];
    // Appends may have added records meanwhile.
    segment.records += scanned.records - expected;
    for (const damage of found) {
      const bytes = buffer.subarray(damage.start - offset, damage.end - offset);
      await this.#report.range(segment.number, { damage, bytes });
    }
  }

  async #open(path: string): Promise<FileHandle> {
    if (this.#file?.path === path) return this.#file.handle;
    await this.close();
    const handle = await open(path, 'r').catch((cause: unknown) => {
      throw new SpoolReadError(
        `Could not open ${path} (${codeOf(cause)}). Restart with the file back, or without it.`,
        {
          cause,
        },
      );
    });
    this.#file = { path, handle };
    return handle;
  }
}

/** About the size of the records that may be returned; bytes read beyond them are read again later. */
function windowBytes({ size, records }: Segment, room: ReadLimit): number {
  const recordBytes = Math.ceil(size / Math.max(records, 1));
  const wanted = Math.min(room.bytes, room.records * recordBytes);
  return Math.min(Math.max(wanted, MIN_WINDOW_BYTES), MAX_WINDOW_BYTES);
}

/** The next place that is neither damaged nor acknowledged already. */
export function nextUnread(
  { damages, acknowledged }: Segment,
  from: Pick<SpoolPosition, 'offset' | 'index'>,
): Pick<SpoolPosition, 'offset' | 'index'> {
  let { offset, index } = from;
  for (;;) {
    const range = acknowledged.size === 0 ? undefined : acknowledged.at(offset);
    if (range !== undefined) {
      offset = range.end;
      index += range.records;
      continue;
    }
    const damage = damages.find(({ start, end }) => start <= offset && offset < end);
    if (damage === undefined) return { offset, index };
    offset = damage.end;
  }
}

function decodeAll(
  bytes: Parameters<typeof decodeRecord>[0],
  {
    segment: { acknowledged },
    position,
    room,
    first,
  }: { segment: Segment; position: SpoolPosition; room: ReadLimit; first: boolean },
): readonly SpooledRecord[] {
  const records: SpooledRecord[] = [];
  let { index } = position;
  let at = 0;
  let left = room.bytes;
  while (records.length < room.records) {
    const done = acknowledged.size === 0 ? undefined : acknowledged.at(position.offset + at);
    if (done !== undefined) {
      at = done.end - position.offset;
      index += done.records;
      continue;
    }
    const length = claimedLength(bytes, at);
    if (length === undefined || at + length > bytes.buffer.length || !isIntact(bytes, at, length)) break;
    const entry = decodeRecord(bytes, at, length);
    left -= Buffer.byteLength(entry.partitionKey) + entry.data.byteLength;
    if (left < 0 && !(first && records.length === 0)) break;
    at += length;
    index++;
    const offset = position.offset + at;
    records.push({ ...entry, position: { segment: position.segment, offset, index }, bytesOnDisk: length });
  }
  return records;
}
