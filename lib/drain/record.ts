import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import { unwrap } from '../envelope/unwrap.ts';
import { wrap } from '../envelope/wrap.ts';
import { DrainError } from './errors.ts';
import type { DrainPlan } from './plan.ts';

/** A record of the source, as GetRecords gives it. */
export interface SourceRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
  readonly arrivedAtMs: number;
}

/** What is written to the target. */
export interface CopiedRecord {
  readonly partitionKey: string;
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
export function copied(record: SourceRecord, plan: DrainPlan, shardId: string): CopiedRecord {
  const { partitionKey, data } = record;
  if (!plan.allowAggregated && isAggregate(data)) {
    throw new DrainError(
      `Record ${record.sequenceNumber} of ${shardId} is a KPL aggregate. The aggregate was made for the shards of its stream: in another stream, the KCL ` +
        'drops the parts whose keys belong elsewhere. Read the source with the KCL and put its records again, or copy the aggregates as they are ' +
        'with `--allow-aggregated` if the consumers of the target do not use the KCL.',
    );
  }
  const read = unwrap(data);
  if (read.enveloped) return { partitionKey, data, fingerprint: idPrint(read.recordId), kind: 'enveloped' };
  if (read.rejection !== undefined || !plan.envelope) {
    const kind = read.rejection === undefined ? 'bare' : 'damaged';
    return { partitionKey, data, fingerprint: contentPrint(partitionKey, data), kind };
  }
  const stream = `${plan.from.region}/${plan.from.stream}`;
  const recordId = v5(`${stream}/${shardId}/${record.sequenceNumber}`, NAMESPACE);
  // The drain itself keeps the order of the source, so there is no number to give.
  const wrapped = wrap({ producerId: v5(stream, NAMESPACE), epoch: 0, sequence: 0, recordId, data });
  return { partitionKey, data: wrapped, fingerprint: idPrint(recordId), kind: 'bare' };
}

/** "KPL Aggregated Record Format", awslabs/amazon-kinesis-producer: the magic number. */
function isAggregate(data: Uint8Array): boolean {
  return data[0] === 0xf3 && data[1] === 0x89 && data[2] === 0x9a && data[3] === 0xc2;
}

/** The fingerprint of a record that was read in the target. */
export function fingerprintOf(partitionKey: string, data: Uint8Array): string {
  const read = unwrap(data);
  return read.enveloped ? idPrint(read.recordId) : contentPrint(partitionKey, data);
}

const idPrint = (recordId: string): string => `id:${recordId}`;

function contentPrint(partitionKey: string, data: Uint8Array): string {
  // The length of the key goes first, so that keys that contain NUL cannot be confused.
  const key = Buffer.from(partitionKey);
  return createHash('sha256').update(`${key.byteLength}:`).update(key).update(data).digest('base64');
}
