import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyBuffers } from '../../../lib/producer/wire/body-buffers.ts';
import { RequestTooLargeError } from '../../../lib/producer/wire/errors.ts';
import { measured, writeBody } from '../../../lib/producer/wire/request-body.ts';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
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

describe('a request body', () => {
  it('is the JSON of its batch in ASCII, whatever the buffer held before', () => {
    const buffers = new BodyBuffers({ keep: 1 });
    fc.assert(
      fc.property(text, fc.array(record, { maxLength: 12 }), (stream, records) => {
        const batch = measured({ stream, records });
        const buffer = buffers.take(batch.length);
        buffer.fill(0xff);
        const body = writeBody(batch, buffer);
        expect(body.every((byte) => byte < 0x80)).toBe(true);
        expect(JSON.parse(body.toString())).toEqual({
          StreamName: stream,
          Records: records.map(({ partitionKey, data, explicitHashKey }) => ({
            PartitionKey: partitionKey,
            Data: Buffer.from(data).toString('base64'),
            ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
          })),
        });
        buffers.give(buffer);
      }),
    );
  });

  it('is refused above 10 MiB, to the byte', () => {
    const largest = (bytes: number) => [{ partitionKey: 'k', data: new Uint8Array(bytes) }];
    const fits = Math.floor((10 * 1024 * 1024 - 64) / 4) * 3;
    expect(() => measured({ stream: 's', records: largest(fits) })).not.toThrow();
    expect(() => measured({ stream: 's', records: largest(fits + 64) })).toThrow(RequestTooLargeError);
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
