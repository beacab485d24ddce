import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import { unwrap } from '../envelope/unwrap.ts';
import { wrap } from '../envelope/wrap.ts';
import type { DrainPlan } from './plan.ts';

/** In place of the key of a record that has none, which service-managed distribution allows. No key is empty. */
export const NO_KEY = '';

/** A record of the source, as GetRecords gives it. */
export interface SourceRecord {
  readonly sequenceNumber: string;
  /** Or `NO_KEY`. */
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly arrivedAtMs: number;
}

/** A record as somebody put it: by itself, or in an aggregate. */
export interface UserRecord extends SourceRecord {
  /** Index in the aggregate; absent for a record of its own. */
  readonly subSequenceNumber?: number;
  /** As the aggregate says; Kinesis does not tell it of a record of its own. */
  readonly explicitHashKey?: string;
  /** Begins like an aggregate and cannot be read as one: copied as it is. */
  readonly damaged?: true;
}

/** What is written to the target. */
export interface CopiedRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Uint8Array;
  /** Identifies the record in the target: its id, or a digest of key and data. */
  readonly fingerprint: string;
  readonly kind: 'enveloped' | 'bare' | 'damaged';
}

/** Namespace of the ids that a drain gives; drawn once, at random. */
const NAMESPACE = 'b1f6b8f4-3c0e-4d57-9a51-6f0f6b6f2c1d';

/**
 * Copies the bytes as they are, except bare records with `plan.envelope`: these are wrapped, with an id that
 * depends only on the record's place in the source, so that every copy, of this drain or another, has the
 * same id.
 */
export function copied(record: UserRecord, plan: DrainPlan, shardId: string): CopiedRecord {
  const { partitionKey, explicitHashKey, data, damaged } = record;
  const keys = { partitionKey, ...(explicitHashKey !== undefined && { explicitHashKey }) };
  const read = unwrap(data);
  if (read.enveloped) return { ...keys, data, fingerprint: idPrint(read.recordId), kind: 'enveloped' };
  const isDamaged = damaged === true || read.rejection !== undefined;
  if (isDamaged || !plan.envelope) {
    const kind = isDamaged ? 'damaged' : 'bare';
    return { ...keys, data, fingerprint: contentPrint(partitionKey, data), kind };
  }
  const stream = `${plan.from.region}/${plan.from.stream}`;
  const recordId = v5(`${stream}/${shardId}/${placeOf(record)}`, NAMESPACE);
  // The drain itself keeps the order of the source, so there is no number to give.
  const wrapped = wrap({ producerId: v5(stream, NAMESPACE), epoch: 0, sequence: 0, recordId, data });
  return { ...keys, data: wrapped, fingerprint: idPrint(recordId), kind: 'bare' };
}

/** The records of an aggregate share its sequence number. */
const placeOf = ({ sequenceNumber, subSequenceNumber }: UserRecord): string =>
  subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber}/${subSequenceNumber}`;

/** The fingerprint of a record that was read in the target. */
export function fingerprintOf(partitionKey: string, data: Uint8Array): string {
  const read = unwrap(data);
  return read.enveloped ? idPrint(read.recordId) : contentPrint(partitionKey, data);
}

const ID = 'id:';
const idPrint = (recordId: string): string => `${ID}${recordId}`;

/** The id in the envelope of a copy; null where it has none. */
export const recordIdOf = ({ fingerprint }: Pick<CopiedRecord, 'fingerprint'>): string | null =>
  fingerprint.startsWith(ID) ? fingerprint.slice(ID.length) : null;

/** The id of a record that was read in the target; undefined where it has none. */
export function idIn(data: Uint8Array): string | undefined {
  const read = unwrap(data);
  return read.enveloped ? read.recordId : undefined;
}

function contentPrint(partitionKey: string, data: Uint8Array): string {
  // The length of the key goes first, so that keys that contain NUL cannot be confused.
  const key = Buffer.from(partitionKey);
  return createHash('sha256').update(`${key.byteLength}:`).update(key).update(data).digest('base64');
}
