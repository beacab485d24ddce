import type { KinesisStreamEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventRecord, OrderChecker, recordsOf, takeApart } from '../../lib/consumer/index.ts';
import { aggregate, arrivedAtMs, damaged, enveloped, eventOf, id, probe } from './fixtures/lambda-event.ts';

const textOf = ({ data }: EventRecord<unknown>): string => Buffer.from(data).toString();
const bare = (text: string): Buffer => Buffer.from(text);

describe('the records of an event', () => {
  it('are taken apart and unwrapped, each with its place', () => {
    const event = eventOf(
      aggregate(
        { partitionKey: 'k', explicitHashKey: '7', data: enveloped(1) },
        { partitionKey: 'l', data: bare('2') },
      ),
      bare('3'),
    );
    const { records, bad, probes, batchItemFailures } = recordsOf(event);
    const place = {
      arrivedAtMs,
      region: 'us-east-1',
      stream: 'orders',
      shardId: 'shardId-000000000006',
    };
    expect(records).toEqual([
      {
        ...{ ...place, sequenceNumber: '100', subSequenceNumber: 0, eventID: 'shardId-000000000006:100' },
        ...{ partitionKey: 'k', explicitHashKey: '7', aggregated: true, source: event.Records[0] },
        ...{ enveloped: true, producerId: id(0), epoch: 1, sequence: 1, first: true, recordId: id(1) },
        data: expect.anything(),
      },
      {
        ...{ ...place, sequenceNumber: '100', subSequenceNumber: 1, eventID: 'shardId-000000000006:100' },
        ...{ partitionKey: 'l', aggregated: true, source: event.Records[0], enveloped: false },
        data: expect.anything(),
      },
      {
        ...{ ...place, sequenceNumber: '101', subSequenceNumber: 0, eventID: 'shardId-000000000006:101' },
        ...{ partitionKey: 'whole', aggregated: false, source: event.Records[1], enveloped: false },
        data: expect.anything(),
      },
    ]);
    expect(records.map(textOf)).toEqual(['1', '2', '3']);
    expect([bad, probes, batchItemFailures]).toEqual([[], 0, []]);
  });

  it('are given to an OrderChecker as they are', () => {
    const order = new OrderChecker();
    const { records } = recordsOf(
      eventOf(enveloped(1), aggregate({ partitionKey: 'whole', data: enveloped(2) })),
    );
    expect(records.map((one) => one.enveloped && order.check(one).kind)).toEqual(['first', 'next']);
  });

  it('leave out the marked records of observers, in an aggregate too', () => {
    const { records, probes } = recordsOf(
      eventOf(probe, bare('1'), aggregate(probe, { partitionKey: 'k', data: bare('2') })),
    );
    expect(records.map(textOf)).toEqual(['1', '2']);
    expect(probes).toBe(2);
  });

  it('keep a user’s record that begins like a marked one: its key is the user’s', () => {
    const data = Buffer.from('{"spillwayProbe":1,"order":42}');
    const { records, probes } = recordsOf(
      eventOf({ data, partitionKey: 'customer-7' }, aggregate({ partitionKey: 'customer-8', data })),
    );
    expect(records.map(textOf)).toEqual([`${data}`, `${data}`]);
    expect(probes).toBe(0);
  });

  it('of a consumer with enhanced fan-out and of a tumbling window are the same', () => {
    const event: KinesisStreamEvent = eventOf(bare('1'));
    const [record] = event.Records;
    if (record)
      record.eventSourceARN = 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/orders/consumer/app:1';
    const window = { start: '2026-11-30T00:00:00Z', end: '2026-11-30T00:01:00Z' };
    expect(recordsOf({ ...event, window, state: {} } as KinesisStreamEvent).records).toMatchObject([
      { stream: 'orders' },
    ]);
  });

  it('need nothing of an event but the data and the sequence number', () => {
    const { records } = recordsOf({ Records: [{ kinesis: { data: 'eA==', sequenceNumber: '7' } }] });
    expect(records).toMatchObject([
      {
        partitionKey: '',
        sequenceNumber: '7',
        arrivedAtMs: undefined,
        region: undefined,
        stream: undefined,
        shardId: undefined,
      },
    ]);
  });

  it('are those of an event alone: else it is said what to pass', () => {
    for (const other of [undefined, null, {}, { Records: {} }, 'text'])
      expect(() => recordsOf(other as never)).toThrow(/Pass the event of a Kinesis trigger/);
  });
});

const broken = {
  'aggregate-checksum': damaged(aggregate({ partitionKey: 'k', data: bare('x') }), 9),
  'truncated-aggregate': Buffer.from('f3899ac2', 'hex'),
  'damaged-header': damaged(enveloped(3)),
  'unknown-version': damaged(enveloped(3), 4),
};

describe('a bad record', () => {
  it.each(Object.entries(broken))(
    'is reported, and Lambda gives the batch again from it: %s',
    (reason, bytes) => {
      const { records, bad, batchItemFailures } = recordsOf(eventOf(bare('1'), bytes, bare('2')));
      expect(records.map(textOf)).toEqual(['1']);
      expect(bad).toMatchObject([
        { bad: true, reason, sequenceNumber: '101', shardId: 'shardId-000000000006' },
      ]);
      expect(bad[0]).not.toHaveProperty('data');
      expect(Buffer.from(bad[0]?.bytes ?? []).equals(bytes)).toBe(true);
      expect(batchItemFailures).toEqual([{ itemIdentifier: '101' }]);
    },
  );

  it('is handed over where the caller sets it aside, and nothing is reported', () => {
    const { records, bad, batchItemFailures } = recordsOf(
      eventOf(bare('1'), broken['damaged-header'], bare('2')),
      {
        stopAtBad: false,
      },
    );
    expect([records.map(textOf), bad.length, batchItemFailures]).toEqual([['1', '2'], 1, []]);
  });

  it('within an aggregate is reported as the aggregate, after the records before it', () => {
    const event = eventOf(
      aggregate(
        ...[enveloped(1), broken['damaged-header'], enveloped(2)].map((data) => ({
          partitionKey: 'k',
          data,
        })),
      ),
    );
    const { records, bad, batchItemFailures } = recordsOf(event);
    expect(records.map(textOf)).toEqual(['1']);
    expect(bad).toMatchObject([{ subSequenceNumber: 1, partitionKey: 'k', arrivedAtMs }]);
    expect(batchItemFailures).toEqual([{ itemIdentifier: '100' }]);
  });

  it.each([
    ['not-base64', { data: 'no base64!', sequenceNumber: '7' }, '7'],
    ['not-a-record', { sequenceNumber: '7' }, '7'],
    ['not-a-record', { data: 'eA==' }, ''],
    ['not-a-record', { data: 'eA==', sequenceNumber: '7', partitionKey: 1 }, '7'],
    ['not-a-record', undefined, ''],
  ])('is one whose fields cannot be read: %s', (reason, kinesis, itemIdentifier) => {
    const event = { Records: [{ kinesis }] } as never;
    expect(recordsOf(event)).toMatchObject({
      records: [],
      bad: [{ reason, bytes: undefined }],
      batchItemFailures: [{ itemIdentifier }],
    });
    expect(recordsOf({ Records: [null] } as never).bad).toMatchObject([{ reason: 'not-a-record' }]);
  });
});

it('loses nothing: records, bad ones and marked ones are all there is in the event', () => {
  const one = fc.oneof(
    fc.constantFrom(...Object.values(broken), enveloped(1), probe.data, bare('text')),
    fc.uint8Array({ maxLength: 80 }),
  );
  const inEvent = fc.oneof(
    one,
    fc
      .array(one, { minLength: 1, maxLength: 5 })
      .map((all) => aggregate(...all.map((data) => ({ partitionKey: 'k', data })))),
  );
  fc.assert(
    fc.property(fc.array(inEvent, { maxLength: 20 }), (all) => {
      const event = eventOf(...all);
      const apart = event.Records.flatMap(({ kinesis }) => takeApart(kinesis));
      const { records, bad, probes } = recordsOf(event, { stopAtBad: false });
      const placeOf = (of: { sequenceNumber: string; subSequenceNumber: number }) =>
        `${of.sequenceNumber}/${of.subSequenceNumber}`;
      expect(records.map(placeOf)).toEqual(
        apart.filter((of) => of.rejection === undefined && !of.probe).map(placeOf),
      );
      expect(bad.map(placeOf)).toEqual(apart.filter((of) => of.rejection !== undefined).map(placeOf));
      expect(probes).toBe(apart.filter((of) => of.probe).length);
      const untilBad = recordsOf(event);
      expect(untilBad.records).toEqual(records.slice(0, untilBad.records.length));
      expect(untilBad.bad.map(placeOf)).toEqual(bad.slice(0, 1).map(placeOf));
    }),
  );
});
