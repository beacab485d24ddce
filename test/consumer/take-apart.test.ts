import { createHash } from 'node:crypto';
import type { _Record, Shard } from '@aws-sdk/client-kinesis';
import type { KinesisStreamRecordPayload } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AggregateRecord } from '../../lib/aggregate/format.ts';
import {
  ConsumerConfigError,
  Deduplicator,
  OrderChecker,
  takeApart,
  type UserRecord,
} from '../../lib/consumer/index.ts';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import { anyRecords, frame, hex } from '../aggregate/fixtures/frame.ts';
import { aggregate, arrivedAtMs, enveloped, id } from './fixtures/lambda-event.ts';

const ofSdk = (Data: Uint8Array): _Record => ({
  Data,
  PartitionKey: 'whole',
  SequenceNumber: '495',
  ApproximateArrivalTimestamp: new Date(arrivedAtMs),
});

const ofLambda = (data: Uint8Array): KinesisStreamRecordPayload => ({
  data: Buffer.from(data).toString('base64'),
  partitionKey: 'whole',
  sequenceNumber: '495',
  approximateArrivalTimestamp: arrivedAtMs / 1_000,
  kinesisSchemaVersion: '1.0',
});

/** As an application has it: the compiler refuses to read data of what has none. */
function dataOf(record: UserRecord): string | undefined {
  if (record.rejection !== undefined || record.probe) return undefined;
  return Buffer.from(record.data).toString();
}

it('a record that was put without a partition key has an empty one', () => {
  const data = Buffer.from('{"order":1}');
  const records = [
    { Data: data, SequenceNumber: '495' },
    { data: data.toString('base64'), sequenceNumber: '495' },
  ];
  for (const [record, ...rest] of records.map((one) => takeApart(one)))
    expect([record, rest]).toMatchObject([{ partitionKey: '', sequenceNumber: '495', enveloped: false }, []]);
});

describe.each([
  ['GetRecords', ofSdk],
  ['a Lambda event', ofLambda],
])('a record of %s', (_, given) => {
  it('that is an aggregate gives its user records, each with its own key and number', () => {
    const records = takeApart(
      given(
        aggregate(
          { partitionKey: 'k', explicitHashKey: '7', data: Buffer.from('one') },
          { partitionKey: 'l', data: Buffer.from('two') },
        ),
      ),
    );
    const place = { sequenceNumber: '495', arrivedAtMs, aggregated: true, enveloped: false };
    expect(records).toEqual([
      { ...place, partitionKey: 'k', explicitHashKey: '7', subSequenceNumber: 0, data: Buffer.from('one') },
      { ...place, partitionKey: 'l', subSequenceNumber: 1, data: Buffer.from('two') },
    ]);
  });

  it('that is a record of its own gives itself', () => {
    expect(takeApart(given(Buffer.from('{"order":1}')))).toEqual([
      {
        partitionKey: 'whole',
        sequenceNumber: '495',
        subSequenceNumber: 0,
        aggregated: false,
        arrivedAtMs,
        enveloped: false,
        data: expect.anything(),
      },
    ]);
    expect(takeApart(given(Buffer.from('{"order":1}'))).map(dataOf)).toEqual(['{"order":1}']);
    expect(takeApart(given(Buffer.alloc(0))).map(dataOf)).toEqual(['']);
  });

  it('that is a damaged aggregate is returned whole, with the reason and without data', () => {
    const bytes = aggregate({ partitionKey: 'k', data: Buffer.from('one') });
    bytes[9] = (bytes[9] as number) ^ 1;
    const [record, ...rest] = takeApart(given(bytes));
    expect(rest).toEqual([]);
    expect(record).toMatchObject({
      partitionKey: 'whole',
      sequenceNumber: '495',
      aggregated: false,
      enveloped: false,
      rejection: 'aggregate-checksum',
      detail: expect.stringMatching(/MD5 does not match/),
    });
    expect(record).not.toHaveProperty('data');
    expect(Buffer.from(record?.rejection === undefined ? [] : record.bytes).equals(bytes)).toBe(true);
  });
});

describe('the user records of an aggregate', () => {
  it('go through unwrap: envelopes, damaged envelopes and marked records are told apart', () => {
    const damaged = Buffer.from(enveloped(3, 'damaged'));
    damaged[20] = (damaged[20] as number) ^ 1;
    const probe = probeRecord({ observer: 'us-east-2', atMs: 1, place: 1 });
    const records = takeApart(
      ofSdk(
        aggregate(
          { partitionKey: 'k', data: enveloped(1, 'one') },
          { partitionKey: 'k', data: Buffer.from('bare') },
          { partitionKey: 'k', data: damaged },
          probe,
        ),
      ),
    );
    expect(records).toMatchObject([
      { subSequenceNumber: 0, enveloped: true, recordId: id(1), sequence: 1 },
      { subSequenceNumber: 1, enveloped: false },
      { subSequenceNumber: 2, rejection: 'damaged-header' },
      { subSequenceNumber: 3, probe: true, partitionKey: probe.partitionKey },
    ]);
    expect(records.map(dataOf)).toEqual(['one', 'bare', undefined, undefined]);
  });

  it('may be given to a Deduplicator and an OrderChecker as they are', async () => {
    const one = ofSdk(aggregate(...[1, 2].map((n) => ({ partitionKey: 'k', data: enveloped(n, `${n}`) }))));
    const again = ofLambda(
      aggregate(...[2, 3].map((n) => ({ partitionKey: 'k', data: enveloped(n, `${n}`) }))),
    );
    const [deduplicator, order] = [new Deduplicator(), new OrderChecker()];
    const [handled, verdicts]: [string[], string[]] = [[], []];
    for (const record of [one, again].flatMap((whole) => takeApart(whole))) {
      if (!record.enveloped) continue;
      verdicts.push(order.check(record).kind);
      await deduplicator.once(record.recordId, () => handled.push(`${Buffer.from(record.data)}`));
    }
    expect(handled).toEqual(['1', '2', '3']);
    expect(verdicts).toEqual(['first', 'next', 'duplicate', 'next']);
  });

  it('that are aggregates themselves are data like any other', () => {
    const inner = aggregate({ partitionKey: 'k', data: Buffer.from('one') });
    const [record, ...rest] = takeApart(ofSdk(aggregate({ partitionKey: 'l', data: inner })));
    expect(rest).toEqual([]);
    expect(record).toMatchObject({ partitionKey: 'l', enveloped: false, data: inner });
  });

  it('have the tags that are in the format', () => {
    const message = hex('0a016b 1a0d 0800 1a0161 2206 0a0174 120176');
    expect(takeApart(ofSdk(frame(message)))).toMatchObject([{ tags: [{ key: 't', value: 'v' }] }]);
  });
});

describe('with the hash keys of the shard', () => {
  const half = 2n ** 127n;
  const lower: Shard['HashKeyRange'] = { StartingHashKey: '0', EndingHashKey: `${half - 1n}` };
  const upper: Shard['HashKeyRange'] = { StartingHashKey: `${half}`, EndingHashKey: `${2n ** 128n - 1n}` };
  const one = (partitionKey: string, explicitHashKey?: string): AggregateRecord => ({
    partitionKey,
    data: Buffer.from('x'),
    ...(explicitHashKey !== undefined && { explicitHashKey }),
  });
  const marksOf = (records: readonly AggregateRecord[], hashKeyRange: Shard['HashKeyRange']) =>
    takeApart(ofSdk(aggregate(...records)), { hashKeyRange }).map(
      ({ outsideShard = false, droppedByKcl = false }) => [outsideShard, droppedByKcl],
    );

  it('one record outside makes the KCL drop the aggregate: each record says so, and none is dropped here', () => {
    // MD5 of "a" begins with 0c, and that of "b" with 92.
    expect(marksOf([one('a'), one('b'), one('a')], lower)).toEqual([
      [false, true],
      [true, true],
      [false, true],
    ]);
    expect(marksOf([one('a'), one('a')], lower)).toEqual([
      [false, false],
      [false, false],
    ]);
    expect(marksOf([one('b')], upper)).toEqual([[false, false]]);
  });

  it('an explicit hash key counts instead of the partition key, and both ends belong to the shard', () => {
    expect(marksOf([one('b', '0'), one('b', `${half - 1n}`)], lower).flat()).not.toContain(true);
    expect(marksOf([one('a', `${half}`)], lower)).toEqual([[true, true]]);
    expect(marksOf([one('b', `${half - 1n}`)], upper)).toEqual([[true, true]]);
    expect(marksOf([one('a', `${2n ** 128n - 1n}`)], upper)).toEqual([[false, false]]);
  });

  it('each record is outside of exactly one half of the stream', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const [low, high] = [marksOf(records, lower), marksOf(records, upper)];
        records.forEach(({ partitionKey, explicitHashKey }, at) => {
          const byKey = BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`);
          const isLow = (explicitHashKey === undefined ? byKey : BigInt(explicitHashKey)) < half;
          expect([low[at]?.[0], high[at]?.[0]]).toEqual([!isLow, isLow]);
        });
      }),
    );
  });

  it('nothing is said of a record of its own, nor without them', () => {
    expect(takeApart(ofSdk(Buffer.from('x')), { hashKeyRange: lower })[0]).not.toHaveProperty('droppedByKcl');
    const [record] = takeApart(ofSdk(aggregate(one('b'))), { hashKeyRange: undefined });
    expect(record).not.toHaveProperty('outsideShard');
  });

  it.each([
    ['that are missing', { StartingHashKey: undefined, EndingHashKey: '5' }],
    ['that are no numbers', { StartingHashKey: '0', EndingHashKey: 'ff' }],
    ['in the wrong order', { StartingHashKey: '5', EndingHashKey: '4' }],
  ])('hash keys %s are refused', (_, hashKeyRange) => {
    expect(() => takeApart(ofSdk(Buffer.from('x')), { hashKeyRange })).toThrow(ConsumerConfigError);
  });
});

describe('what is no record is refused', () => {
  it.each<readonly [string, unknown]>([
    ['the record around record.kinesis', { kinesis: ofLambda(Buffer.from('x')), eventID: '1' }],
    ['nothing', undefined],
    ['the bytes alone', Buffer.from('x')],
    ['a text as Data', { Data: 'eA==', PartitionKey: 'k' }],
    ['no Data', { Data: undefined, PartitionKey: 'k' }],
    ['bytes as data', { ...ofLambda(Buffer.from('x')), data: Buffer.from('x') }],
    ['data that are not base64', { ...ofLambda(Buffer.from('x')), data: '{"order":1}' }],
    ['base64 with a stray character', { ...ofLambda(Buffer.from('x')), data: 'eHh4 eHh4' }],
  ])('%s', (_, wrong) => {
    expect(() => takeApart(wrong as _Record)).toThrow(TypeError);
  });

  it('and any bytes are a record', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (bytes, begins) => {
        const given = begins ? Buffer.concat([hex('f3899ac2'), bytes]) : bytes;
        const read = [ofSdk, ofLambda].map((shape) => takeApart(shape(given)));
        for (const records of read) expect(records.length).toBeGreaterThan(0);
        expect(read[0]?.map(dataOf)).toEqual(read[1]?.map(dataOf));
      }),
    );
  });
});
