import { crc32 } from 'node:zlib';
import { EnvelopeError } from './errors.ts';
import { putId } from './ids.ts';
import { flags, layout, MAGIC, MAX_EPOCH, VERSION } from './layout.ts';

/** Bytes that an envelope adds to a record; they count against the limit of Kinesis (1 MiB with the key by default). */
export const ENVELOPE_BYTES = layout.data;

export interface WrapInput {
  /**
   * Id of the producer that numbers the records: 16 bytes, or their text as a UUID. No two producers may use
   * the same id at once.
   */
  readonly producerId: string | Uint8Array;
  /** From 0 to 4,294,967,295; greater after each restart or move of a producer that keeps its id. */
  readonly epoch: number;
  /** Number of the record among those of its key in this epoch, from 1; 0 for a record that is not numbered. */
  readonly sequence: number;
  /** No earlier record of the key is known to the producer: see KeySequencer. Default false. */
  readonly first?: boolean;
  /**
   * Permanent id of the record, however often it is written: 16 bytes, or their text as a UUID. UUIDv7 by
   * custom.
   */
  readonly recordId: string | Uint8Array;
  /** The user's own bytes; copied once, never changed. */
  readonly data: Uint8Array;
}

/**
 * The record as it goes into the stream: a header of 56 bytes and the user's bytes, in one allocation.
 *
 * @throws EnvelopeError for an id, epoch or sequence that the format cannot hold.
 */
export function wrap(input: WrapInput): Uint8Array {
  const { epoch, sequence, data } = input;
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > MAX_EPOCH)
    throw new EnvelopeError(`An epoch is a whole number from 0 to ${MAX_EPOCH}, not ${epoch}.`);
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw new EnvelopeError(`A sequence is a whole number from 0 to 2^53 - 1, not ${sequence}.`);
  const bytes = Buffer.allocUnsafe(layout.data + data.byteLength);
  bytes.set(MAGIC, layout.magic);
  bytes[layout.version] = VERSION;
  bytes[layout.flags] = input.first === true ? flags.first : 0;
  bytes.writeUInt16BE(0, layout.reserved);
  putId(input.producerId, bytes, layout.producerId);
  bytes.writeUInt32BE(epoch, layout.epoch);
  // Two halves: a BigInt per record would cost more than the rest of the header.
  bytes.writeUInt32BE(Math.floor(sequence / 2 ** 32), layout.sequence);
  bytes.writeUInt32BE(sequence % 2 ** 32, layout.sequence + 4);
  putId(input.recordId, bytes, layout.recordId);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, layout.checksum)), layout.checksum);
  bytes.set(data, layout.data);
  return bytes;
}
