import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyBuffers } from '../../../lib/producer/wire/body-buffers.ts';
import { encodings } from '../../../lib/producer/wire/encodings.ts';
import { RequestTooLargeError } from '../../../lib/producer/wire/errors.ts';
import { decoded } from '../sink/cbor.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  // The longest have heads of two bytes, and of three in UTF-8.
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 150 }),
);
const record = fc.record({
  partitionKey: fc.oneof(text, fc.string({ minLength: 1 })),
  data: fc.oneof(
    fc.uint8Array({ maxLength: 700 }),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
  ),
  explicitHashKey: fc.option(
    fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((n) => `${n}`),
    { nil: undefined },
  ),
});

/** With one that was used before. */
function usedBuffers(): BodyBuffers {
  const buffers = new BodyBuffers({ keep: 1 });
  buffers.give(buffers.take(1).fill(0xff));
  return buffers;
}

describe('a request body', () => {
  it('is the JSON of its batch in ASCII, whatever the buffer held before', () => {
    const buffers = usedBuffers();
    fc.assert(
      fc.property(text, fc.array(record, { maxLength: 12 }), (stream, records) => {
        const { bytes, buffer } = encodings.json.write({ stream, records }, buffers);
        expect(bytes.every((byte) => byte < 0x80)).toBe(true);
        expect(JSON.parse(bytes.toString())).toEqual({
          StreamName: stream,
          Records: records.map(({ partitionKey, data, explicitHashKey }) => ({
            PartitionKey: partitionKey,
            Data: Buffer.from(data).toString('base64'),
            ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
          })),
        });
        buffers.give(buffer.fill(0xff));
      }),
    );
  });

  it.each(['json', 'cbor'] as const)('names a stream by its ARN in %s', (encoding) => {
    const streamArn = 'arn:aws:kinesis:us-east-1:111122223333:stream/orders';
    const { bytes } = encodings[encoding].write({ stream: 'orders', streamArn, records: [] }, usedBuffers());
    const body = encoding === 'json' ? JSON.parse(bytes.toString()) : decoded(bytes);
    expect(body).toEqual({ StreamARN: streamArn, Records: [] });
  });

  it('is the CBOR of its batch, whatever the buffer held before', () => {
    const buffers = usedBuffers();
    fc.assert(
      fc.property(text, fc.array(record, { maxLength: 12 }), (stream, records) => {
        const { bytes, buffer } = encodings.cbor.write({ stream, records }, buffers);
        expect(decoded(bytes)).toEqual({
          StreamName: stream,
          Records: records.map(({ partitionKey, data, explicitHashKey }) => ({
            PartitionKey: partitionKey,
            Data: Buffer.from(data),
            ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
          })),
        });
        buffers.give(buffer.fill(0xff));
      }),
    );
  });

  it('is byte for byte what the AWS SDK for Java would send', () => {
    const records = [{ partitionKey: 'k', data: Buffer.from([1, 2]) }];
    const { bytes } = encodings.cbor.write({ stream: 's', records }, new BodyBuffers({ keep: 0 }));
    // RFC 8949: bf, map of any length; 9f, array of any length; 6x, text; 4x, bytes; ff, end.
    expect(bytes.toString('latin1')).toBe(
      '\xbf\x6aStreamName\x61s\x67Records\x9f\xbf\x6cPartitionKey\x61k\x64Data\x42\x01\x02\xff\xff\xff',
    );
  });

  it('is refused above 10 MiB, to the byte', () => {
    const buffers = new BodyBuffers({ keep: 1 });
    const one = (bytes: number) => ({
      stream: 's',
      records: [{ partitionKey: 'k', data: new Uint8Array(bytes) }],
    });
    const limit = 10 * 1024 * 1024;
    const inJson = Math.floor((limit - 64) / 4) * 3;
    expect(encodings.json.write(one(inJson), buffers).bytes.length).toBeLessThanOrEqual(limit);
    expect(() => encodings.json.write(one(inJson + 64), buffers)).toThrow(RequestTooLargeError);
    const frame = encodings.cbor.write(one(100_000), buffers).bytes.length - 100_000;
    expect(encodings.cbor.write(one(limit - frame), buffers).bytes).toHaveLength(limit);
    expect(() => encodings.cbor.write(one(limit - frame + 1), buffers)).toThrow(RequestTooLargeError);
    expect(() => encodings.cbor.write(one(limit + 1), buffers)).toThrow(RequestTooLargeError);
  });
});

describe('body buffers', () => {
  it('are used again, and never shorter than asked for', () => {
    const buffers = new BodyBuffers({ keep: 1 });
    const first = buffers.take(1_000);
    buffers.give(first);
    expect(buffers.take(2_000)).toBe(first);
    buffers.give(first);
    expect(buffers.take(first.length + 1).length).toBeGreaterThan(first.length);
  });

  it('do not pile up, in number or in size', () => {
    const buffers = new BodyBuffers({ keep: 1 });
    const [small, other, large] = [buffers.take(1), buffers.take(1), buffers.take(2 * 1024 * 1024)];
    buffers.give(large);
    expect(buffers.take(1)).not.toBe(large);
    buffers.give(small);
    buffers.give(other);
    expect(buffers.take(1)).toBe(small);
    expect(buffers.take(1)).not.toBe(other);
  });
});
