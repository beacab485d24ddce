import { hash } from 'node:crypto';
import { DigestUnavailableError } from './errors.ts';

/**
 * The KPL's aggregate ("KPL Aggregated Record Format", awslabs/amazon-kinesis-producer, aggregation-format.md): a magic, a
 * protobuf message (proto2), and the MD5 of the message.
 *
 * Read and written by hand, because the message has three types with nine fields in all. protobufjs is 3 MB in every application that
 * installs the producer or the consumer, and accepts keys that are not UTF-8.
 */
export const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
export const DIGEST_BYTES = 16;

/** Whether the bytes begin as aggregates do. Such a record is never put into an aggregate: nobody takes one apart twice. */
export function beginsLikeAggregate(bytes: Uint8Array): boolean {
  return bytes[0] === MAGIC[0] && bytes[1] === MAGIC[1] && bytes[2] === MAGIC[2] && bytes[3] === MAGIC[3];
}

/** What surrounds the message. */
export const FRAME_BYTES = MAGIC.length + DIGEST_BYTES;

export const aggregateFields = { partitionKeyTable: 1, explicitHashKeyTable: 2, records: 3 } as const;
export const recordFields = { partitionKeyIndex: 1, explicitHashKeyIndex: 2, data: 3, tags: 4 } as const;
export const tagFields = { key: 1, value: 2 } as const;

export interface AggregateRecord {
  readonly partitionKey: string;
  /** In decimal, as Kinesis takes it. */
  readonly explicitHashKey?: string | undefined;
  readonly data: Uint8Array;
}

/** In hex. @throws DigestUnavailableError */
export const md5 = (bytes: Uint8Array | string): string => digest(bytes, 'hex');

/** @throws DigestUnavailableError */
export const md5Bytes = (bytes: Uint8Array | string): Buffer => digest(bytes, 'buffer');

function digest(bytes: Uint8Array | string, form: 'hex'): string;
function digest(bytes: Uint8Array | string, form: 'buffer'): Buffer;
function digest(bytes: Uint8Array | string, form: 'hex' | 'buffer'): string | Buffer {
  try {
    return hash('md5', bytes, form);
  } catch (cause) {
    throw new DigestUnavailableError(
      'KPL aggregates need MD5, which this Node.js refuses: read and write them where FIPS mode is off (`--enable-fips`, `--force-fips`, or the configuration of OpenSSL).',
      { cause },
    );
  }
}
