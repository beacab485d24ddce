import { decodeAggregate } from '../aggregate/decode.ts';
import { DamagedAggregateError, TooManyRecordsError } from '../aggregate/errors.ts';
import { MAGIC } from '../aggregate/format.ts';
import { isPartitionKey } from '../aggregate/keys.ts';
import type { PutOutcome } from '../producer/entry.ts';
import { BufferFullError } from '../producer/errors.ts';
import type { OpenCell } from './cell.ts';
import { KinesisError } from './kinesis-error.ts';
import type { IncomingRecord } from './put-request.ts';

/** What became of the records of a request. */
export interface Put {
  /** One for each record of the request. */
  readonly outcomes: readonly PutOutcome[];
  /** Aggregates that were taken apart, and the records in them. */
  readonly aggregates: number;
  readonly userRecords: number;
}

/** Writes the records of a request, those of KPL aggregates one by one. @throws KinesisError */
export async function put(cell: OpenCell, records: readonly IncomingRecord[]): Promise<Put> {
  if (!records.some(({ data }) => isMarked(data))) {
    return { outcomes: await cell.put(records), aggregates: 0, userRecords: records.length };
  }
  const flat: IncomingRecord[] = [];
  /** After which of the flat records each record of the request ends. */
  const ends: number[] = [];
  let aggregates = 0;
  for (const record of records) {
    const inner = isMarked(record.data) ? userRecords(record.data, cell.maxRecords - flat.length) : undefined;
    if (inner === undefined) flat.push(record);
    else {
      aggregates++;
      for (const one of inner) flat.push(one);
    }
    ends.push(flat.length);
  }
  if (aggregates > 0) cell.sawAggregate();
  const outcomes = cell.hasRoomFor(flat) ? await cell.put(flat) : flat.map(() => new BufferFullError(FULL));
  return { outcomes: outer(outcomes, ends), aggregates, userRecords: flat.length };
}

const FULL = 'The buffer has no room for all records of the aggregates: put them again later.';

/** A record of the request has failed if any record in it has; else it is where its last one is. */
function outer(outcomes: readonly PutOutcome[], ends: readonly number[]): readonly PutOutcome[] {
  return ends.map((end, n) => {
    const from = n === 0 ? 0 : (ends[n - 1] as number);
    for (let at = from; at < end; at++) {
      const outcome = outcomes[at];
      if (outcome instanceof Error) return outcome;
    }
    return outcomes[end - 1] as PutOutcome;
  });
}

/** Tells most records apart by one byte. */
const isMarked = (data: Uint8Array): boolean => data[0] === MAGIC[0] && data[1] === MAGIC[1];

/**
 * The records of an aggregate. Undefined for what is passed on as it is: bytes that are none by the KPL's own rule (their MD5 does
 * not match), and an aggregate with a key that Kinesis would not take for a record of its own.
 */
function userRecords(data: Uint8Array, most: number): readonly IncomingRecord[] | undefined {
  try {
    const inner = decodeAggregate(data, { most });
    if (inner === undefined || !inner.every(({ partitionKey }) => isPartitionKey(partitionKey)))
      return undefined;
    return inner.map(({ partitionKey, explicitHashKey, data: own }) => ({
      partitionKey,
      explicitHashKey,
      data: own,
    }));
  } catch (error) {
    if (error instanceof DamagedAggregateError) return undefined;
    if (error instanceof TooManyRecordsError) {
      const message = `The aggregates of the request hold more records than a request may: send fewer at once. ${error.message}`;
      throw new KinesisError('InvalidArgumentException', message);
    }
    throw error;
  }
}
