import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Disk, syncDirectory } from './disk.ts';
import { FORMAT_VERSION, isWhole, refuseNewer } from './segment-format.ts';

/** The place before which Kinesis has acknowledged every record. */
export interface DurableCursor {
  readonly segment: number;
  readonly offset: number;
  /** The salt of the segment, so that a cursor never refers to another file of the same number. */
  readonly salt: number;
}

export interface CursorContent {
  readonly cursor: DurableCursor | undefined;
  /** Whether the file has content, but no intact slot. */
  readonly corrupt: boolean;
  readonly sequence: number;
}

export const CURSOR_FILE = 'cursor';
const MAGIC = Buffer.from('SPWYCUR\n', 'latin1');
const SLOT_BYTES = 64;
/** Each slot has a block of its own, so that a write that is cut off damages only this slot. */
const SLOT_DISTANCE = 4096;
export const CURSOR_BYTES = 2 * SLOT_DISTANCE;
const VERSION_AT = 8;
const SALT_AT = 12;
const SEGMENT_AT = 16;
const OFFSET_AT = 22;
const SEQUENCE_AT = 28;
const CRC_AT = SLOT_BYTES - 4;
const WIDE_BYTES = 6;

/** @throws SpoolVersionError */
export function decodeCursor(content: Buffer): CursorContent {
  let newest: CursorContent = { cursor: undefined, corrupt: content.some((byte) => byte !== 0), sequence: 0 };
  for (const at of [0, SLOT_DISTANCE]) {
    const slot = content.subarray(at, at + SLOT_BYTES);
    if (!isWhole(slot, MAGIC, CRC_AT)) continue;
    refuseNewer(slot[VERSION_AT], CURSOR_FILE);
    const sequence = slot.readUIntLE(SEQUENCE_AT, WIDE_BYTES);
    if (sequence <= newest.sequence) continue;
    const cursor = {
      segment: slot.readUIntLE(SEGMENT_AT, WIDE_BYTES),
      offset: slot.readUIntLE(OFFSET_AT, WIDE_BYTES),
      salt: slot.readUInt32LE(SALT_AT),
    };
    newest = { cursor, corrupt: false, sequence };
  }
  return newest;
}

export function encodeCursor({ segment, offset, salt }: DurableCursor, sequence: number): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES);
  MAGIC.copy(slot);
  slot[VERSION_AT] = FORMAT_VERSION;
  slot.writeUInt32LE(salt, SALT_AT);
  slot.writeUIntLE(segment, SEGMENT_AT, WIDE_BYTES);
  slot.writeUIntLE(offset, OFFSET_AT, WIDE_BYTES);
  slot.writeUIntLE(sequence, SEQUENCE_AT, WIDE_BYTES);
  slot.writeUInt32LE(crc32(slot.subarray(0, CRC_AT)), CRC_AT);
  return slot;
}

/**
 * The cursor's file: two slots, written alternately and in place. That is as safe as a new file and a rename,
 * takes one sync instead of three, and needs no space, so that a full disk can still be drained.
 */
export class CursorFile {
  readonly #disk: Disk;
  readonly #file: FileHandle;
  #sequence: number;

  private constructor(disk: Disk, file: FileHandle, sequence: number) {
    this.#disk = disk;
    this.#file = file;
    this.#sequence = sequence;
  }

  /** @throws SpoolVersionError */
  static async open(directory: string, disk: Disk): Promise<{ file: CursorFile; content: CursorContent }> {
    const file = await disk.open(join(directory, CURSOR_FILE), constants.O_RDWR | constants.O_CREAT);
    try {
      const content = Buffer.alloc(CURSOR_BYTES);
      const { bytesRead } = await file.read(content, 0, CURSOR_BYTES, 0);
      const decoded = decodeCursor(content);
      if (bytesRead < CURSOR_BYTES) {
        await disk.writeDurably(file, content, 0);
        await syncDirectory(directory);
      }
      return { file: new CursorFile(disk, file, decoded.sequence), content: decoded };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Resolves when the cursor is durable. One at a time. */
  async write(cursor: DurableCursor): Promise<void> {
    const sequence = this.#sequence + 1;
    const slot = encodeCursor(cursor, sequence);
    await this.#disk.writeDurably(this.#file, slot, (sequence % 2) * SLOT_DISTANCE);
    this.#sequence = sequence;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
