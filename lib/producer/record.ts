import { RecordError } from './errors.ts';

export interface ProducerRecord {
  /** 1 to 256 characters. Records of one key keep their order. */
  readonly partitionKey: string;
  /**
   * A string is sent as UTF-8; one with half a surrogate pair is refused, as it would come out changed. At most 1 MiB together
   * with the key, or `maxRecordBytes`. Bytes are not copied: leave them alone until the receipt, or what is sent is what they
   * have become, and a record whose buffer was detached or resized is refused.
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
/** What a body has beyond its one record's data, at most: the stream's name, the key with every character escaped, the frame. */
const FRAME_BYTES = 4 * 1024;
const nothing = new Uint8Array(0);

/** Bytes of a record with its key that fit into a request by themselves: what is larger, no region would ever be sent. */
export function largestRecordBytes(encoding: 'cbor' | 'json'): number {
  const room = MAX_BODY_BYTES - FRAME_BYTES;
  return encoding === 'json' ? Math.floor(room / 4) * 3 : room;
}

/** What a record counts in a buffer and in a batch: its bytes, but for what a key has beyond ASCII. */
export function sizeOf({ partitionKey, data }: OutgoingRecord): number {
  return partitionKey.length + data.byteLength;
}

/** @throws RecordError when the bytes are gone, and not just none. Asked where there are none. */
export function assertAttached(bytes: Uint8Array): void {
  try {
    // The one operation that says so of a view that is out of bounds, too.
    nothing.set(bytes);
  } catch (cause) {
    throw new RecordError('The buffer of `data` is detached, or too short for it.', { cause });
  }
}
