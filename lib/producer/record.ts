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
/** Reads the length itself, whatever a subclass or a property of the same name would say. */
const byteLengthGetter = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  'byteLength',
)?.get as () => number;
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

/** Never runs code of the caller's. 0 when the buffer is detached, or too short for the view. */
export function byteLengthOf(bytes: Uint8Array): number {
  return byteLengthGetter.call(bytes);
}

/** Whether the bytes are gone, and not just none. */
export function isDetached(bytes: Uint8Array): boolean {
  if (byteLengthOf(bytes) > 0) return false;
  try {
    // The one operation that says so for a view that is out of bounds, too.
    nothing.set(bytes);
    return false;
  } catch {
    return true;
  }
}
