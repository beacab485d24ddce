import { RecordError } from './errors.ts';

export interface ProducerRecord {
  /** 1 to 256 characters. Records of one key keep their order. */
  readonly partitionKey: string;
  /**
   * Data of the record. A string is sent as UTF-8; one with half a surrogate pair is refused, as it would
   * arrive changed. At most 1 MiB together with the key, or `maxRecordBytes`. Bytes are not copied, so do not
   * change them before the receipt: later changes are sent, and a record whose buffer was detached or resized
   * is refused.
   */
  readonly data: Uint8Array | string;
  /** Overrides the shard that the key's hash would choose: a decimal number below 2^128, in a string. */
  readonly explicitHashKey?: string | undefined;
}

/** A record in the form that transports and the spool take. */
export interface OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly explicitHashKey?: string | undefined;
}

const MAX_BODY_BYTES = 10 * 1024 * 1024;
/**
 * Most bytes of a body beyond the data of its one record: the stream's name, the key with every character
 * escaped, the frame.
 */
const FRAME_BYTES = 4 * 1024;
const nothing = new Uint8Array(0);

/**
 * Most bytes of a record with its key that fit into a request alone: a larger record could never be sent to
 * any region.
 */
export function largestRecordBytes(encoding: 'cbor' | 'json'): number {
  const room = MAX_BODY_BYTES - FRAME_BYTES;
  return encoding === 'json' ? Math.floor(room / 4) * 3 : room;
}

/**
 * The size of a record in a buffer and in a batch: its bytes, but a character of the key beyond ASCII counts
 * as one.
 */
export function sizeOf({ partitionKey, data }: OutgoingRecord): number {
  return partitionKey.length + data.byteLength;
}

/**
 * Checks that a buffer without bytes was not detached. Call it only for empty buffers.
 *
 * @throws RecordError
 */
export function assertAttached(bytes: Uint8Array): void {
  try {
    // The only operation that throws for a view that is out of bounds, too.
    nothing.set(bytes);
  } catch (cause) {
    throw new RecordError('The buffer of `data` is detached, or too short for it.', { cause });
  }
}
