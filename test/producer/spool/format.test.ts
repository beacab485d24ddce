import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRecord,
  encodeRecord,
  recordBytes,
  type SegmentBytes,
  type SpoolEntry,
  sealRecords,
} from '../../../lib/producer/spool/record-format.ts';
import { scan } from '../../../lib/producer/spool/scan.ts';

const BASE = 64;

/** Partly bytes that look like the beginning of a record. */
const data = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.array(fc.constantFrom(0xe5, 0, 13, 1), { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
);
const anEntry: fc.Arbitrary<SpoolEntry> = fc
  .record({
    partitionKey: fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
    explicitHashKey: fc.option(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String), { nil: undefined }),
    data,
  })
  .map(({ explicitHashKey, ...rest }) =>
    explicitHashKey === undefined ? rest : { ...rest, explicitHashKey },
  );
const entries = fc.array(anEntry, { minLength: 1, maxLength: 12 });
const salt = fc.nat({ max: 0xffff_ffff });

interface Encoded {
  readonly buffer: Buffer;
  readonly ends: readonly number[];
}

function encode(all: readonly SpoolEntry[], place: { salt: number; offset: number }): Encoded {
  const buffer = Buffer.alloc(all.reduce((sum, one) => sum + recordBytes(one), 0));
  let at = 0;
  const ends: number[] = [];
  for (const one of all) {
    at = encodeRecord(buffer, at, one);
    ends.push(at);
  }
  sealRecords(buffer, at, place);
  return { buffer, ends };
}

/** What a scan returns, in a form that can be compared. */
function found(bytes: SegmentBytes): readonly string[] {
  const texts: string[] = [];
  scan(bytes, (start, end) => {
    texts.push(text(decodeRecord(bytes, start - bytes.base, end - start)));
  });
  return texts;
}

function text({ partitionKey, explicitHashKey, data: bytes }: SpoolEntry): string {
  return JSON.stringify([partitionKey, explicitHashKey ?? null, Buffer.from(bytes).toString('hex')]);
}

describe('the format of records', () => {
  it('gives back every entry', () => {
    fc.assert(
      fc.property(entries, salt, (all, by) => {
        const { buffer } = encode(all, { salt: by, offset: BASE });
        expect(found({ buffer, base: BASE, salt: by })).toEqual(all.map(text));
      }),
    );
  });

  it('gives back exactly the whole ones of a file that ends anywhere', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (all, anywhere) => {
        const { buffer, ends } = encode(all, { salt: 1, offset: BASE });
        const cut = anywhere % (buffer.length + 1);
        const whole = ends.filter((end) => end <= cut).length;
        const bytes = { buffer: buffer.subarray(0, cut), base: BASE, salt: 1 };
        expect(found(bytes)).toEqual(all.slice(0, whole).map(text));
        expect(scan(bytes)).toMatchObject({ end: BASE + (ends[whole - 1] ?? 0), damages: [] });
      }),
    );
  });

  it('gives back every record but the one in which a byte is wrong', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, anywhere, flip) => {
        const { buffer, ends } = encode(all, { salt: 7, offset: BASE });
        const at = anywhere % buffer.length;
        buffer[at] = (buffer[at] ?? 0) ^ flip;
        const hit = ends.findIndex((end) => at < end);
        const rest = all.filter((_, index) => index !== hit);
        expect(found({ buffer, base: BASE, salt: 7 })).toEqual(rest.map(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('never returns a record that was not written, whatever is wrong', () => {
    const noise = fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { maxLength: 40 });
    fc.assert(
      fc.property(entries, noise, (all, wrong) => {
        const { buffer } = encode(all, { salt: 9, offset: BASE });
        for (const { at, byte } of wrong) buffer[at % buffer.length] = byte;
        const written = all.map(text);
        for (const one of found({ buffer, base: BASE, salt: 9 })) expect(written).toContain(one);
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not take a record within the data of a damaged one for its own', () => {
    const inner = encode([{ partitionKey: 'forged', data: Buffer.from('x') }], {
      salt: 3,
      offset: BASE,
    }).buffer;
    const { buffer } = encode([{ partitionKey: 'outer', data: inner }], { salt: 3, offset: BASE });
    buffer[5] = 0xff;
    expect(found({ buffer, base: BASE, salt: 3 })).toEqual([]);
  });

  it('does not take the bytes of another segment for its own', () => {
    const { buffer } = encode([{ partitionKey: 'k', data: Buffer.from('x') }], { salt: 3, offset: BASE });
    expect(found({ buffer, base: BASE, salt: 4 })).toEqual([]);
    expect(found({ buffer, base: BASE + 1, salt: 3 })).toEqual([]);
  });

  it('ends its search in bounded time in data made to look like records everywhere', () => {
    const buffer = Buffer.alloc(4 * 1024 * 1024, Buffer.from('0000000000100d00010000e5', 'hex'));
    const startedMs = performance.now();
    expect(scan({ buffer, base: BASE, salt: 1 }).records).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
