import { decodeAggregate } from '../aggregate/decode.ts';
import { DamagedAggregateError } from '../aggregate/errors.ts';
import { isPartitionKey } from '../aggregate/keys.ts';
import type { DecodedRecord } from '../aggregate/message.ts';
import { DrainError } from './errors.ts';
import type { SourceRecord, UserRecord } from './record.ts';

export interface Apart {
  readonly records: readonly UserRecord[];
  /** Records of Kinesis that were taken apart. */
  readonly aggregates: number;
}

export interface TakingApart {
  readonly shardId: string;
  /** Records without an envelope get one, so that nobody takes their data for an aggregate. */
  readonly envelope: boolean;
}

/**
 * The user records of a page, in their order. An aggregate was made for the shards of its stream: in another stream, the KCL
 * drops it whole if one of its keys belongs elsewhere. By itself, each of its records goes where its key belongs.
 *
 * @throws DrainError for a record that Kinesis would not take by itself, or that would be another one by itself
 */
export function takeApart(page: readonly SourceRecord[], options: TakingApart): Apart {
  const records: UserRecord[] = [];
  let aggregates = 0;
  for (const source of page) {
    const found = read(source.data);
    if (found === undefined) records.push(source);
    else if (found === 'damaged') records.push({ ...source, damaged: true });
    else {
      aggregates++;
      const { sequenceNumber, arrivedAtMs } = source;
      for (const [subSequenceNumber, { partitionKey, explicitHashKey, data }] of found.entries()) {
        const record: UserRecord = {
          ...{ sequenceNumber, arrivedAtMs, subSequenceNumber, partitionKey, data },
          ...(explicitHashKey !== undefined && { explicitHashKey }),
        };
        assertStandsAlone(record, options);
        records.push(record);
      }
    }
  }
  return { records, aggregates };
}

/** What is in an aggregate, or that it is a damaged one; undefined for a record of its own. */
function read(data: Uint8Array): readonly DecodedRecord[] | 'damaged' | undefined {
  try {
    return decodeAggregate(data);
  } catch (error) {
    if (error instanceof DamagedAggregateError) return 'damaged';
    throw error;
  }
}

function assertStandsAlone(record: UserRecord, { shardId, envelope }: TakingApart): void {
  const { sequenceNumber, subSequenceNumber, partitionKey, data } = record;
  let why: string;
  if (!isPartitionKey(partitionKey)) why = 'its partition key is not of 1 to 256 characters';
  // Inside an aggregate, these bytes are a user's data. By themselves, every consumer would take them apart.
  else if (!envelope && read(data) !== undefined) why = 'its data begin like an aggregate';
  else return;
  throw new DrainError(
    `Record ${subSequenceNumber} in the aggregate ${sequenceNumber} of ${shardId} cannot be put by itself: ${why}. Copy this part of ` +
      'the source with `--allow-aggregated`, which leaves aggregates as they are.',
  );
}
