import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Deduplicator,
  isProbeRecord,
  OrderChecker,
  PROBE_DATA_PREFIX,
  PROBE_KEY_PREFIX,
  unwrap,
} from '../../lib/consumer/index.ts';
import { isProbeData, probeRecord } from '../../lib/envelope/probe-record.ts';
import { wrap } from '../../lib/envelope/wrap.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const beginsMarked = (data: Uint8Array): boolean =>
  Buffer.from(data).toString('latin1').startsWith(PROBE_DATA_PREFIX);

const probe = fc
  .record({
    observer: fc.oneof(fc.constantFrom('us-east-2', 'eu-west-1'), fc.string({ maxLength: 20 })),
    atMs: fc.nat({ max: 4_000_000_000_000 }),
    place: fc.nat(),
  })
  .map(probeRecord);
/** Mostly bytes that are nearly marked: the prefix, cut somewhere, perhaps with a wrong byte, and anything behind it. */
const nearlyMarked = fc
  .record({
    kept: fc.integer({ min: 0, max: PROBE_DATA_PREFIX.length }),
    wrongAt: fc.nat({ max: PROBE_DATA_PREFIX.length - 1 }),
    change: fc.integer({ min: 0, max: 255 }),
    rest: fc.uint8Array({ maxLength: 60 }),
  })
  .map(({ kept, wrongAt, change, rest }) => {
    const start = Buffer.from(PROBE_DATA_PREFIX).subarray(0, kept);
    if (wrongAt < kept) start[wrongAt] = (start[wrongAt] as number) ^ change;
    return new Uint8Array(Buffer.concat([start, rest]));
  });
const anyData = fc.oneof(
  nearlyMarked,
  fc.uint8Array({ maxLength: 120 }),
  fc.json().map(bytesOf),
  probe.map(({ data }) => data),
);

describe('a marked record', () => {
  it('is told by its key, by its data, and by both', () => {
    fc.assert(
      fc.property(probe, ({ partitionKey, data }) => {
        expect(isProbeRecord({ partitionKey })).toBe(true);
        expect(isProbeRecord({ data })).toBe(true);
        expect(isProbeRecord({ partitionKey, data })).toBe(true);
        expect(unwrap(data)).toEqual({ enveloped: false, probe: true, bytes: data });
      }),
    );
  });

  it('is told as a Lambda event has it, in base64, and as the SDK returns it', () => {
    const user = fc.uint8Array({ maxLength: 60 }).filter((data) => !beginsMarked(data));
    fc.assert(
      fc.property(probe, user, ({ partitionKey, data }, other) => {
        const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
        const kinesis = { kinesisSchemaVersion: '1.0', partitionKey, sequenceNumber: '1' };
        expect(isProbeRecord({ ...kinesis, data: base64(data) })).toBe(true);
        expect(isProbeRecord({ data: base64(data) })).toBe(true);
        expect(isProbeRecord({ PartitionKey: partitionKey, Data: data })).toBe(true);
        expect(isProbeRecord({ ...kinesis, data: base64(other) })).toBe(false);
        expect(isProbeRecord({ ...kinesis, partitionKey: 'customer-7', data: base64(data) })).toBe(false);
        expect(isProbeRecord({ PartitionKey: partitionKey, Data: other })).toBe(false);
        expect(isProbeRecord({ PartitionKey: 'customer-7', Data: data })).toBe(false);
      }),
    );
  });

  it.each([
    ['the record around it', { kinesis: { partitionKey: `${PROBE_KEY_PREFIX}a` } }, /record\.kinesis/],
    ['its data as a text', { data: `${PROBE_DATA_PREFIX}"a":1}` }, /not base64/],
    ['its data as a list', { partitionKey: `${PROBE_KEY_PREFIX}a`, data: [123] }, /neither bytes nor/],
    ['null', { data: null }, /null/],
    ['a key that is no text', { partitionKey: 7 }, /partitionKey/],
  ])('is not passed over in silence when a consumer asks with %s', (_what, record, says) => {
    const ask = () => isProbeRecord(record as Parameters<typeof isProbeRecord>[0]);
    expect(ask).toThrow(TypeError);
    expect(ask).toThrow(says);
  });

  it('is not taken for a user’s when its base64 is unwrapped instead of its bytes', () => {
    const { data } = probeRecord({ observer: 'us-east-2', atMs: 1, place: 1 });
    const base64: unknown = Buffer.from(data).toString('base64');
    expect(() => unwrap(base64 as Uint8Array)).toThrow(/Buffer\.from/);
  });

  it('has no data that could be handled as a user’s, and less than 100 bytes of its own', () => {
    const { data } = probeRecord({ observer: 'ap-southeast-2', atMs: Date.now(), place: 123_456_789 });
    expect(unwrap(data)).not.toHaveProperty('data');
    expect(data.byteLength).toBeLessThan(100);
  });

  it('is the bytes that docs/envelope.md shows', () => {
    const { partitionKey, data } = probeRecord({ observer: 'us-east-2', atMs: 1_795_600_800_000, place: 7 });
    expect(partitionKey).toBe('spillway-probe/us-east-2/7');
    expect(Buffer.from(data).toString()).toBe(
      '{"spillwayProbe":1,"observer":"us-east-2","atMs":1795600800000}',
    );
  });

  it('is recognised where it lies inside other bytes', () => {
    const { data } = probeRecord({ observer: 'us-east-2', atMs: 1, place: 1 });
    const padded = new Uint8Array(200).fill(0x7b);
    padded.set(data, 13);
    expect(unwrap(padded.subarray(13, 13 + data.byteLength)).probe).toBe(true);
    expect(unwrap(padded).probe).toBeUndefined();
  });
});

describe('any other record', () => {
  it('is never taken for a marked one: only bytes that begin with the whole mark are', () => {
    let marked = 0;
    fc.assert(
      fc.property(anyData, (data) => {
        const expected = beginsMarked(data);
        if (expected) marked++;
        expect(isProbeData(data)).toBe(expected);
        expect(unwrap(data).probe === true).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(marked).toBeGreaterThan(100);
  });

  it('keeps its envelope, whatever its data look like', () => {
    const id = '019abcde-f012-7345-8678-9abcdef01234';
    fc.assert(
      fc.property(probe, ({ data }) => {
        const wrapped = wrap({ producerId: id, epoch: 0, sequence: 1, recordId: id, data });
        expect(unwrap(wrapped)).toMatchObject({ enveloped: true, recordId: id, data: Buffer.from(data) });
        expect(unwrap(wrapped).probe).toBeUndefined();
      }),
    );
  });

  it.each([
    ['its key alone is marked', { partitionKey: `${PROBE_KEY_PREFIX}a`, data: bytesOf('{"order":1}') }],
    [
      'its data alone are marked',
      { partitionKey: 'customer-7', data: bytesOf(`${PROBE_DATA_PREFIX}"a":1}`) },
    ],
    ['the mark is not at the beginning of its key', { partitionKey: `x${PROBE_KEY_PREFIX}` }],
  ])('is a user’s when %s', (_when, record) => {
    expect(isProbeRecord(record)).toBe(false);
  });
});

it('types keep a consumer from handling a marked record by accident', () => {
  const read = unwrap(bytesOf('{}'));
  const checker = new OrderChecker();
  const deduplicator = new Deduplicator();
  const careless = (): unknown => {
    if (read.rejection !== undefined || read.enveloped) return undefined;
    // @ts-expect-error A bare record may be a marked one, which has no data: `probe` has to be asked first.
    return read.data;
  };
  expect(careless()).toBeDefined();
  if (read.probe) {
    // @ts-expect-error A marked record has no number.
    checker.check({ ...read, partitionKey: 'k' });
    // @ts-expect-error And no id.
    void deduplicator.once(read.recordId, () => undefined);
  }
  if (read.rejection === undefined && !read.enveloped && !read.probe)
    expect(Buffer.from(read.data).toString()).toBe('{}');
});
