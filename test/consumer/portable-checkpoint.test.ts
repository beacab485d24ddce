import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CheckpointError,
  checkpointOf,
  type HandledRecord,
  type PortableCheckpoint,
  parseCheckpoint,
  recordsOf,
  serializeCheckpoint,
  startPosition,
  wasHandled,
} from '../../lib/consumer/index.ts';
import { aggregate, arrivedAtMs, enveloped, eventOf, id } from './fixtures/lambda-event.ts';

const east = { region: 'us-east-1', stream: 'orders' };
const west = { region: 'us-west-2', stream: 'orders' };
const handled = (more: Partial<HandledRecord> = {}): HandledRecord => ({
  arrivedAtMs: 1_000_000,
  shardId: 'shardId-000000000000',
  sequenceNumber: '500',
  subSequenceNumber: 0,
  ...more,
});
const checkpoint = (more: Partial<HandledRecord> = {}): PortableCheckpoint =>
  checkpointOf(east, [handled(more)]) as PortableCheckpoint;

describe('a checkpoint', () => {
  it('is made of the records of a Lambda event, and names the last one', () => {
    const event = eventOf(
      enveloped(1),
      aggregate(...[2, 3].map((n) => ({ partitionKey: 'k', data: enveloped(n) }))),
    );
    expect(checkpointOf(east, recordsOf(event).records)).toEqual({
      format: 'spillway-checkpoint',
      version: 1,
      region: 'us-east-1',
      stream: 'orders',
      arrivedAtMs,
      recordId: id(3),
      hint: { shardId: 'shardId-000000000006', sequenceNumber: '101', subSequenceNumber: 1 },
    });
  });

  it('of several shards is where the one is that is least far', () => {
    const records = [
      handled({ sequenceNumber: '900', arrivedAtMs: 9_000 }),
      handled({ sequenceNumber: '1000', arrivedAtMs: 10_000 }),
      handled({ shardId: 'shardId-000000000001', sequenceNumber: '7', arrivedAtMs: 8_000 }),
    ];
    expect(checkpointOf(east, records)).toMatchObject({ arrivedAtMs: 8_000, hint: { sequenceNumber: '7' } });
    expect(checkpointOf(east, records.slice(0, 2))).toMatchObject({ arrivedAtMs: 10_000 });
    expect(checkpointOf(east, records.slice(0, 2).toReversed())).toMatchObject({ arrivedAtMs: 10_000 });
    expect(checkpointOf(east, [])).toBeUndefined();
  });

  it('needs an arrival time, and names that the format holds', () => {
    expect(() => checkpoint({ arrivedAtMs: undefined })).toThrow(/no arrival time/);
    expect(() => checkpointOf({ ...east, stream: 'a b' }, [handled()])).toThrow(CheckpointError);
    expect(() => checkpointOf(east, [handled(), handled({ sequenceNumber: 'x' })])).toThrow(CheckpointError);
  });
});

describe('where to begin', () => {
  it('in another region is a time, a margin before the last record', () => {
    expect(startPosition(checkpoint(), west)).toEqual({ type: 'AT_TIMESTAMP', timestamp: new Date(700_000) });
    expect(startPosition(checkpoint(), { ...west, marginMs: 1_000, createdAtMs: 0 })).toEqual({
      type: 'AT_TIMESTAMP',
      timestamp: new Date(999_000),
    });
    expect(startPosition(checkpoint(), { ...west, marginMs: 1e9 })).toMatchObject({ timestamp: new Date(0) });
    expect(() => startPosition(checkpoint(), { ...west, marginMs: -1 })).toThrow(/milliseconds from 0/);
  });

  it('in the same stream is the last record, if the stream is known to be the same', () => {
    const at = { type: 'AT_SEQUENCE_NUMBER', shardId: 'shardId-000000000000', sequenceNumber: '500' };
    expect(startPosition(checkpoint(), { ...east, createdAtMs: 1 })).toEqual(at);
    for (const unsure of [
      east,
      { ...east, createdAtMs: 1_000_001 },
      { ...east, stream: 'other', createdAtMs: 1 },
    ])
      expect(startPosition(checkpoint(), unsure).type).toBe('AT_TIMESTAMP');
  });

  it('comes with what is known to be handled: the same shard up to the record, and its copies', () => {
    const last = checkpoint({ recordId: id(3), subSequenceNumber: 1 });
    const says = (more: Partial<HandledRecord>, place = east) =>
      wasHandled(last, { ...handled(more), ...place });
    expect(says({ subSequenceNumber: 1 })).toBe(true);
    expect(says({ sequenceNumber: '99', subSequenceNumber: 7 })).toBe(true);
    expect(says({ subSequenceNumber: 2 })).toBe(false);
    expect(says({ sequenceNumber: '1000' })).toBe(false);
    expect(says({ shardId: 'shardId-000000000001' })).toBe(false);
    expect(says({ arrivedAtMs: 1_000_001 })).toBe(false);
    expect(says({}, west)).toBe(false);
    expect(says({ recordId: id(3), sequenceNumber: '99999' }, west)).toBe(true);
  });
});

const anyCheckpoint: fc.Arbitrary<PortableCheckpoint> = fc.record(
  {
    format: fc.constant('spillway-checkpoint' as const),
    version: fc.constant(1 as const),
    region: fc.constantFrom('us-east-1', 'us-gov-west-1', 'ap-southeast-7'),
    stream: fc.stringMatching(/^[A-Za-z0-9_.-]{1,128}$/),
    arrivedAtMs: fc.maxSafeNat(),
    recordId: fc.uuid(),
    hint: fc.record({
      shardId: fc.nat(99_999).map((n) => `shardId-${`${n}`.padStart(12, '0')}`),
      sequenceNumber: fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String),
      subSequenceNumber: fc.nat(),
    }),
  },
  { requiredKeys: ['format', 'version', 'region', 'stream', 'arrivedAtMs'] },
);

describe('the text', () => {
  it('has the fields that the document gives', () => {
    const text =
      '{"format":"spillway-checkpoint","version":1,"region":"us-east-1","stream":"orders","arrivedAtMs":1795600800000,' +
      '"recordId":"019abcde-f012-7345-8678-9abcdef01234","hint":{"shardId":"shardId-000000000003",' +
      '"sequenceNumber":"49590338271490256608559692538361571095921575989136588898","subSequenceNumber":0}}';
    expect(serializeCheckpoint(parseCheckpoint(text))).toBe(text);
  });

  it('is read as it was written, and is a short line', () => {
    fc.assert(
      fc.property(anyCheckpoint, (one) => {
        const text = serializeCheckpoint(one);
        expect(parseCheckpoint(text)).toEqual(one);
        expect(text).not.toContain('\n');
        expect(text.length).toBeLessThan(1_000);
      }),
    );
  });

  it('is refused with another value in any field, without a required one, or with one more', () => {
    const wrong = fc.constantFrom(null, '', 'x y', -1, 1.5, [], {}, true, Number.MAX_VALUE);
    fc.assert(
      fc.property(anyCheckpoint, fc.nat(), wrong, (one, at, value) => {
        const names = Object.keys(one);
        const name = names[at % names.length] as keyof PortableCheckpoint;
        const { [name]: _, ...without } = one;
        const texts = [
          { ...one, [name]: value },
          { ...one, more: 1 },
          { ...one, __proto__x: 1 },
        ];
        for (const changed of texts)
          expect(() => parseCheckpoint(JSON.stringify(changed))).toThrow(CheckpointError);
        if (!['recordId', 'hint'].includes(name))
          expect(() => parseCheckpoint(JSON.stringify(without))).toThrow(CheckpointError);
      }),
    );
  });

  it('of any other kind is refused with what to do', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseCheckpoint(text)).toThrow(/serializeCheckpoint/);
      }),
    );
    const later = { ...checkpoint(), version: 2 };
    expect(() => parseCheckpoint(JSON.stringify(later))).toThrow(/update spillway\/consumer/);
    expect(() => parseCheckpoint(`${JSON.stringify(checkpoint())}${' '.repeat(5_000)}`)).toThrow(/4096/);
    expect(() => parseCheckpoint(undefined as never)).toThrow(CheckpointError);
  });
});
