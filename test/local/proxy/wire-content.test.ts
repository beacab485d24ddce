import { cbor } from '@smithy/core/cbor';
import { describe, expect, it } from 'vitest';
import { StreamNames } from '../../../lib/local/proxy/stream-names.ts';
import { BodyBuffers } from '../../../lib/producer/wire/body-buffers.ts';
import { writeCbor } from '../../../lib/producer/wire/cbor-body.ts';
import { refusedInPart } from '../../../lib/scenario/partial-answer.ts';
import { wireContent } from '../../../lib/scenario/wire-content.ts';

const facts = { region: 'us-east-1', service: 'kinesis', operation: 'PutRecords', protocol: 'json' } as const;

describe('what the fault proxy reads of CBOR', () => {
  it('is the stream of a request that our own producer has written', () => {
    const records = Array.from({ length: 500 }, (_, n) => ({
      partitionKey: `key-${n}-ü`,
      data: new Uint8Array(200),
    }));
    const { bytes } = writeCbor({ stream: 'orders', records } as never, new BodyBuffers({ keep: 0 }));
    const names = new StreamNames(new Map([['us-east-1/orders', 'cell-of-orders']]));
    expect(names.of(facts, Buffer.from(bytes))).toBe('cell-of-orders');
    expect(names.of({ ...facts, region: 'us-west-2' }, Buffer.from(bytes))).toBeUndefined();
  });

  it('is the answer of a batch, whose entries it refuses in CBOR again', () => {
    const entry = { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
    const content = Buffer.from(cbor.serialize({ FailedRecordCount: 0, Records: [entry, entry, entry] }));
    const effect = { kind: 'partial', code: 'InternalFailure', rate: 0.5 } as const;
    const draws = [0.1, 0.9, 0.1];
    const altered = refusedInPart(content, effect, () => draws.shift() as number);
    expect(altered[0]).not.toBe('{'.charCodeAt(0));
    expect(wireContent(altered)?.value).toMatchObject({
      FailedRecordCount: 2,
      Records: [{ ErrorCode: 'InternalFailure' }, entry, { ErrorCode: 'InternalFailure' }],
    });
  });

  it('is nothing in what is neither JSON nor a map of CBOR', () => {
    for (const content of ['', 'v=1', '<xml/>', '\xff'])
      expect(wireContent(Buffer.from(content, 'latin1'))).toBeUndefined();
    expect(wireContent(Buffer.from([0xbf, 0x61]))).toBeUndefined();
  });
});
