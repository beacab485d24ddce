import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../lib/aggregate/decode.ts';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import type { AggregateRecord } from '../../lib/aggregate/format.ts';
import { anyRecord, anyRecords, frame, plain } from './fixtures/frame.ts';

/** What AWS publishes for Lambda functions in JavaScript. Its types need the SDK of version 2, so they are told here. */
interface Judge {
  deaggregateSync(
    record: { readonly data: string; readonly partitionKey: string; readonly sequenceNumber: string },
    computeChecksums: boolean,
    done: (error: Error | null | undefined, records?: readonly JudgedRecord[]) => void,
  ): void;
  RecordAggregator: new () => {
    addUserRecord(record: AggregateRecord): void;
    calculateUserRecordSize(record: AggregateRecord): number;
    build(): { readonly data: Buffer };
  };
}
interface JudgedRecord {
  readonly partitionKey: string;
  readonly explicitPartitionKey?: string;
  readonly subSequenceNumber: number;
  /** Base64. */
  readonly data: string;
}
interface Messages {
  readonly AggregatedRecord: {
    encode(message: object): { finish(): Uint8Array };
  };
}

const require = createRequire(import.meta.url);
const judge: Judge = require('aws-kinesis-agg');
const { AggregatedRecord }: Messages = require('aws-kinesis-agg/lib/common.js');

function judged(bytes: Uint8Array): readonly JudgedRecord[] {
  const record = { data: Buffer.from(bytes).toString('base64'), partitionKey: 'whole', sequenceNumber: '1' };
  let found: readonly JudgedRecord[] = [];
  judge.deaggregateSync(record, true, (error, records = []) => {
    if (error) throw error;
    found = records;
  });
  return found;
}

function encode(records: readonly AggregateRecord[]): Uint8Array {
  const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
  for (const record of records) encoder.add(record);
  return encoder.finish();
}

/** Our aggregates mix records with and without a hash key; the judge reads an index that is not there as 0. */
const asJudgeReads = (records: readonly AggregateRecord[]): readonly object[] => {
  const first = records.find(({ explicitHashKey }) => explicitHashKey !== undefined)?.explicitHashKey;
  return records.map(({ partitionKey, explicitHashKey, data }, at) => ({
    partitionKey,
    explicitPartitionKey: explicitHashKey ?? first,
    sequenceNumber: '1',
    subSequenceNumber: at,
    data: Buffer.from(data).toString('base64'),
  }));
};

describe('aws-kinesis-agg of npm', () => {
  it('reads what we write', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        expect(judged(encode(records))).toEqual(asJudgeReads(records));
      }),
    );
  });

  it('writes what we read', () => {
    // It counts keys in UTF-16, and takes a key that looks like a number out of its order.
    const keys = fc.constantFrom('k', 'l', 'clé', 'x'.repeat(256));
    const written = fc.array(fc.tuple(anyRecord, keys), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(written, (pairs) => {
        const aggregator = new judge.RecordAggregator();
        const records = pairs.map(([{ data }, partitionKey], n) => ({
          partitionKey,
          ...(n % 2 === 0 && { explicitHashKey: '340282366920938463463374607431768211455' }),
          data: Buffer.from(data),
        }));
        for (const record of records) aggregator.addUserRecord(record);
        expect(plain(decodeAggregate(aggregator.build().data) ?? [])).toEqual(plain(records));
      }),
    );
  });

  it('foresees the sizes that we foresee', () => {
    const aggregator = new judge.RecordAggregator();
    const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
    for (let n = 0; n < 300; n++) {
      // It takes the first key for a new one when it comes again, so the first one does not.
      const record = { partitionKey: n === 0 ? 'first' : `k${n % 150}`, data: Buffer.alloc(n) };
      expect(encoder.bytesWith(record) - encoder.bytes).toBe(aggregator.calculateUserRecordSize(record));
      aggregator.addUserRecord(record);
      encoder.add(record);
    }
    expect(Buffer.compare(aggregator.build().data, encoder.finish())).toBe(0);
  });

  it('writes tags, which we read', () => {
    const message = AggregatedRecord.encode({
      partition_key_table: ['k'],
      explicit_hash_key_table: [],
      records: [
        {
          partition_key_index: 0,
          data: Buffer.from('a'),
          tags: [{ key: 'one', value: 'é' }, { key: 'two' }],
        },
      ],
    }).finish();
    expect(decodeAggregate(frame(message))).toMatchObject([
      { partitionKey: 'k', tags: [{ key: 'one', value: 'é' }, { key: 'two' }] },
    ]);
  });
});
