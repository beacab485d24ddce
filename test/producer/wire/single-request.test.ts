import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SingleRequest, singleRequest } from '../../../lib/producer/wire/single-request.ts';
import { type Sink, startSink } from '../sink/sink.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
let sink: Sink;
beforeEach(async () => {
  sink = await startSink({ tls: false, identities: [credentials] });
});
afterEach(() => sink.close());

const send = (change: Partial<SingleRequest> = {}) =>
  singleRequest({
    encoding: 'cbor',
    batch: {
      region: 'us-east-1',
      stream: 'shop-canary',
      records: [{ partitionKey: 'prove', data: new TextEncoder().encode('x') }],
    },
    timeoutMs: 2_000,
    endpoint: () => sink.url,
    credentials,
    ...change,
  });

describe('one request in one encoding', () => {
  it.each(['cbor', 'json'] as const)('in %s is written, and answered in kind', async (encoding) => {
    expect(await send({ encoding })).toEqual({ answer: 'written', inCbor: encoding === 'cbor' });
    expect(await sink.received()).toMatchObject({ requests: 1, records: 1 });
  });

  it('is not sent again in JSON where CBOR is not understood: that is doubtful', async () => {
    await sink.behave({ kind: 'error', status: 400, type: 'SerializationException' });
    expect(await send()).toMatchObject({
      answer: 'doubtful',
      problem: expect.stringMatching(/SerializationException/),
    });
    expect(await sink.received()).toMatchObject({ requests: 1 });
  });

  it.each([
    ['throttling', { kind: 'error', status: 400, type: 'ProvisionedThroughputExceededException' } as const],
    ['a broken connection', { kind: 'reset' } as const],
    ['an entry that is refused', { kind: 'failEntries', nth: 1, code: 'InternalFailure' } as const],
  ])('that meets %s has failed, which says nothing of the encoding', async (_what, behaviour) => {
    await sink.behave(behaviour);
    expect(await send()).toMatchObject({ answer: 'failed', problem: expect.stringMatching(/\w/) });
  });

  it('without an answer in time has failed', async () => {
    await sink.behave({ kind: 'hang' });
    expect(await send({ timeoutMs: 200 })).toMatchObject({ answer: 'failed' });
  });
});
