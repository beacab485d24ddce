import { SpoolOptionsError } from './errors.ts';

const MiB = 1024 * 1024;

/** Kinesis takes keys of 256 characters (PutRecordsRequestEntry), of up to 4 bytes each in UTF-8. */
export const MAX_KEY_BYTES = 1024;
/** An explicit hash key is a decimal number of 128 bits. */
export const MAX_HASH_KEY_BYTES = 39;
/** The largest record that a stream can be set to take. */
export const MAX_DATA_BYTES = 10 * MiB;
/**
 * Waiting appends are gathered up to this size; further ones wait for their turn, in buffers of their own.
 */
export const MAX_GROUP_BYTES = 4 * MiB;
/** Most segment files in the directory, whatever their size. */
export const MAX_SEGMENTS = 10_000;
/**
 * A segment grows in steps of this size, by zeros that go with a write. The syncs of the following writes
 * then have no new file size and no new blocks to make durable, which halves their time on ext4 (measured).
 * Larger steps gain nothing.
 */
export const GROWTH_BYTES = 256 * 1024;
/** A drained segment of this size is deleted immediately instead of being filled first. */
export const RETIRE_BYTES = MiB;

const MIN_SEGMENT_BYTES = 4096;
const MAX_SEGMENT_BYTES = 256 * MiB;
const DEFAULT_MAX_BYTES = 1024 * MiB;
const DEFAULT_SEGMENT_BYTES = 64 * MiB;
/** Fewer segments would keep too much acknowledged data within `maxBytes`. */
const MIN_SEGMENTS = 4;

export interface SpoolLimits {
  readonly maxBytes: number;
  readonly segmentBytes: number;
}

/** @throws SpoolOptionsError */
export function spoolLimits(options: {
  readonly maxBytes?: number;
  readonly segmentBytes?: number;
}): SpoolLimits {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const fitting = Math.min(DEFAULT_SEGMENT_BYTES, Math.floor(maxBytes / MIN_SEGMENTS));
  const segmentBytes = options.segmentBytes ?? fitting;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < MIN_SEGMENTS * MIN_SEGMENT_BYTES) {
    throw new SpoolOptionsError(
      `\`maxBytes\` is ${maxBytes}; write a whole number from ${MIN_SEGMENTS * MIN_SEGMENT_BYTES}.`,
    );
  }
  if (
    !Number.isSafeInteger(segmentBytes) ||
    segmentBytes < MIN_SEGMENT_BYTES ||
    segmentBytes > MAX_SEGMENT_BYTES
  ) {
    throw new SpoolOptionsError(
      `\`segmentBytes\` is ${segmentBytes}; write a whole number from ${MIN_SEGMENT_BYTES} to ${MAX_SEGMENT_BYTES}.`,
    );
  }
  if (segmentBytes * MIN_SEGMENTS > maxBytes) {
    throw new SpoolOptionsError(
      `\`segmentBytes\` is ${segmentBytes}, more than a quarter of \`maxBytes\` (${maxBytes}); write at most ${fitting}.`,
    );
  }
  return { maxBytes, segmentBytes };
}
