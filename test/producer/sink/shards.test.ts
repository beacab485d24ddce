import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AggregateEncoder } from '../../../lib/aggregate/encoder.ts';
import { hashKeyOf } from '../../../lib/aggregate/keys.ts';
import { anyRecord } from '../../aggregate/fixtures/frame.ts';
import { ShardMap } from './shards.ts';
import { userRecordsIn } from './user-records.ts';

describe('the shards of the sink', () => {
  it('are those that ListShards tells, whatever their number', () => {
    const number = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(number, anyRecord, (count, { partitionKey, explicitHashKey }) => {
        const map = new ShardMap(count);
        const { Shards } = map.shards();
        const at = hashKeyOf({ partitionKey, ...(explicitHashKey !== undefined && { explicitHashKey }) });
        const told = Shards.findIndex(
          ({ HashKeyRange: { StartingHashKey, EndingHashKey } }) =>
            BigInt(StartingHashKey) <= at && at <= BigInt(EndingHashKey),
        );
        expect(map.shardOf({ partitionKey, explicitHashKey })).toBe(told);
      }),
    );
  });
});

describe('the count of user records', () => {
  const records = fc.array(anyRecord, { minLength: 1, maxLength: 40 });

  it('is what was put into the aggregate', () => {
    fc.assert(
      fc.property(records, (all) => {
        const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
        for (const record of all) encoder.add(record);
        expect(userRecordsIn(Buffer.from(encoder.finish()), { check: true })).toBe(all.length);
      }),
    );
  });

  it('refuses an aggregate with a changed byte, when it checks', () => {
    const encoder = new AggregateEncoder({ maxBytes: 1_000 });
    encoder.add({ partitionKey: 'k', data: Buffer.from('one') });
    const bytes = Buffer.from(encoder.finish());
    bytes[12] = (bytes[12] as number) ^ 1;
    expect(() => userRecordsIn(bytes, { check: true })).toThrow('MD5');
  });

  it('takes what does not begin as an aggregate for one record', () => {
    expect(userRecordsIn(Buffer.from('a record of its own, of some length'), { check: true })).toBe(1);
  });
});
