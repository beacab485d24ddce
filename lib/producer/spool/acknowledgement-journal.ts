import { constants } from 'node:fs';
import { type FileHandle, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type AcknowledgedRange, AcknowledgedRanges } from './acknowledged-ranges.ts';
import { type Disk, syncDirectory } from './disk.ts';
import { codeOf } from './errors.ts';
import { FORMAT_VERSION, refuseNewer, type SegmentHeader } from './segment-format.ts';

export const JOURNAL_FILE = 'acknowledged';
const MAGIC = Buffer.from('SPWYACK\n', 'latin1');
export const JOURNAL_HEADER_BYTES = 16;
export const JOURNAL_ENTRY_BYTES = 28;
const VERSION_AT = 8;
// segment u48 | 0 u16 | salt u32 | start u32 | end u32 | records u32 | crc u32; see docs/spool-format.md.
const SALT_AT = 8;
const START_AT = 12;
const END_AT = 16;
const RECORDS_AT = 20;
const CRC_AT = 24;
const WIDE_BYTES = 6;
/** At this size the file is rewritten without the entries that the cursor has passed. */
const REWRITE_BYTES = 4 * 1024 * 1024;
/**
 * Beyond this size, acknowledgements beyond the cursor are no longer written: their records are sent again
 * after a crash.
 */
const MAX_BYTES = 64 * 1024 * 1024;

/** An acknowledged range of one segment. The salt identifies the file, as a number may be used again. */
export interface JournalEntry extends AcknowledgedRange {
  readonly segment: number;
  readonly salt: number;
}

/**
 * The entries up to the first incomplete one, which is a write that was cut off.
 *
 * @throws SpoolVersionError
 */
export function decodeJournal(content: Buffer): readonly JournalEntry[] {
  if (content.length < JOURNAL_HEADER_BYTES || !content.subarray(0, MAGIC.length).equals(MAGIC)) return [];
  refuseNewer(content[VERSION_AT], JOURNAL_FILE);
  const entries: JournalEntry[] = [];
  for (let at = JOURNAL_HEADER_BYTES; at + JOURNAL_ENTRY_BYTES <= content.length; at += JOURNAL_ENTRY_BYTES) {
    const bytes = content.subarray(at, at + JOURNAL_ENTRY_BYTES);
    if (bytes.readUInt32LE(CRC_AT) !== crc32(bytes.subarray(0, CRC_AT))) break;
    entries.push({
      segment: bytes.readUIntLE(0, WIDE_BYTES),
      salt: bytes.readUInt32LE(SALT_AT),
      start: bytes.readUInt32LE(START_AT),
      end: bytes.readUInt32LE(END_AT),
      records: bytes.readUInt32LE(RECORDS_AT),
    });
  }
  return entries;
}

export function encodeJournal(entries: readonly JournalEntry[]): Buffer {
  const content = Buffer.alloc(entries.length * JOURNAL_ENTRY_BYTES);
  for (const [n, { segment, salt, start, end, records }] of entries.entries()) {
    const at = n * JOURNAL_ENTRY_BYTES;
    content.writeUIntLE(segment, at, WIDE_BYTES);
    content.writeUInt32LE(salt, at + SALT_AT);
    content.writeUInt32LE(start, at + START_AT);
    content.writeUInt32LE(end, at + END_AT);
    content.writeUInt32LE(records, at + RECORDS_AT);
    content.writeUInt32LE(crc32(content.subarray(at, at + CRC_AT)), at + CRC_AT);
  }
  return content;
}

/** The journal in this directory; empty when there is none. @throws SpoolVersionError */
export async function readJournal(directory: string): Promise<readonly JournalEntry[]> {
  const content = await readFile(join(directory, JOURNAL_FILE)).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  return decodeJournal(content);
}

/**
 * The ranges that the journal has of one segment between two offsets. Ranges that cannot be true are left
 * out.
 */
export function rangesOf(
  journal: readonly JournalEntry[],
  {
    header: { number, salt },
    start,
    end,
  }: { readonly header: SegmentHeader; readonly start: number; readonly end: number },
): AcknowledgedRanges {
  const ranges = new AcknowledgedRanges();
  let next = start;
  const own = journal.filter((entry) => entry.segment === number && entry.salt === salt);
  for (const range of own.toSorted((a, b) => a.start - b.start)) {
    if (range.start < next || range.end <= range.start || range.end > end) continue;
    ranges.add(range);
    next = range.end;
  }
  return ranges;
}

/**
 * Remembers which records beyond the cursor were acknowledged. A lost entry only causes records to be sent
 * again. An entry never becomes wrong, since a record that Kinesis has acknowledged stays acknowledged. One
 * write at a time.
 */
export class AcknowledgementJournal {
  readonly #directory: string;
  readonly #disk: Disk;
  #file: FileHandle | undefined;
  /** The last owner may have left a journal. */
  #mayExist = true;
  #bytes = 0;
  #rewriteAt = REWRITE_BYTES;

  constructor(directory: string, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /**
   * Resolves when the entries are durable; false when the journal is full. `all`: every range beyond the
   * cursor, these included.
   */
  async append(entries: readonly JournalEntry[], all: () => readonly JournalEntry[]): Promise<boolean> {
    if (entries.length === 0) return true;
    const bytes = entries.length * JOURNAL_ENTRY_BYTES;
    if (this.#file === undefined || this.#bytes + bytes > this.#rewriteAt) return this.#rewrite(all());
    try {
      await this.#disk.writeDurably(this.#file, encodeJournal(entries), this.#bytes);
    } catch (error) {
      // Nothing may be written after an incomplete entry, since reading ends there.
      await this.close();
      throw error;
    }
    this.#bytes += bytes;
    return true;
  }

  /** Empties the journal, because the cursor has passed everything. */
  async clear(): Promise<void> {
    if (!this.#mayExist) return;
    await this.close();
    this.#mayExist = false;
    await rm(join(this.#directory, JOURNAL_FILE), { force: true });
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #rewrite(entries: readonly JournalEntry[]): Promise<boolean> {
    const bytes = JOURNAL_HEADER_BYTES + entries.length * JOURNAL_ENTRY_BYTES;
    if (bytes > MAX_BYTES) return false;
    await this.close();
    const path = join(this.#directory, JOURNAL_FILE);
    const header = Buffer.alloc(JOURNAL_HEADER_BYTES);
    MAGIC.copy(header);
    header[VERSION_AT] = FORMAT_VERSION;
    this.#mayExist = true;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
    const file = await this.#disk.open(`${path}.new`, flags);
    try {
      await this.#disk.writeDurably(file, Buffer.concat([header, encodeJournal(entries)]), 0);
      await rename(`${path}.new`, path);
      await syncDirectory(this.#directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#bytes = bytes;
    this.#rewriteAt = Math.max(REWRITE_BYTES, bytes * 2);
    return true;
  }
}
