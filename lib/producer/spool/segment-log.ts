import { constants } from 'node:fs';
import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, syncDirectory } from './disk.ts';
import { codeOf, SpoolFullError, SpoolWriteError } from './errors.ts';
import type { Group } from './group-commit.ts';
import { MAX_SEGMENTS, RETIRE_BYTES, type SpoolLimits } from './limits.ts';
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

/** One file of the log. What is within `size` is durable. */
export interface Segment extends SegmentHeader {
  readonly path: string;
  size: number;
  records: number;
  /** To be skipped; in order, not overlapping. */
  damages: readonly Damage[];
}

export interface SegmentLogOptions {
  readonly directory: string;
  readonly limits: SpoolLimits;
  readonly disk: Disk;
  /** Oldest first. */
  readonly segments: readonly Segment[];
  /** Higher than every number that was ever used. */
  readonly nextNumber: number;
  /** Whether the last segment may grow: not when the cursor is beyond its end, or its end is in doubt. */
  readonly resumeLast: boolean;
  readonly onDeleteFailed: (segment: Segment, cause: unknown) => void;
}

/** The disk is full, or a quota or size limit reached: what was written before is unharmed. */
const outOfSpace = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The segments, of which the last one grows. One append at a time. */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  #segments: Segment[];
  #bytesOnDisk = 0;
  #nextNumber: number;
  #active: { readonly segment: Segment; readonly file: FileHandle } | undefined;
  #resumable: Segment | undefined;
  #appending = false;

  constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#segments = [...options.segments];
    for (const { size } of options.segments) this.#bytesOnDisk += size;
    this.#nextNumber = options.nextNumber;
    this.#resumable = options.resumeLast ? this.#segments.at(-1) : undefined;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get bytesOnDisk(): number {
    return this.#bytesOnDisk;
  }

  /** @throws SpoolWriteError, SpoolFullError */
  async append({ buffer, used, records }: Group): Promise<void> {
    this.#appending = true;
    try {
      const { segment, file } = await this.#activeFor(used);
      sealRecords(buffer, used, { salt: segment.salt, offset: segment.size });
      try {
        await this.#options.disk.writeDurably(file, buffer.subarray(0, used), segment.size);
      } catch (cause) {
        await this.#cutBack(cause);
        throw writeError(segment.path, cause);
      }
      segment.size += used;
      this.#bytesOnDisk += used;
      segment.records += records;
    } finally {
      this.#appending = false;
    }
  }

  /** Deletes the segments that hold nothing after `position`; the growing one only when that is worth it, or `all`. */
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

  async #activeFor(bytes: number): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
    const { disk, limits } = this.#options;
    const fits = ({ size }: Segment): boolean =>
      size + bytes <= limits.segmentBytes || size === SEGMENT_HEADER_BYTES;
    if (this.#active !== undefined && fits(this.#active.segment)) return this.#active;
    const resumable = this.#resumable;
    await this.#retire();
    if (resumable !== undefined && fits(resumable)) {
      try {
        this.#active = { segment: resumable, file: await disk.open(resumable.path, constants.O_WRONLY) };
        return this.#active;
      } catch (cause) {
        throw writeError(resumable.path, cause);
      }
    }
    return this.#create();
  }

  async #create(): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
    const { directory, disk, limits } = this.#options;
    if (this.#segments.length >= MAX_SEGMENTS) {
      throw new SpoolFullError(
        `The spool ${directory} has ${MAX_SEGMENTS} segments, as many as it may. Drain it (\`spillway spool drain\`).`,
        { usedBytes: this.bytesOnDisk, maxBytes: limits.maxBytes },
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
    const segment: Segment = { ...header, path, size: SEGMENT_HEADER_BYTES, records: 0, damages: [] };
    this.#segments.push(segment);
    this.#bytesOnDisk += segment.size;
    this.#active = { segment, file };
    return this.#active;
  }

  /**
   * Takes a failed write back, so that its records do not come to life later. After anything but a full disk, the file
   * is left alone from then on: a failed sync says nothing about what the pages hold.
   */
  async #cutBack(cause: unknown): Promise<void> {
    if (this.#active === undefined) return;
    const { segment, file } = this.#active;
    try {
      await this.#options.disk.cutDurably(file, segment.size);
      if (outOfSpace.has(codeOf(cause) ?? '')) return;
    } catch {
      // Recovery cuts or quarantines what is left; nobody was told that it is durable.
    }
    await this.#retire();
    if (segment.records > 0) return;
    this.#forget([segment]);
    await this.#remove(segment);
  }

  #forget(gone: readonly Segment[]): void {
    this.#segments = this.#segments.filter((segment) => !gone.includes(segment));
    for (const { size } of gone) this.#bytesOnDisk -= size;
  }

  async #remove(segment: Segment): Promise<void> {
    await rm(segment.path, { force: true }).catch((error: unknown) =>
      this.#options.onDeleteFailed(segment, error),
    );
  }

  async #retire(): Promise<void> {
    const file = this.#active?.file;
    this.#active = undefined;
    this.#resumable = undefined;
    await file?.close().catch(() => {});
  }
}

function writeError(path: string, cause: unknown): SpoolWriteError {
  const code = codeOf(cause) ?? 'unknown error';
  const advice = outOfSpace.has(code)
    ? 'Free space on that file system: appends work again by themselves.'
    : 'Check the disk; records acknowledged before are still in the spool.';
  return new SpoolWriteError(`Could not write ${path} (${code}). ${advice}`, { cause });
}
