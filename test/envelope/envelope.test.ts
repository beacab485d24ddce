import fc from 'fast-check';
import { v7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { EnvelopeError } from '../../lib/envelope/errors.ts';
import { layout, MAGIC } from '../../lib/envelope/layout.ts';
import { unwrap } from '../../lib/envelope/unwrap.ts';
import { ENVELOPE_BYTES, type WrapInput, wrap } from '../../lib/envelope/wrap.ts';

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
});
const input: fc.Arbitrary<WrapInput & { first: boolean }> = fc.record({
  producerId: uuid,
  epoch: fc.integer({ min: 0, max: 0xffff_ffff }),
  sequence: fc.maxSafeNat(),
  first: fc.boolean(),
  recordId: uuid,
  data: fc.uint8Array({ maxLength: 200 }),
});
const example: WrapInput = {
  producerId: '6f1c2a30-4b5d-4e6f-8a9b-0c1d2e3f4a5b',
  epoch: 3,
  sequence: 42,
  recordId: '019abcde-f012-7345-8678-9abcdef01234',
  data: Buffer.from('{"order":1}'),
};

describe('an envelope', () => {
  it('gives back whatever was put in', () => {
    fc.assert(
      fc.property(input, (given) => {
        expect(unwrap(wrap(given))).toEqual({ enveloped: true, ...given, data: Buffer.from(given.data) });
      }),
    );
  });

  it('is read the same where it lies inside other bytes, and its data is a view', () => {
    const padded = new Uint8Array(200).fill(0xc1);
    padded.set(wrap(example), 13);
    const view = padded.subarray(13, 13 + ENVELOPE_BYTES + example.data.byteLength);
    const read = unwrap(view);
    expect(read).toMatchObject({ enveloped: true, sequence: 42, recordId: example.recordId });
    expect(read.enveloped && read.data.buffer).toBe(padded.buffer);
    expect(read.enveloped && Buffer.from(read.data).toString()).toBe('{"order":1}');
  });

  it('takes ids as bytes or as text', () => {
    const bytes = v7(undefined, new Uint8Array(16));
    const text = Buffer.from(bytes).toString('hex');
    const read = unwrap(wrap({ ...example, recordId: bytes }));
    expect(read.enveloped && read.recordId.replaceAll('-', '')).toBe(text);
  });

  it('is the bytes that docs/envelope.md shows', () => {
    expect(Buffer.from(wrap({ ...example, first: true })).toString('hex')).toBe(
      'c1535057' +
        '01010000' +
        '6f1c2a304b5d4e6f8a9b0c1d2e3f4a5b' +
        '00000003' +
        '000000000000002a' +
        '019abcdef012734586789abcdef01234' +
        'abf21f52' +
        '7b226f72646572223a317d',
    );
  });

  it.each([
    ['a negative epoch', { epoch: -1 }],
    ['an epoch of 33 bits', { epoch: 2 ** 32 }],
    ['a sequence above 2^53 - 1', { sequence: 2 ** 53 }],
    ['a fractional sequence', { sequence: 1.5 }],
    ['an id that is no UUID', { recordId: 'order-1' }],
    ['an id of 15 bytes', { producerId: new Uint8Array(15) }],
  ])('is not made with %s', (_what, wrong) => {
    expect(() => wrap({ ...example, ...wrong })).toThrow(EnvelopeError);
  });
});

describe('bytes that are no envelope', () => {
  it('are the user’s own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (data) => {
        fc.pre(!MAGIC.every((byte, at) => data[at] === byte));
        expect(unwrap(data)).toEqual({ enveloped: false, data });
      }),
    );
  });

  it.each(['', '{}', '\u00c1SPW is text in UTF-8', '<xml/>'])('%j stays as it is', (text) => {
    const data = Buffer.from(text);
    const read = unwrap(data);
    expect(read).toEqual({ enveloped: false, data });
    expect('data' in read && read.data).toBe(data);
  });
});

describe('a damaged envelope', () => {
  it('is rejected for any change of any one byte of the header', () => {
    const anyByte = fc.integer({ min: 0, max: layout.data - 1 });
    fc.assert(
      fc.property(input, anyByte, fc.integer({ min: 1, max: 255 }), (given, at, change) => {
        const bytes = wrap(given);
        bytes[at] = (bytes[at] as number) ^ change;
        const read = unwrap(bytes);
        expect(read.rejection).toBeDefined();
        expect('bytes' in read && read.bytes).toBe(bytes);
        expect(read).not.toHaveProperty('data');
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['its version is not known', layout.version, 2, 'unknown-version'],
    ['its magic has a wrong byte', layout.magic + 2, 0, 'damaged-magic'],
    ['its id was changed', layout.recordId, 0xff, 'damaged-header'],
    ['its checksum was changed', layout.checksum, 0xff, 'damaged-header'],
  ])('says when %s', (_what, at, byte, rejection) => {
    const bytes = wrap(example);
    bytes[at] = byte;
    expect(unwrap(bytes)).toMatchObject({ enveloped: false, rejection, bytes });
  });

  it('is told from the user’s bytes at every length it may be cut to', () => {
    const whole = wrap(example);
    for (let length = MAGIC.length; length < ENVELOPE_BYTES; length++)
      expect(unwrap(whole.subarray(0, length)).rejection).toBe('truncated');
  });

  it.each([
    ['flags', layout.flags, 0x80, 'unknown-flags'],
    ['reserved bytes', layout.reserved, 1, 'unknown-flags'],
    ['a sequence', layout.sequence, 0xff, 'sequence-too-large'],
  ])('is not read when a sound header has %s of a later time', async (_what, at, byte, rejection) => {
    const { crc32 } = await import('node:zlib');
    const bytes = Buffer.from(wrap(example));
    bytes[at] = byte;
    bytes.writeUInt32BE(crc32(bytes.subarray(0, layout.checksum)), layout.checksum);
    expect(unwrap(bytes).rejection).toBe(rejection);
  });
});
