/**
 * Version 1 of the envelope, byte by byte. docs/envelope.md has the same for readers in other languages.
 * Numbers are big-endian.
 */
export const layout = {
  magic: 0,
  version: 4,
  flags: 5,
  reserved: 6,
  producerId: 8,
  epoch: 24,
  sequence: 28,
  recordId: 36,
  checksum: 52,
  data: 56,
} as const;

/**
 * 0xC1 and "SPW". 0xC1 begins no UTF-8 text and no MessagePack value, and is none of the first bytes of gzip, zstd,
 * Avro, Parquet or a KPL aggregate.
 */
export const MAGIC = Uint8Array.of(0xc1, 0x53, 0x50, 0x57);
export const VERSION = 1;
export const ID_BYTES = 16;

export const flags = {
  /** The producer remembers no earlier record of this key in this epoch, so no gap can be inferred before it. */
  first: 0b0000_0001,
} as const;
export const KNOWN_FLAGS = flags.first;
export const MAX_EPOCH = 0xffff_ffff;
