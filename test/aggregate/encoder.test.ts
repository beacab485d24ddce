import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../lib/aggregate/decode.ts';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import { AggregateInputError } from '../../lib/aggregate/errors.ts';
import type { AggregateRecord } from '../../lib/aggregate/format.ts';
import { anyRecord, anyRecords, hex, plain } from './fixtures/frame.ts';

const roomy = { maxBytes: 10_000_000 };

function encode(records: readonly AggregateRecord[]): Uint8Array {
  const encoder = new AggregateEncoder(roomy);
  for (const record of records) expect(encoder.add(record)).toBe(true);
  return encoder.finish();
}

const record = (data: string, partitionKey = 'k'): AggregateRecord => ({
  partitionKey,
  data: Buffer.from(data),
});

describe('an aggregate', () => {
  it('has the bytes of the format: each key once, then the records', () => {
    const bytes = encode([
      { partitionKey: 'k', explicitHashKey: '7', data: Buffer.from('a') },
      { partitionKey: 'l', data: Buffer.from('b') },
      { partitionKey: 'k', explicitHashKey: '7', data: Buffer.from('c') },
    ]);
    const message = hex('0a016b 0a016c 120137 1a07 0800 1000 1a0161 1a05 0801 1a0162 1a07 0800 1000 1a0163');
    expect(Buffer.from(bytes).toString('hex')).toMatch(
      new RegExp(`^f3899ac2${message.toString('hex')}[0-9a-f]{32}$`),
    );
  });

  it('gives its records back as they were', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        expect(plain(decodeAggregate(encode(records)) ?? [])).toEqual(plain(records));
      }),
    );
  });

  it('is found in a part of a larger buffer, and left unchanged by reading', () => {
    const bytes = encode([record('one'), record('two', 'l')]);
    const around = Buffer.concat([Buffer.alloc(7, 1), bytes, Buffer.alloc(9, 1)]);
    const read = decodeAggregate(around.subarray(7, 7 + bytes.byteLength)) ?? [];
    expect(read.map(({ data }) => `${Buffer.from(data)}`)).toEqual(['one', 'two']);
  });
});

describe('taking records out again', () => {
  it('leaves what there would be without them', () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, (records, more) => {
        const encoder = new AggregateEncoder(roomy);
        for (const one of records) encoder.add(one);
        const { bytes } = encoder;
        for (const one of more) encoder.add(one);
        for (const _ of more) encoder.removeLast();
        expect(encoder.bytes).toBe(bytes);
        expect(Buffer.from(encoder.finish())).toEqual(Buffer.from(encode(records)));
      }),
    );
  });

  it('is refused where there are none', () => {
    expect(() => new AggregateEncoder(roomy).removeLast()).toThrow(AggregateInputError);
  });
});

describe('the buffer', () => {
  it('is the one given, where it is long enough', () => {
    const encoder = new AggregateEncoder(roomy);
    const buffer = Buffer.alloc(100, 7);
    encoder.add(record('one'));
    const small = encoder.finish(buffer);
    expect(small.buffer).toBe(buffer.buffer);
    expect(Buffer.from(small)).toEqual(Buffer.from(encode([record('one')])));
    encoder.add(record('x'.repeat(200)));
    expect(encoder.finish(buffer).buffer).not.toBe(buffer.buffer);
  });

  it('never holds half an aggregate: data that were changed before `finish` are found', () => {
    const encoder = new AggregateEncoder(roomy);
    const changing = new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 }));
    encoder.add({ partitionKey: 'k', data: changing });
    (changing.buffer as ArrayBuffer).resize(2);
    expect(() => encoder.finish()).toThrow(AggregateInputError);
    expect(encoder.count).toBe(0);
  });
});

describe('the size', () => {
  it('is known exactly before a record is added, and before the aggregate is made', () => {
    fc.assert(
      fc.property(anyRecords, anyRecord, (records, last) => {
        const encoder = new AggregateEncoder(roomy);
        for (const one of records) {
          const expected = encoder.bytesWith(one);
          encoder.add(one);
          expect(encoder.bytes).toBe(expected);
        }
        const [without, withLast] = [encoder.bytes, encoder.bytesWith(last)];
        expect(encoder.bytes).toBe(without);
        expect(encoder.finish().byteLength).toBe(without);
        for (const one of [...records, last]) encoder.add(one);
        expect(encoder.finish().byteLength).toBe(withLast);
      }),
    );
  });

  it('is known where indexes and lengths take another byte', () => {
    const encoder = new AggregateEncoder(roomy);
    for (let n = 0; n < 16_500; n++) {
      const one = { partitionKey: `${n}`, explicitHashKey: `${n}`, data: Buffer.alloc(n < 140 ? n : 0) };
      const expected = encoder.bytesWith(one);
      encoder.add(one);
      if (encoder.bytes !== expected) expect.fail(`record ${n}: ${expected} foreseen, ${encoder.bytes}`);
    }
    encoder.add({ partitionKey: '0', data: Buffer.alloc(2_097_152) });
    const { bytes } = encoder;
    const made = encoder.finish();
    expect(made.byteLength).toBe(bytes);
    expect(decodeAggregate(made)?.[16_499]).toMatchObject({
      partitionKey: '16499',
      explicitHashKey: '16499',
    });
  });

  it('never exceeds the most that is allowed, and may reach it', () => {
    const exact = encode([record('one'), record('two')]).byteLength;
    const filled = new AggregateEncoder({ maxBytes: exact });
    expect([record('one'), record('two')].map((one) => filled.add(one))).toEqual([true, true]);
    const tight = new AggregateEncoder({ maxBytes: exact - 1 });
    expect([record('one'), record('two')].map((one) => tight.add(one))).toEqual([true, false]);
    expect(tight.count).toBe(1);
    // What did not fit has left nothing behind, no key either.
    expect(tight.add(record('too much of it', 'new'))).toBe(false);
    expect(decodeAggregate(tight.finish())?.map(({ data }) => `${data}`)).toEqual(['one']);
  });
});

describe('an encoder', () => {
  it('begins anew after each aggregate', () => {
    const encoder = new AggregateEncoder(roomy);
    const one = { partitionKey: 'k', explicitHashKey: '1', data: Buffer.from('one') };
    encoder.add(record('before', 'other'));
    encoder.finish();
    expect([encoder.count, encoder.bytes]).toEqual([0, 20]);
    encoder.add(one);
    expect(encoder.finish()).toEqual(encode([one]));
  });

  it.each([
    ['no partition key', { partitionKey: '' }],
    ['a partition key that is too long', { partitionKey: 'x'.repeat(257) }],
    ['half a character', { partitionKey: '\ud83d' }],
    ['a hash key that is no number', { explicitHashKey: 'k' }],
    ['a hash key with zeros in front', { explicitHashKey: '007' }],
    ['a hash key below 0', { explicitHashKey: '-1' }],
    ['a hash key of 129 bits', { explicitHashKey: `${2n ** 128n}` }],
  ])('refuses %s', (_, wrong) => {
    const encoder = new AggregateEncoder(roomy);
    expect(() => encoder.add({ ...record('x'), ...wrong })).toThrow(AggregateInputError);
    expect(encoder.count).toBe(0);
  });

  it('takes 256 characters outside the basic plane as a key, as Kinesis does', () => {
    expect(decodeAggregate(encode([record('x', '🔑'.repeat(256))]))?.[0]?.partitionKey).toHaveLength(512);
    const encoder = new AggregateEncoder(roomy);
    expect(() => encoder.add(record('x', '🔑'.repeat(257)))).toThrow(AggregateInputError);
  });

  it('makes no aggregate of nothing', () => {
    expect(() => new AggregateEncoder(roomy).finish()).toThrow(AggregateInputError);
  });
});
