import { crc32 } from 'node:zlib';
import { idText } from './ids.ts';
import { flags, KNOWN_FLAGS, layout, MAGIC, VERSION } from './layout.ts';
import { isProbeData } from './probe-record.ts';

/** The user's bytes and the fields of the envelope. */
export interface Enveloped {
  readonly enveloped: true;
  readonly rejection?: undefined;
  readonly probe?: undefined;
  /** The producer's id as a UUID, in lower case. */
  readonly producerId: string;
  readonly epoch: number;
  /** Number from 1 among the records of the same key, producer and epoch; 0: not numbered. */
  readonly sequence: number;
  /** The producer knew no earlier record of this key in this epoch. */
  readonly first: boolean;
  /** The record's id as a UUID, in lower case. The same for every copy of the record. */
  readonly recordId: string;
  /** A view into the bytes given, not a copy. */
  readonly data: Uint8Array;
}

/** A record without an envelope: its bytes are the user's own. */
export interface Bare {
  readonly enveloped: false;
  readonly rejection?: undefined;
  readonly probe?: undefined;
  readonly data: Uint8Array;
}

/**
 * A marked record, which an observer of Spillway has put into the stream to see whether the stream takes records: skip
 * it. There is no `data` on purpose, so that nobody handles the record as a user's by accident. Told by its first
 * bytes; a record with an envelope is never one, whatever its data.
 */
export interface ProbeRecord {
  readonly enveloped: false;
  readonly rejection?: undefined;
  readonly probe: true;
  /** All the given bytes, unchanged. */
  readonly bytes: Uint8Array;
}

/**
 * Bytes that begin like an envelope but cannot be read as one. There is no `data` on purpose: they may be an
 * envelope of a later version, a damaged envelope, or user's bytes that look like one, and only the
 * application can tell.
 */
export interface RejectedEnvelope {
  readonly enveloped: false;
  readonly rejection: EnvelopeRejection;
  readonly probe?: undefined;
  /** What was wrong, and what to do. */
  readonly detail: string;
  /** All the given bytes, unchanged. */
  readonly bytes: Uint8Array;
}

export type Unwrapped = Enveloped | Bare | ProbeRecord | RejectedEnvelope;
export type EnvelopeRejection = keyof typeof details;

const details = {
  'unknown-version': 'written by a later version of the format: update spillway/consumer',
  truncated: 'the header is cut short: look at what wrote or cut the record',
  'damaged-header': 'the checksum of the header does not match: bytes were changed, or are not an envelope',
  'damaged-magic': 'an envelope, but for one byte of its magic: bytes were changed on the way',
  'unknown-flags': 'uses flags that this version does not know: update spillway/consumer',
  'sequence-too-large':
    'the sequence is above 2^53 - 1, which no producer reaches: bytes are not an envelope',
} as const;

/**
 * Reads one record of a stream. Never throws for bytes, whatever they are, never drops a record, and never returns a header
 * as the user's bytes.
 *
 * @throws TypeError for a text: the base64 of a Lambda event would pass as a record without an envelope
 */
export function unwrap(bytes: Uint8Array): Unwrapped {
  if (typeof bytes === 'string')
    throw new TypeError("A text is no record. Pass the bytes: Buffer.from(record.kinesis.data, 'base64').");
  const matching = magicMatch(bytes);
  if (matching < MAGIC.length) {
    const damaged = matching === MAGIC.length - 1 && bytes.byteLength >= layout.data && checksumHolds(bytes);
    if (damaged) return reject('damaged-magic', bytes);
    return isProbeData(bytes) ? { enveloped: false, probe: true, bytes } : { enveloped: false, data: bytes };
  }
  // Checked before the length, because a later version may have a shorter header.
  const version = bytes[layout.version];
  if (version !== undefined && version !== VERSION) return reject('unknown-version', bytes);
  if (bytes.byteLength < layout.data) return reject('truncated', bytes);
  if (!checksumHolds(bytes)) return reject('damaged-header', bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, layout.data);
  const bits = view.getUint8(layout.flags);
  if ((bits & ~KNOWN_FLAGS) !== 0 || view.getUint16(layout.reserved) !== 0)
    return reject('unknown-flags', bytes);
  const sequence = view.getUint32(layout.sequence) * 2 ** 32 + view.getUint32(layout.sequence + 4);
  if (!Number.isSafeInteger(sequence)) return reject('sequence-too-large', bytes);
  return {
    enveloped: true,
    producerId: idText(bytes, layout.producerId),
    epoch: view.getUint32(layout.epoch),
    sequence,
    first: (bits & flags.first) !== 0,
    recordId: idText(bytes, layout.recordId),
    data: bytes.subarray(layout.data),
  };
}

function reject(rejection: EnvelopeRejection, bytes: Uint8Array): RejectedEnvelope {
  return { enveloped: false, rejection, detail: details[rejection], bytes };
}

/** How many bytes of the magic match; a record with three of four may be a damaged envelope. */
function magicMatch(bytes: Uint8Array): number {
  let matching = 0;
  for (let at = 0; at < MAGIC.length; at++) if (bytes[at] === MAGIC[at]) matching++;
  return matching;
}

const magicChecksum = crc32(MAGIC);

/**
 * Whether the checksum holds if the magic is assumed right. CRC-32 finds every change of up to 32
 * neighbouring bits.
 */
function checksumHolds(bytes: Uint8Array): boolean {
  const stored = new DataView(bytes.buffer, bytes.byteOffset, layout.data).getUint32(layout.checksum);
  return crc32(bytes.subarray(MAGIC.length, layout.checksum), magicChecksum) === stored;
}
