import { constants } from 'node:fs';
import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AcknowledgedRanges } from './acknowledged-ranges.ts';
import { type Disk, syncDirectory } from './disk.ts';
import { codeOf, SpoolFullError, SpoolWriteError } from './errors.ts';
import type { Group, GroupPlace } from './group-commit.ts';
import { GROWTH_BYTES, MAX_SEGMENTS, RETIRE_BYTES, type SpoolLimits } from './limits.ts';
import { comparePositions, type SpoolPosition } from './position.ts';
import { sealRecords } from './record-format.ts';
import type { Damage } from './scan.ts';
import {
  encodeSegmentHeader,
  newSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentFileName,
} from './segment-format.ts';

/** One file of the log. Bytes within `size` are durable. */
export interface Segment extends SegmentHeader {
  readonly path: string;
  size: number;
  records: number;
  /** Ranges to skip as damaged; in order, not overlapping. */
  damages: readonly Damage[];
  /** Acknowledged ranges beyond the cursor; skipped as well. */
  acknowledged: AcknowledgedRanges;
}

export interface SegmentLogOptions {
  readonly directory: string;
  readonly limits: SpoolLimits;
  readonly disk: Disk;
  /** Oldest first. */
  readonly segments: readonly Segment[];
  /** Higher than every segment number that was ever used. */
  readonly nextNumber: number;
  /**
   * Whether the last segment may grow. It may not when the cursor is beyond its end, or its end is in doubt.
   */
  readonly resumeLast: boolean;
  readonly onDeleteFailed: (segment: Segment, cause: unknown) => void;
}

/** The segment that grows. */
interface Active {
  readonly segment: Segment;
  readonly file: FileHandle;
  /** The length of the file, including the zeros after the records. */
  length: number;
}

/** Codes of a full disk, or of a quota or size limit: what was written before is unharmed. */
const outOfSpace = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The segments of the log, of which only the last one grows. One append at a time. */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  #segments: Segment[];
  #bytes = 0;
  #nextNumber: number;
  #active: Active | undefined;
  #resumable: Segment | undefined;
  #appending = false;

  constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#segments = [...options.segments];
    for (const { size } of options.segments) this.#bytes += size;
    this.#nextNumber = options.nextNumber;
    this.#resumable = options.resumeLast ? this.#segments.at(-1) : undefined;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Bytes of headers and records. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of headers and records, and of the room for the next ones. */
  get bytesOnDisk(): number {
    return this.#bytes + (this.#active === undefined ? 0 : this.#active.length - this.#active.segment.size);
  }

  /** @throws SpoolWriteError, SpoolFullError */
  async append({ buffer, used, records }: Group): Promise<GroupPlace> {
    this.#appending = true;
    try {
      const active = await this.#activeFor(used);
      const { segment } = active;
      sealRecords(buffer, used, { salt: segment.salt, offset: segment.size });
      try {
        await this.#write(active, buffer.subarray(0, used));
      } catch (cause) {
        await this.#cutBack(cause);
        throw writeError(segment.path, cause);
      }
      const place = { segment: segment.number, offset: segment.size };
      segment.size += used;
      segment.records += records;
      this.#bytes += used;
      return place;
    } finally {
      this.#appending = false;
    }
  }

  async #write(active: Active, records: Buffer): Promise<void> {
    const { disk } = this.#options;
    const { segment, file } = active;
    const end = segment.size + records.length;
    const room = end > active.length ? this.#roomAfter(end, records.length) : 0;
    if (room > 0) {
      try {
        await disk.writeDurably(file, Buffer.concat([records], records.length + room), segment.size);
        active.length = end + room;
        return;
      } catch (error) {
        // The records may fit without the zeros.
        if (!outOfSpace.has(codeOf(error) ?? '')) throw error;
      }
    }
    await disk.writeDurably(file, records, segment.size);
    active.length = Math.max(active.length, end);
  }

  /**
   * Bytes of zeros to write after `end`: up to the next step, but within the limits of the segment and of the
   * log.
   */
  #roomAfter(end: number, added: number): number {
    const { segmentBytes, maxBytes } = this.#options.limits;
    const toStep = GROWTH_BYTES - (end % GROWTH_BYTES);
    return Math.max(Math.min(toStep, segmentBytes - end, maxBytes - this.#bytes - added), 0);
  }

  /**
   * Deletes the segments that hold nothing after `position`. Deletes the growing one only when that is worth
   * it, or with `all`.
   */
  async drop(position: Pick<SpoolPosition, 'segment' | 'offset'>, { all = false } = {}): Promise<void> {
    const active = this.#active?.segment;
    const growing = active ?? this.#resumable;
    const gone = this.#segments.filter((segment) => {
      if (comparePositions({ segment: segment.number, offset: segment.size }, position) > 0) return false;
      return segment !== growing || (!this.#appending && (all || segment.size >= RETIRE_BYTES));
    });
    if (gone.length === 0) return;
    this.#forget(gone);
    if (growing !== undefined && gone.includes(growing)) await this.#retire();
    for (const segment of gone) await this.#remove(segment);
  }

  async close(): Promise<void> {
    await this.#retire();
  }

  async #activeFor(bytes: number): Promise<Active> {
    const { disk, limits } = this.#options;
    const fits = ({ size }: Segment): boolean =>
      size + bytes <= limits.segmentBytes || size === SEGMENT_HEADER_BYTES;
    if (this.#active !== undefined && fits(this.#active.segment)) return this.#active;
    const resumable = this.#resumable;
    await this.#retire();
    if (resumable !== undefined && fits(resumable)) {
      try {
        const file = await disk.open(resumable.path, constants.O_WRONLY);
        const { size } = await file.stat();
        this.#active = { segment: resumable, file, length: size };
        return this.#active;
      } catch (cause) {
        throw writeError(resumable.path, cause);
      }
    }
    return this.#create();
  }

  async #create(): Promise<Active> {
    const { directory, disk, limits } = this.#options;
    if (this.#segments.length >= MAX_SEGMENTS) {
      throw new SpoolFullError(
        `The spool ${directory} has ${MAX_SEGMENTS} segments, as many as it may. Drain it (\`spillway spool drain\`).`,
        { usedBytes: this.bytes, maxBytes: limits.maxBytes },
      );
    }
    const header = newSegmentHeader(this.#nextNumber++);
    const path = join(directory, segmentFileName(header.number));
    let file: FileHandle | undefined;
    try {
      file = await disk.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      await disk.writeDurably(file, encodeSegmentHeader(header), 0);
      await syncDirectory(directory);
    } catch (cause) {
      await file?.close().catch(() => {});
      if (file !== undefined) await rm(path, { force: true }).catch(() => {});
      throw writeError(path, cause);
    }
    const segment: Segment = {
      ...header,
      path,
      size: SEGMENT_HEADER_BYTES,
      records: 0,
      damages: [],
      acknowledged: new AcknowledgedRanges(),
    };
    this.#segments.push(segment);
    this.#bytes += segment.size;
    this.#active = { segment, file, length: segment.size };
    return this.#active;
  }

  /**
   * Undoes a failed write, so that its records do not reappear later. After any error but a full disk,
   * nothing is written to the file any more: after a failed sync, the content of its pages is unknown.
   */
  async #cutBack(cause: unknown): Promise<void> {
    if (this.#active === undefined) return;
    const { segment, file } = this.#active;
    try {
      await this.#options.disk.cutDurably(file, segment.size);
      this.#active.length = segment.size;
      if (outOfSpace.has(codeOf(cause) ?? '')) return;
    } catch {
      // Recovery cuts or quarantines the rest; no caller was told that it is durable.
    }
    await this.#retire();
    if (segment.records > 0) return;
    this.#forget([segment]);
    await this.#remove(segment);
  }

  #forget(gone: readonly Segment[]): void {
    this.#segments = this.#segments.filter((segment) => !gone.includes(segment));
    for (const { size } of gone) this.#bytes -= size;
  }

  async #remove(segment: Segment): Promise<void> {
    await rm(segment.path, { force: true }).catch((error: unknown) =>
      this.#options.onDeleteFailed(segment, error),
    );
  }

  async #retire(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    this.#resumable = undefined;
    if (active === undefined) return;
    // Zeros that remain are harmless: a power loss may bring them back.
    if (active.length > active.segment.size) await active.file.truncate(active.segment.size).catch(() => {});
    await active.file.close().catch(() => {});
  }
}

function writeError(path: string, cause: unknown): SpoolWriteError {
  const code = codeOf(cause) ?? 'unknown error';
  const advice = outOfSpace.has(code)
    ? 'Free space on that file system: appends work again by themselves.'
    : 'Check the disk; records acknowledged before are still in the spool.';
  return new SpoolWriteError(`Could not write ${path} (${code}). ${advice}`, { cause });
}
