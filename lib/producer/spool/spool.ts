import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { AcknowledgedRange } from './acknowledged-ranges.ts';
import { AcknowledgementJournal, type JournalEntry } from './acknowledgement-journal.ts';
import type { CursorFile } from './cursor.ts';
import { DamageReport } from './damage-report.ts';
import { type Disk, realDisk, syncDirectory } from './disk.ts';
import {
  codeOf,
  SpoolClosedError,
  SpoolDirectoryError,
  SpoolEntryError,
  SpoolError,
  SpoolFullError,
  SpoolPositionError,
  SpoolRefusedError,
  SpoolWriteError,
} from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { MAX_GROUP_BYTES, type SpoolLimits, spoolLimits } from './limits.ts';
import { lockDirectory, type SpoolLock } from './lock.ts';
import { comparePositions, type SpoolPosition } from './position.ts';
import type { OnProblem } from './problem.ts';
import { nextUnread, Reader, type ReadLimit, type SpooledRecord } from './reader.ts';
import { recordBytes, type SpoolEntry } from './record-format.ts';
import { type Recovered, recover } from './recovery.ts';
import { keepRefused } from './refused.ts';
import { SEGMENT_HEADER_BYTES } from './segment-format.ts';
import { type Segment, SegmentLog } from './segment-log.ts';

export type { SpoolPosition } from './position.ts';
export type { SpoolProblem } from './problem.ts';
export type { ReadLimit, SpooledRecord } from './reader.ts';
export type { SpoolEntry } from './record-format.ts';

export interface SpoolOptions {
  /** Directory of the spool. It is created if its parent exists. Each spool needs its own. */
  readonly directory: string;
  /** Bytes of all segments together. Default 1 GiB, at least 16 KiB. */
  readonly maxBytes?: number;
  /** Bytes of one segment: 4 KiB to 256 MiB, at most a quarter of `maxBytes`. Default 64 MiB, or that quarter. */
  readonly segmentBytes?: number;
  /** Called with what was cut off, skipped or could not be deleted. Must not throw. */
  readonly onProblem?: OnProblem;
  /** Called during `open` with the partition key of each record that the last owner left. Must not throw. */
  readonly onRecord?: (partitionKey: string) => void;
}

/** The bytes of one record in its segment. */
export interface RecordPlace {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

export interface SpoolStats {
  /** Records that are durable and not acknowledged. */
  readonly records: number;
  /** Bytes on disk after the cursor. */
  readonly bytes: number;
  /** Bytes of all segments, including up to 256 KiB of room in the last one; never above `maxBytes`. */
  readonly bytesOnDisk: number;
  /** Bytes that were appended and are not durable yet. */
  readonly waitingBytes: number;
  readonly segments: number;
  /** Bytes cut off at the end of the last segment since `open`: a write that was never acknowledged. */
  readonly tornBytes: number;
  /** Damaged ranges that were skipped since `open`. The number of records in them is unknown. */
  readonly quarantinedRanges: number;
  readonly quarantinedBytes: number;
}

interface Parts extends Recovered {
  readonly limits: SpoolLimits;
  readonly directory: string;
  readonly disk: Disk;
  readonly lock: SpoolLock;
  readonly report: DamageReport;
  readonly onProblem: OnProblem;
}

/**
 * An append-only log on disk for records that no region takes. Records acknowledged by `append` survive the
 * end of the process, a power loss and damage to neighbouring records. A record is removed only after Kinesis
 * acknowledged it. Delivers at least once.
 */
export class Spool {
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #limits: SpoolLimits;
  readonly #lock: SpoolLock;
  readonly #log: SegmentLog;
  readonly #commit: GroupCommit;
  readonly #reader: Reader;
  readonly #report: DamageReport;
  readonly #cursorFile: CursorFile;
  readonly #onProblem: OnProblem;
  #cursor: SpoolPosition;
  /** Where the cursor will be once the acknowledgement in progress is written. */
  #acknowledged: SpoolPosition;
  #acknowledging: Promise<void> | undefined;
  #readAt: SpoolPosition;
  /** The furthest position ever handed out: nothing beyond it can have been acknowledged. */
  #handedOut: SpoolPosition;
  readonly #journal: AcknowledgementJournal;
  /** Records that were acknowledged one by one, and are not in the journal yet. */
  #unjournaled: RecordPlace[] = [];
  #rewinds = 0;
  #reading: Promise<unknown> = Promise.resolve();
  #refusing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#directory = parts.directory;
    this.#disk = parts.disk;
    this.#limits = parts.limits;
    this.#lock = parts.lock;
    this.#report = parts.report;
    this.#onProblem = parts.onProblem;
    this.#cursorFile = parts.cursorFile;
    this.#log = new SegmentLog({
      ...parts,
      onDeleteFailed: ({ number, path }, cause) =>
        parts.onProblem({
          kind: 'segmentNotDeleted',
          segment: number,
          message: `Could not delete ${path}, which was acknowledged; the next start tries again.`,
          cause,
        }),
    });
    this.#commit = new GroupCommit((group) => this.#log.append(group));
    this.#reader = new Reader(this.#log, parts.report);
    this.#journal = new AcknowledgementJournal(parts.directory, parts.disk);
    this.#cursor = parts.cursor;
    this.#acknowledged = this.#readAt = this.#handedOut = this.#prefixFrom(parts.cursor);
  }

  /**
   * Takes the directory, repairs what the last owner left, and reads every record once (about 1 s a GiB).
   *
   * @throws SpoolOptionsError, SpoolDirectoryError, SpoolLockedError, SpoolVersionError
   */
  static async open(options: SpoolOptions, disk: Disk = realDisk): Promise<Spool> {
    const limits = spoolLimits(options);
    const directory = resolve(options.directory);
    await ensureDirectory(directory);
    const lock = await lockDirectory(directory);
    try {
      const onProblem = options.onProblem ?? (() => {});
      const report = new DamageReport(directory, onProblem);
      const { onRecord } = options;
      const recovered = await recover({ directory, disk, report, onProblem, onRecord });
      return new Spool({ ...recovered, limits, directory, disk, lock, report, onProblem });
    } catch (error) {
      await lock.release();
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      throw new SpoolDirectoryError(`Cannot use the spool in ${directory}: ${error.message}.`, {
        cause: error,
      });
    }
  }

  /**
   * Resolves when all entries are durable; they are copied before it returns. Appends made while a sync runs
   * share the next one. At most 4 MiB are gathered; beyond, an append waits its turn, so await it. Entries
   * become durable in the order of the calls. When an append is rejected, those that wait behind it are
   * rejected too.
   *
   * @throws SpoolFullError, SpoolWriteError, SpoolEntryError, SpoolClosedError (all as rejections)
   */
  append(entries: readonly SpoolEntry[]): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    try {
      const bytes = this.#checked(entries);
      if (bytes === 0) return Promise.resolve();
      if (bytes > MAX_GROUP_BYTES && entries.length > 1) return this.#appendInParts(entries);
      return this.#commit.add(entries, bytes);
    } catch (error) {
      return Promise.reject(error instanceof SpoolError ? error : unencodable(error));
    }
  }

  /**
   * Like `append`, for at most 4 MiB or one entry; resolves with the places of the entries.
   *
   * @throws as `append`
   */
  async appendPlaced(entries: readonly SpoolEntry[]): Promise<readonly RecordPlace[]> {
    if (this.#closing !== undefined) throw this.#closedError();
    const bytes = this.#checked(entries);
    // Measured now, because the caller may reuse the data once it is durable.
    const sizes = entries.map(recordBytes);
    const placement = { segment: 0, offset: 0 };
    await this.#commit.add(entries, bytes, placement);
    const { segment, offset } = placement;
    let end = offset;
    return sizes.map((size) => {
      const start = end;
      end += size;
      return { segment, start, end };
    });
  }

  /**
   * The next durable records after `from` that are not acknowledged, and the position to go on from.
   * Independent of `read`, so that one key can be read ahead of another; the same record is returned again
   * until it is acknowledged.
   *
   * @throws SpoolReadError, SpoolClosedError
   */
  readFrom(
    from: SpoolPosition,
    limit: ReadLimit,
  ): Promise<{ readonly records: readonly SpooledRecord[]; readonly next: SpoolPosition }> {
    return this.#inTurn(() => this.#reader.read(from, limit));
  }

  /** Bytes of all segments, and of appends on their way to them. */
  get usedBytes(): number {
    return this.#log.bytes + this.#commit.waitingBytes;
  }

  get maxBytes(): number {
    return this.#limits.maxBytes;
  }

  /** The place of the oldest record that may be unacknowledged. */
  get oldest(): SpoolPosition {
    return this.#acknowledged;
  }

  /** Whether this process, or an earlier one, knows that Kinesis has the record. */
  isAcknowledged({ segment: number, start }: RecordPlace): boolean {
    const { segment, offset } = this.#acknowledged;
    if (number < segment || (number === segment && start < offset)) return true;
    return this.#segment(number)?.acknowledged.at(start) !== undefined;
  }

  /** Whether no durable record is after this position. */
  isAtEnd({ segment, offset }: Pick<SpoolPosition, 'segment' | 'offset'>): boolean {
    const last = this.#log.segments.at(-1);
    return last === undefined || segment > last.number || (segment === last.number && offset >= last.size);
  }

  /**
   * The next durable records in the order of their appends, each once until `rewind`. Empty when there are
   * none now. The data of all records of a call are views of one buffer.
   *
   * @throws SpoolReadError, SpoolClosedError
   */
  read(limit: ReadLimit): Promise<readonly SpooledRecord[]> {
    return this.#inTurn(async () => {
      const rewinds = this.#rewinds;
      const { records, next } = await this.#reader.read(this.#readAt, limit);
      if (rewinds === this.#rewinds) this.#readAt = next;
      if (comparePositions(next, this.#handedOut) > 0) this.#handedOut = next;
      return records;
    });
  }

  /** Runs one read at a time, because reads share a file. */
  #inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
    const reading = this.#reading.then(() => {
      if (this.#closing !== undefined) throw this.#closedError();
      return read();
    });
    this.#reading = reading.catch(() => {});
    return reading;
  }

  /**
   * Makes the next `read` begin at the oldest record that was not acknowledged, even if the cursor could not
   * be written.
   */
  rewind(): void {
    this.#rewinds++;
    this.#readAt = this.#acknowledged;
  }

  /**
   * Acknowledges everything up to and including this record. Resolves when that is durable and the segments
   * before it are deleted. Calls made while one is written share the next write. A position before the cursor
   * is no error and changes nothing.
   *
   * @throws SpoolPositionError, SpoolWriteError, SpoolClosedError
   */
  async acknowledge(through: SpoolPosition): Promise<void> {
    if (this.#closing !== undefined) throw this.#closedError();
    if (comparePositions(through, this.#handedOut) > 0) {
      throw new SpoolPositionError('This position was not read from this spool since it was opened.');
    }
    if (comparePositions(through, this.#acknowledged) > 0) this.#acknowledged = through;
    if (comparePositions(this.#acknowledged, this.#readAt) > 0) this.#readAt = this.#acknowledged;
    await this.#untilCursorAt(through);
  }

  /**
   * Acknowledges these records, whether or not those before them are acknowledged. This process does not read
   * them again; `settle` makes the acknowledgement durable. Each record may be acknowledged only once.
   */
  acknowledgeRecords(places: readonly RecordPlace[]): void {
    for (const place of places) {
      const segment = this.#segment(place.segment);
      if (segment === undefined) continue;
      segment.acknowledged.add({ ...place, records: 1 });
      this.#unjournaled.push(place);
    }
    this.#acknowledged = this.#prefixFrom(this.#acknowledged);
    if (comparePositions(this.#acknowledged, this.#readAt) > 0) this.#readAt = this.#acknowledged;
  }

  /**
   * Makes acknowledgements durable. Resolves with a test for places whose records would not be sent again
   * after a crash. Records behind an older unacknowledged record need an entry in the journal, and get one if
   * `beyondCursor`.
   *
   * @throws SpoolWriteError, SpoolClosedError
   */
  async settle({
    beyondCursor,
  }: {
    readonly beyondCursor: boolean;
  }): Promise<(place: RecordPlace) => boolean> {
    if (this.#closing !== undefined) throw this.#closedError();
    await this.#untilCursorAt(this.#acknowledged);
    const cursor = this.#cursor;
    const isPassed = ({ segment, end }: RecordPlace): boolean =>
      comparePositions({ segment, offset: end }, cursor) <= 0;
    this.#unjournaled = this.#unjournaled.filter((place) => !isPassed(place));
    if (!beyondCursor || this.#unjournaled.length === 0) return isPassed;
    const written = new Set(await this.#journalRest());
    return (place) => isPassed(place) || written.has(place);
  }

  /** Writes the acknowledgements that the cursor has not passed, and returns those written now. */
  async #journalRest(): Promise<readonly RecordPlace[]> {
    const asked = this.#unjournaled;
    if (asked.length === 0 || !(await this.#writeJournal(asked))) return [];
    const written = new Set(asked);
    this.#unjournaled = this.#unjournaled.filter((place) => !written.has(place));
    return asked;
  }

  async #untilCursorAt(through: SpoolPosition): Promise<void> {
    while (comparePositions(this.#cursor, through) < 0) {
      this.#acknowledging ??= this.#moveCursor().finally(() => {
        this.#acknowledging = undefined;
      });
      await this.#acknowledging;
    }
  }

  /**
   * Keeps a record aside that Kinesis will never take. Resolves when it is durable in a file of `refused/`;
   * it may then be acknowledged like a delivered one. At most 1,000 are kept there.
   *
   * @throws SpoolRefusedError, SpoolWriteError, SpoolClosedError
   */
  refuse(record: SpooledRecord, reason: unknown): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    const refusing = this.#refusing.then(async () => {
      const path = await keepRefused({ directory: this.#directory, disk: this.#disk }, record, reason).catch(
        (cause: unknown) => {
          if (cause instanceof SpoolRefusedError) throw cause;
          throw new SpoolWriteError(`Could not keep a refused record in ${this.#directory}.`, { cause });
        },
      );
      const why = reason instanceof Error ? reason.message : String(reason);
      this.#onProblem({
        kind: 'recordRefused',
        segment: record.position.segment,
        message: `A record was refused for good (${why}) and is kept in ${path}. Mend it and put it again, or delete the file.`,
        cause: reason,
      });
    });
    this.#refusing = refusing.catch(() => {});
    return refusing;
  }

  stats(): SpoolStats {
    const { segments, bytesOnDisk } = this.#log;
    const { segment, offset, index } = this.#cursor;
    let records = 0;
    let bytes = 0;
    for (const { number, size, records: all, acknowledged } of segments) {
      if (number < segment) continue;
      const isPartial = number === segment;
      records += all - (isPartial ? index : 0) - acknowledged.records;
      bytes += Math.max(size - (isPartial ? offset : SEGMENT_HEADER_BYTES) - acknowledged.bytes, 0);
    }
    const { tornBytes, quarantinedRanges, quarantinedBytes } = this.#report;
    const waitingBytes = this.#commit.waitingBytes;
    return {
      records,
      bytes,
      bytesOnDisk,
      waitingBytes,
      segments: segments.length,
      tornBytes,
      quarantinedRanges,
      quarantinedBytes,
    };
  }

  /** Waits for appends and acknowledgements, then releases the directory. Can be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#commit.idle();
      await this.#untilCursorAt(this.#acknowledged).catch(() => {});
      await this.#journalRest().catch(() => {});
      await this.#journal.close();
      await this.#reading;
      await this.#refusing;
      await this.#reader.close();
      await this.#log.drop(this.#cursor, { all: true });
      await this.#log.close();
      await this.#cursorFile.close();
    } finally {
      await this.#lock.release();
    }
  }

  /** Bytes that the entries take on disk. @throws SpoolEntryError, SpoolFullError */
  #checked(entries: readonly SpoolEntry[]): number {
    let bytes = 0;
    for (const entry of entries) bytes += recordBytes(entry);
    if (bytes > 0) this.#refuseIfFull(bytes);
    return bytes;
  }

  #segment(number: number): Segment | undefined {
    return this.#log.segments.find((segment) => segment.number === number);
  }

  /** The end of the unbroken run of single acknowledgements that begins at `from`. */
  #prefixFrom(from: SpoolPosition): SpoolPosition {
    let position = from;
    for (const segment of this.#log.segments) {
      if (segment.number < position.segment) continue;
      const isSame = segment.number === position.segment;
      const at = isSame ? position : { offset: SEGMENT_HEADER_BYTES, index: 0 };
      const next = nextUnread(segment, at);
      if (next.offset > at.offset) position = { segment: segment.number, ...next };
      segment.acknowledged.passed(next.offset);
      if (next.offset < segment.size) break;
    }
    return position;
  }

  async #writeJournal(places: readonly RecordPlace[]): Promise<boolean> {
    try {
      return await this.#journal.append(this.#entriesOf(places), () =>
        this.#log.segments.flatMap((segment) =>
          [...segment.acknowledged].map((range) => entryOf(segment, range)),
        ),
      );
    } catch (cause) {
      const message = `Could not write what was acknowledged in ${this.#directory}; it will be sent again after a crash.`;
      this.#onProblem({ kind: 'cursorNotWritten', message, cause });
      throw new SpoolWriteError(message, { cause });
    }
  }

  /** Journal entries of these places; neighbouring places share one. */
  #entriesOf(places: readonly RecordPlace[]): readonly JournalEntry[] {
    const inOrder = places.toSorted((a, b) => a.segment - b.segment || a.start - b.start);
    const entries: JournalEntry[] = [];
    for (const { segment: number, start, end } of inOrder) {
      const last = entries.at(-1);
      if (last !== undefined && last.segment === number && last.end === start) {
        entries[entries.length - 1] = { ...last, end, records: last.records + 1 };
        continue;
      }
      const segment = this.#segment(number);
      if (segment !== undefined) entries.push(entryOf(segment, { start, end, records: 1 }));
    }
    return entries;
  }

  #refuseIfFull(bytes: number): void {
    const { maxBytes } = this.#limits;
    const { usedBytes } = this;
    // The append may need a new segment.
    if (usedBytes + bytes + SEGMENT_HEADER_BYTES <= maxBytes) return;
    throw new SpoolFullError(
      `The spool ${this.#directory} holds ${usedBytes} of at most ${maxBytes} bytes, and ${bytes} more do not fit. Wait until a region takes records again, or raise \`maxBytes\`.`,
      { usedBytes, maxBytes },
    );
  }

  #appendInParts(entries: readonly SpoolEntry[]): Promise<void> {
    let part: SpoolEntry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const more = recordBytes(entry);
      if (part.length > 0 && bytes + more > MAX_GROUP_BYTES) {
        void this.#commit.add(part, bytes);
        part = [];
        bytes = 0;
      }
      part.push(entry);
      bytes += more;
    }
    // When an earlier part fails, all waiting parts fail too, so the last promise stands for all.
    return this.#commit.add(part, bytes);
  }

  async #moveCursor(): Promise<void> {
    const target = this.#acknowledged;
    const salt = this.#log.segments.find(({ number }) => number === target.segment)?.salt ?? 0;
    try {
      await this.#cursorFile.write({ ...target, salt });
    } catch (cause) {
      const message = `Could not write the cursor of ${this.#directory}; records that were sent will be sent again.`;
      this.#onProblem({ kind: 'cursorNotWritten', message, cause });
      throw new SpoolWriteError(message, { cause });
    }
    this.#cursor = target;
    await this.#log.drop(target);
    if (this.#log.segments.every(({ acknowledged }) => acknowledged.size === 0)) await this.#journal.clear();
  }

  #closedError(): SpoolClosedError {
    return new SpoolClosedError(`The spool ${this.#directory} is closed: open it again.`);
  }
}

const entryOf = ({ number, salt }: Segment, { start, end, records }: AcknowledgedRange): JournalEntry => ({
  segment: number,
  salt,
  start,
  end,
  records,
});

function unencodable(cause: unknown): SpoolEntryError {
  return new SpoolEntryError(
    'An entry cannot be encoded; `cause` says why. Nothing of its append was written.',
    {
      cause,
    },
  );
}

async function ensureDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory).then(
      // Otherwise a power loss could remove the directory with all its durable records.
      () => syncDirectory(dirname(directory)),
      (error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
      },
    );
    if ((await stat(directory)).isDirectory()) return;
  } catch (cause) {
    const code = codeOf(cause);
    const advice =
      code === 'ENOENT' ? 'Create its parent first' : 'Choose one that this user may create and write';
    throw new SpoolDirectoryError(`Cannot use ${directory} for a spool (${code}). ${advice}.`, { cause });
  }
  throw new SpoolDirectoryError(`${directory} is not a directory. Name one for the spool alone.`);
}
