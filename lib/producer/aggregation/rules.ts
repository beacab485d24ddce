import { ProducerConfigError } from '../errors.ts';
import { hashPlaceOf } from '../hot-shards.ts';
import type { AggregateOptions, Limits, ProducerOptions } from '../options.ts';
import { PAYLOAD_UNIT_BYTES } from './aggregate.ts';

export interface AggregateRules {
  readonly by: 'shard' | 'key';
  /** Bytes of a Kinesis record, its key included, from which on it takes no more records. */
  readonly targetBytes: number;
  /** The most bytes of a Kinesis record, its key included: where one key has more waiting than the target. */
  readonly mostBytes: number;
  readonly lingerMs: number;
}

/** Two of the units that Kinesis bills, as the KPL: larger records cost the same for each byte, and are throttled in larger lumps. */
const TARGET_BYTES = 2 * PAYLOAD_UNIT_BYTES;
/** Largest aggregate of one key that has much waiting, where the stream takes larger records. */
const MOST_BYTES = 1024 * 1024;
/** As the KPL's RecordMaxBufferedTime: docs/aggregates.md has the figures. */
const LINGER_MS = 100;

/** The rules that the options ask for; undefined without aggregates. @throws ProducerConfigError where there is no MD5 */
export function aggregateRules(
  { aggregate }: Pick<ProducerOptions, 'aggregate'>,
  { maxRecordBytes }: Pick<Limits, 'maxRecordBytes'>,
): AggregateRules | undefined {
  if (aggregate === undefined || aggregate === false) return undefined;
  if (hashPlaceOf('', undefined) === undefined) {
    throw new ProducerConfigError(
      '`aggregate` needs MD5, which this Node.js refuses: run without FIPS mode, or without `aggregate`.',
    );
  }
  const {
    by = 'shard',
    maxBytes,
    lingerMs = LINGER_MS,
  } = aggregate === true ? ({} as AggregateOptions) : aggregate;
  const mostBytes = Math.min(maxBytes ?? MOST_BYTES, maxRecordBytes);
  return { by, lingerMs, mostBytes, targetBytes: Math.min(maxBytes ?? TARGET_BYTES, mostBytes) };
}
