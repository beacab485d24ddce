import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../lib/aggregate/decode.ts';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import { DamagedAggregateError } from '../../lib/aggregate/errors.ts';
import type { AggregateRecord } from '../../lib/aggregate/format.ts';
import { anyRecords, frame, hex } from './fixtures/frame.ts';

function encode(records: readonly AggregateRecord[]): Uint8Array {
  const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
  for (const record of records) encoder.add(record);
  return encoder.finish();
}

/** What became of the bytes: why they were refused, 'plain', or the records. Anything else that is thrown is a failure. */
function fateOf(bytes: Uint8Array): unknown {
  try {
    return decodeAggregate(bytes) ?? 'plain';
  } catch (error) {
    if (error instanceof DamagedAggregateError) return error.rejection;
    throw error;
  }
}

const refused = ['truncated-aggregate', 'aggregate-checksum', 'aggregate-magic', 'aggregate-content'];
const sound = encode([
  { partitionKey: 'k', data: Buffer.from('one') },
  { partitionKey: 'l', explicitHashKey: '3', data: Buffer.from('two') },
]);

describe('damage', () => {
  it('is noticed when any one byte has changed', () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(), fc.integer({ min: 1, max: 255 }), (records, place, bits) => {
        const bytes = Buffer.from(encode(records));
        const at = place % bytes.byteLength;
        bytes[at] = (bytes[at] as number) ^ bits;
        expect(fateOf(bytes)).toBe(at < 4 ? 'aggregate-magic' : 'aggregate-checksum');
      }),
    );
  });

  it('is noticed wherever the aggregate is cut, unless nothing is left but a part of the magic', () => {
    for (let length = 0; length < sound.byteLength; length++) {
      const fate = fateOf(sound.subarray(0, length));
      expect([length, fate]).toEqual([
        length,
        length < 4 ? 'plain' : length <= 20 ? 'truncated-aggregate' : 'aggregate-checksum',
      ]);
    }
  });

  it('is noticed when bytes follow', () => {
    expect(fateOf(Buffer.concat([sound, Buffer.from('x')]))).toBe('aggregate-checksum');
  });

  it('is what bytes of a user’s that begin with the magic by chance are taken for', () => {
    expect(fateOf(Buffer.concat([hex('f3899ac2'), Buffer.from('the user’s own data, of some length')]))).toBe(
      'aggregate-checksum',
    );
    expect(fateOf(hex('f3899ac2'))).toBe('truncated-aggregate');
  });
});

describe('a record of its own', () => {
  it.each([
    ['nothing', ''],
    ['a text', Buffer.from('{"order":1}').toString('hex')],
    ['two bytes of the magic', 'f389 0000'],
    ['three bytes of the magic without its MD5', `f3899a00 ${'ab'.repeat(60)}`],
    ['the magic further in', `00 ${Buffer.from(sound).toString('hex')}`],
  ])('is %s', (_, bytes) => {
    expect(fateOf(hex(bytes))).toBe('plain');
  });
});

describe('any bytes', () => {
  const run = { numRuns: 3_000 };

  it('are read or refused with a type', () => {
    const magic = fc.constant(hex('f3899ac2'));
    const begun = fc.tuple(magic, fc.uint8Array()).map(Buffer.concat);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), begun), (bytes) => {
        expect(['plain', ...refused]).toContain(fateOf(bytes));
      }),
      run,
    );
  });

  it('in the place of the message are read or refused with a type', () => {
    // Bytes that are tags of the format more often than chance makes them.
    const byte = fc.oneof(fc.constantFrom(0x0a, 0x12, 0x1a, 0x08, 0x10, 0x22, 0x0b, 0x0c), fc.nat(255));
    const message = fc.array(byte, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(message, (bytes) => {
        const fate = fateOf(frame(bytes));
        if (typeof fate === 'string') expect(refused).toContain(fate);
        else for (const { data } of fate as AggregateRecord[]) expect(data.byteLength).toBeLessThan(60);
      }),
      run,
    );
  });

  it('with one byte changed before the MD5 was made are read within the bytes, or refused with a type', () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(), fc.nat(255), (records, place, value) => {
        const bytes = encode(records);
        const message = Buffer.from(bytes.subarray(4, -16));
        message[place % message.byteLength] = value;
        const fate = fateOf(frame(message));
        if (typeof fate === 'string') expect(fate).toMatch(/^(aggregate-content|truncated-aggregate)$/);
        else expect((fate as AggregateRecord[]).length).toBeLessThanOrEqual(message.byteLength);
      }),
      run,
    );
  });

  it('are read in one pass: a megabyte of the smallest records', () => {
    const one = hex('1a04 0800 1a00');
    const message = Buffer.concat([hex('0a016b'), ...Array.from({ length: 170_000 }, () => one)]);
    const records = decodeAggregate(frame(message)) ?? [];
    expect(records).toHaveLength(170_000);
    expect(new Set(records.map(({ partitionKey }) => partitionKey))).toEqual(new Set(['k']));
  });
});
