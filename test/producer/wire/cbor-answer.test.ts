import { cbor } from '@smithy/core/cbor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordFailure } from '../../../lib/producer/errors.ts';
import { cborResults, cborTexts } from '../../../lib/producer/wire/cbor-answer.ts';
import { UndecodableAnswerError } from '../../../lib/producer/wire/errors.ts';
import { putRecordsAnswer } from '../sink/put-records.ts';

const region = 'us-east-1';
const written = fc.record({
  SequenceNumber: fc.stringMatching(/^\d{1,60}$/),
  ShardId: fc.nat().map((n) => `shardId-${String(n).padStart(12, '0')}`),
});
const refused = fc.record({
  ErrorCode: fc.constantFrom('InternalFailure', 'ProvisionedThroughputExceededException'),
  ErrorMessage: fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
});
const entry = fc
  .tuple(
    fc.oneof(written, refused),
    fc.dictionary(
      fc.stringMatching(/^x[a-z]{1,9}$/),
      fc.oneof(
        fc.integer(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.double({ noNaN: true }),
        fc.array(fc.nat()),
      ),
      { maxKeys: 2 },
    ),
  )
  .map(([fields, more]) => ({ ...more, ...fields }));

/** As `@smithy/core` writes it, of definite lengths. */
const encoded = (value: unknown): Buffer => Buffer.from(cbor.serialize(value));
/** The same with every array and map of indefinite length, as Kinesis writes it. */
const asKinesis = (value: unknown): Buffer => {
  if (Array.isArray(value))
    return Buffer.concat([Buffer.from([0x9f]), ...value.map(asKinesis), Buffer.from([0xff])]);
  if (typeof value !== 'object' || value === null) return encoded(value);
  const pairs = Object.entries(value).flatMap(([name, item]) => [encoded(name), asKinesis(item)]);
  return Buffer.concat([Buffer.from([0xbf]), ...pairs, Buffer.from([0xff])]);
};
/** And with every text in chunks, or with a head that is longer than need be, both of which CBOR allows. */
const chunked = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const half = bytes.length >> 1;
  const pieces = [bytes.subarray(0, half), bytes.subarray(half)];
  const chunks = pieces.map((piece) => Buffer.concat([Buffer.from([0x79, 0, piece.length]), piece]));
  return Buffer.concat([Buffer.from([0x7f]), ...chunks, Buffer.from([0xff])]);
};
const longHeaded = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const head = Buffer.from([0x7a, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const withTexts =
  (encodeText: (text: string) => Buffer) =>
  (value: unknown): Buffer => {
    const encode = withTexts(encodeText);
    if (typeof value === 'string') return encodeText(value);
    if (Array.isArray(value))
      return Buffer.concat([Buffer.from([0x9f]), ...value.map(encode), Buffer.from([0xff])]);
    if (typeof value !== 'object' || value === null) return encoded(value);
    return Buffer.concat([
      Buffer.from([0xbf]),
      ...Object.entries(value).flat().map(encode),
      Buffer.from([0xff]),
    ]);
  };

describe('an answer in CBOR', () => {
  it.each([
    ['of definite lengths', encoded],
    ['of indefinite lengths', asKinesis],
  ])('is read %s, whatever else is in it', (_what, encode) => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), fc.nat(), (entries, failed) => {
        const body = encode({
          FailedRecordCount: failed,
          EncryptionType: 'KMS',
          Records: entries,
          After: [{}],
        });
        const results = cborResults(body, { region, count: entries.length });
        const expected = entries.map((fields) =>
          'ErrorCode' in fields
            ? new RecordFailure(String(fields.ErrorCode), String(fields.ErrorMessage))
            : { region, shardId: fields.ShardId, sequenceNumber: fields.SequenceNumber },
        );
        expect(results).toEqual(expected);
        for (const [n, result] of results.entries()) {
          if (result instanceof RecordFailure)
            expect(result.name).toBe((entries[n] as { ErrorCode: string }).ErrorCode);
        }
      }),
    );
  });

  it.each([
    ['in chunks', withTexts(chunked)],
    ['with long heads', withTexts(longHeaded)],
  ])('is read with texts %s', (_what, encode) => {
    const Records = [
      { SequenceNumber: '4951', ShardId: 'shardId-000000000001', Extra: 'x' },
      { ErrorCode: 'InternalFailure', ErrorMessage: 'Müde.' },
    ];
    const results = cborResults(encode({ FailedRecordCount: 1, Records }), { region, count: 2 });
    expect(results).toEqual([
      { region, shardId: 'shardId-000000000001', sequenceNumber: '4951' },
      new RecordFailure('InternalFailure', 'Müde.'),
    ]);
    expect(cborTexts(encode({ __type: 'A', message: 'Müde.' }))).toEqual({ __type: 'A', message: 'Müde.' });
  });

  it('proves nothing when it is cut, wherever', () => {
    const parsed = { stream: 's', bytes: 0, records: [] };
    const body = putRecordsAnswer(parsed, { encoding: 'cbor', count: 3, first: 0 });
    expect(cborResults(body, { region, count: 3 })).toHaveLength(3);
    for (let length = 0; length < body.length; length++) {
      expect(() => cborResults(body.subarray(0, length), { region, count: 3 })).toThrow(
        UndecodableAnswerError,
      );
    }
    const longer = Buffer.concat([body, Buffer.from([0])]);
    expect(() => cborResults(longer, { region, count: 3 })).toThrow(UndecodableAnswerError);
  });

  it('ends in results or in an UndecodableAnswerError, whatever the bytes are', () => {
    const parsed = { stream: 's', bytes: 0, records: [] };
    const body = putRecordsAnswer(parsed, { encoding: 'cbor', count: 3, first: 0 });
    const change = fc.record({ at: fc.nat(body.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const garbled = Buffer.from(body);
        for (const { at, byte } of changes) garbled[at] = byte;
        try {
          expect(cborResults(garbled, { region, count: 3 })).toHaveLength(3);
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableAnswerError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['has no records', { FailedRecordCount: 0 }],
    ['has records that are no list', { Records: { length: 1 } }],
    ['has an entry that says nothing', { Records: [{}] }],
    ['has an entry that is null', { Records: [null] }],
    ['has an empty sequence number', { Records: [{ ShardId: 's', SequenceNumber: '' }] }],
    ['has a number for a sequence number', { Records: [{ ShardId: 's', SequenceNumber: 1 }] }],
    ['has no shard', { Records: [{ SequenceNumber: '1' }] }],
    ['has fewer entries', { Records: [] }],
    ['has more entries', { Records: [{ ShardId: 's', SequenceNumber: '1' }, {}] }],
    ['is a list', []],
    ['is null', null],
  ])('proves nothing when it %s', (_what, value) => {
    expect(() => cborResults(encoded(value), { region, count: 1 })).toThrow(UndecodableAnswerError);
  });

  it('is not followed into the deep', () => {
    const deep = Buffer.concat([Buffer.from([0xbf, 0x61, 0x78]), Buffer.alloc(100_000, 0x9f)]);
    expect(() => cborResults(deep, { region, count: 1 })).toThrow(UndecodableAnswerError);
  });

  it('gives the texts of an error, and none for anything else', () => {
    const error = { __type: 'InternalFailure', message: 'Müde.', retryAfter: 3, more: { a: [1, 'b'] } };
    for (const encode of [encoded, asKinesis]) {
      expect(cborTexts(encode(error))).toMatchObject({ __type: 'InternalFailure', message: 'Müde.' });
    }
    expect(cborTexts(Buffer.from('<html>'))).toEqual({});
    expect(cborTexts(Buffer.alloc(0))).toEqual({});
  });
});
