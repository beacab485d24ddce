import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { SpoolVersionError } from './errors.ts';

/** A segment's name, time and salt, stored twice in its first 64 bytes: one intact copy is enough. */
export interface SegmentHeader {
  readonly number: number;
  /**
   * A random number that is part of every record's CRC, so that bytes of another file never pass for this
   * one's.
   */
  readonly salt: number;
  readonly createdAtMs: number;
}

export const FORMAT_VERSION = 1;
const MAGIC = Buffer.from('SPWYSEG\n', 'latin1');
const COPY_BYTES = 32;
export const SEGMENT_HEADER_BYTES = 2 * COPY_BYTES;
const VERSION_AT = 8;
const SALT_AT = 12;
const NUMBER_AT = 16;
const CREATED_AT = 22;
const CRC_AT = 28;
/** Numbers and times have 6 bytes: enough for 280 trillion segments, and for the year 10889. */
const WIDE_BYTES = 6;

const segmentFile = /^(\d{16})\.seg$/;

export function segmentFileName(number: number): string {
  return `${String(number).padStart(16, '0')}.seg`;
}

/** The number in a segment's file name; undefined for any other file. */
export function segmentNumber(fileName: string): number | undefined {
  const number = Number(segmentFile.exec(fileName)?.[1]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

export function newSegmentHeader(number: number): SegmentHeader {
  return { number, salt: randomBytes(4).readUInt32LE(), createdAtMs: Date.now() };
}

export function encodeSegmentHeader({ number, salt, createdAtMs }: SegmentHeader): Buffer {
  const copy = Buffer.alloc(COPY_BYTES);
  MAGIC.copy(copy);
  copy[VERSION_AT] = FORMAT_VERSION;
  copy.writeUInt32LE(salt, SALT_AT);
  copy.writeUIntLE(number, NUMBER_AT, WIDE_BYTES);
  copy.writeUIntLE(createdAtMs, CREATED_AT, WIDE_BYTES);
  copy.writeUInt32LE(crc32(copy.subarray(0, CRC_AT)), CRC_AT);
  return Buffer.concat([copy, copy]);
}

/**
 * The header; undefined when neither copy is intact or it belongs to another segment.
 *
 * @throws SpoolVersionError for an intact header of a newer version
 */
export function decodeSegmentHeader(start: Buffer, expectedNumber: number): SegmentHeader | undefined {
  for (const at of [0, COPY_BYTES]) {
    const copy = start.subarray(at, at + COPY_BYTES);
    if (!isWhole(copy, MAGIC, CRC_AT)) continue;
    refuseNewer(copy[VERSION_AT], segmentFileName(expectedNumber));
    const number = copy.readUIntLE(NUMBER_AT, WIDE_BYTES);
    if (number !== expectedNumber) continue;
    return { number, salt: copy.readUInt32LE(SALT_AT), createdAtMs: copy.readUIntLE(CREATED_AT, WIDE_BYTES) };
  }
  return undefined;
}

/**
 * Whether a block is intact. The magic, the version and the CRC keep their places in every version, so that a
 * flipped bit is not taken for a newer format.
 */
export function isWhole(block: Buffer, magic: Buffer, crcAt: number): boolean {
  if (block.length < crcAt + 4 || !block.subarray(0, magic.length).equals(magic)) return false;
  return crc32(block.subarray(0, crcAt)) === block.readUInt32LE(crcAt);
}

/** @throws SpoolVersionError */
export function refuseNewer(version: number | undefined, file: string): void {
  if (version === undefined || version <= FORMAT_VERSION) return;
  throw new SpoolVersionError(
    `${file} has format version ${version}, and this Spillway knows up to ${FORMAT_VERSION}. Drain the spool with the version that wrote it, or upgrade this one.`,
  );
}
