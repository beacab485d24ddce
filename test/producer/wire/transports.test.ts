import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordFailure } from '../../../lib/producer/errors.ts';
import type { OutgoingRecord } from '../../../lib/producer/record.ts';
import { sdkTransport } from '../../../lib/producer/sdk-transport.ts';
import type { Transport } from '../../../lib/producer/transport.ts';
import {
  ConnectionError,
  RequestTimeoutError,
  RequestTooLargeError,
  ServiceError,
  UndecodableAnswerError,
} from '../../../lib/producer/wire/errors.ts';
import { fastTransport } from '../../../lib/producer/wire/fast-transport.ts';
import type { Behaviour, KnownIdentity } from '../sink/behaviour.ts';
import { type Sink, startSink } from '../sink/sink.ts';

const identity = { accessKeyId: 'AKIDONE', secretAccessKey: 'one/+=secret' };
const limits = { maxInFlight: 4, requestTimeoutMs: 1_000 };

const records = (count: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, n) => ({ partitionKey: `key-${n}`, data: Buffer.from(`data ${n}`) }));

const inJson: typeof fastTransport = (options, given) =>
  fastTransport({ ...options, encoding: 'json' }, given);

/** The same behaviour is asked of both, over real sockets: a producer must not tell them apart. */
describe.each([
  { name: 'fast', over: 'TLS', create: fastTransport },
  { name: 'fast', over: 'plain HTTP', create: fastTransport },
  { name: 'fast', over: 'plain HTTP, in JSON', create: inJson },
  { name: 'sdk', over: 'TLS', create: sdkTransport },
  { name: 'sdk', over: 'plain HTTP', create: sdkTransport },
])('the $name transport over $over', ({ over, create }) => {
  let sink: Sink;
  let transport: Transport;
  const trusted = tls.getCACertificates('default');

  const send = (batch: readonly OutgoingRecord[] = records(3)) =>
    transport.send({ region: 'us-east-1', stream: 'orders', records: batch });
  const failure = async (...behaviours: Behaviour[]): Promise<Error> => {
    await sink.behave(...behaviours);
    return send().then(
      () => Promise.reject(new Error('it did not fail')),
      (error: Error) => error,
    );
  };
  const connect = (credentials: Parameters<typeof fastTransport>[0]['credentials']): Transport => {
    transport.close();
    transport = create({ endpoint: () => sink.url, ...(credentials && { credentials }) }, limits);
    return transport;
  };

  beforeAll(async () => {
    sink = await startSink({ tls: over === 'TLS', remember: true, identities: [identity] });
    if (sink.ca !== undefined) tls.setDefaultCACertificates([...trusted, sink.ca]);
  });
  afterAll(async () => {
    tls.setDefaultCACertificates(trusted);
    await sink.close();
  });
  beforeEach(async () => {
    await sink.behave();
    await sink.accept(identity);
    transport = create({ endpoint: () => sink.url, credentials: identity }, limits);
  });
  afterEach(() => {
    vi.useRealTimers();
    transport.close();
  });

  it('gives a shard and a sequence number for each record, in order', async () => {
    const results = await send();
    expect(results).toHaveLength(3);
    for (const result of results) {
      expect(result).toMatchObject({
        region: 'us-east-1',
        shardId: expect.stringMatching(/^shardId-\d{12}$/),
      });
    }
    const numbers = results.map((result) =>
      'sequenceNumber' in result ? BigInt(result.sequenceNumber) : 0n,
    );
    expect(numbers).toEqual(numbers.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it('keeps its connections', async () => {
    const before = await sink.received();
    for (let n = 0; n < 20; n++) await send();
    const after = await sink.received();
    expect(after.requests - before.requests).toBe(20);
    expect(after.connections - before.connections).toBeLessThanOrEqual(limits.maxInFlight);
  });

  it('carries any bytes and any key unchanged', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, n) => n);
    const batch: OutgoingRecord[] = [
      { partitionKey: 'ascii', data: all },
      { partitionKey: 'Schlüssel "\\/\n\t\u0000\u007f 鍵 🔑 \u2028', data: Buffer.alloc(0) },
      {
        partitionKey: 'k',
        data: all.subarray(1, 2),
        explicitHashKey: '340282366920938463463374607431768211455',
      },
      { partitionKey: 'k', data: all.subarray(7, 9) },
    ];
    await send(batch);
    const asSeen = batch.map(({ data, ...rest }) => ({
      ...rest,
      data: Buffer.from(data).toString('base64'),
    }));
    expect(await sink.last()).toEqual(asSeen);
  });

  it('sends a full batch of 500', async () => {
    const results = await send(records(500));
    expect(results.filter((result) => !(result instanceof RecordFailure))).toHaveLength(500);
    expect(await sink.last()).toHaveLength(500);
  });

  it('names a stream of another account by its ARN', async () => {
    const streamArn = 'arn:aws:kinesis:us-east-1:111122223333:stream/orders';
    const batch = { region: 'us-east-1', stream: 'orders', streamArn, records: records(2) };
    expect(await transport.send(batch)).toHaveLength(2);
    expect(await sink.last()).toHaveLength(2);
  });

  it('says which half of a batch failed, and why', async () => {
    await sink.behave({ kind: 'failEntries', nth: 2, code: 'ProvisionedThroughputExceededException' });
    const results = await send(records(6));
    expect(results.map((result) => result instanceof RecordFailure)).toEqual([
      ...[false, true, false],
      ...[true, false, true],
    ]);
    expect(results[1]).toMatchObject({
      name: 'ProvisionedThroughputExceededException',
      message: 'Entry 1 was refused.',
    });
  });

  it.each([
    ['ProvisionedThroughputExceededException', 400],
    ['ResourceNotFoundException', 400],
    ['InvalidArgumentException', 400],
    ['KMSThrottlingException', 400],
    ['AccessDeniedException', 400],
    ['ThrottlingException', 400],
    ['ValidationException', 400],
    ['ExpiredTokenException', 400],
    ['RequestEntityTooLargeException', 413],
    ['InternalFailure', 500],
    ['ServiceUnavailable', 503],
  ])('raises %s by its name', async (type, status) => {
    for (const where of ['body', 'header'] as const) {
      // Where it may be due to the encoding, it is asked for in the other one.
      const refusal: Behaviour = { kind: 'error', status, type, where };
      const error = await failure(refusal, refusal);
      await sink.behave();
      expect(error).toBeInstanceOf(ServiceError);
      expect(error).toMatchObject({
        name: type,
        status,
        requestId: 'c0a8f1d2-0000-0000-0000-00000000000e',
        message: 'As the test asked.',
      });
    }
    await expect(send()).resolves.toHaveLength(3);
  });

  it.each([
    ['HTML of a load balancer', 502, '<html>Bad Gateway</html>'],
    ['nothing', 500, ''],
    ['JSON that is no object', 503, 'null'],
  ])('names an error with %s by its status', async (_what, status, raw) => {
    const answer: Behaviour = { kind: 'error', status, raw };
    const error = await failure(answer, answer);
    await sink.behave();
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ name: `Http${status}`, status });
  });

  it('gives up on an answer that does not come', async () => {
    const startMs = performance.now();
    const error = await failure({ kind: 'hang' });
    expect(error).toBeInstanceOf(RequestTimeoutError);
    expect(error.name).toBe('TimeoutError');
    expect(performance.now() - startMs).toBeLessThan(limits.requestTimeoutMs * 3);
    await expect(send()).resolves.toHaveLength(3);
  });

  it('gives up on a body that does not end in time, and waits for one that does', async () => {
    expect(await failure({ kind: 'slow', ms: limits.requestTimeoutMs * 2 })).toBeInstanceOf(
      RequestTimeoutError,
    );
    await sink.behave({ kind: 'slow', ms: 50 });
    await expect(send()).resolves.toHaveLength(3);
  });

  it('tells a broken connection from a slow one', async () => {
    expect(await failure({ kind: 'reset' })).toBeInstanceOf(ConnectionError);
    await expect(send()).resolves.toHaveLength(3);
  });

  it('tells that nobody listens', async () => {
    await sink.received();
    transport.close();
    transport = create({ endpoint: () => 'http://127.0.0.1:1', credentials: identity }, limits);
    await expect(send()).rejects.toBeInstanceOf(ConnectionError);
  });

  it.each([
    ['is no JSON', '{"FailedRecordCount":0,"Records":[{"Seq'],
    ['is empty', ''],
    ['is null', 'null'],
    ['has no records', '{"FailedRecordCount":0}'],
    ['has records that are no list', '{"Records":{"length":3}}'],
    ['has entries that say nothing', '{"Records":[{},{},{}]}'],
    ['has entries that are null', '{"Records":[null,null,null]}'],
    [
      'has empty sequence numbers',
      `{"Records":[${'{"ShardId":"s","SequenceNumber":""},'.repeat(2)}{"ShardId":"s","SequenceNumber":""}]}`,
    ],
  ])('proves nothing by a 200 whose body %s', async (_what, body) => {
    // Before anything has worked it is asked for in the other encoding, too.
    const error = await failure({ kind: 'raw', body }, { kind: 'raw', body });
    await sink.behave();
    expect(error).toBeInstanceOf(UndecodableAnswerError);
    expect(error).toMatchObject({ retryable: true });
  });

  it.each([
    ['fewer', 1],
    ['more', -1],
  ])('does not guess which records an answer with %s entries is about', async (_what, by) => {
    expect(await failure({ kind: 'short', by }, { kind: 'short', by })).toBeInstanceOf(
      UndecodableAnswerError,
    );
  });

  it('does not send what Kinesis would refuse for its size', async () => {
    const before = await sink.received();
    const data = Buffer.alloc(1024 * 1024);
    const batch = Array.from({ length: 11 }, (_, n) => ({ partitionKey: `${n}`, data }));
    await expect(send(batch)).rejects.toBeInstanceOf(RequestTooLargeError);
    expect((await sink.received()).requests).toBe(before.requests);
    await expect(send(batch.slice(0, 5))).resolves.toHaveLength(5);
  });

  it('signs with the secret, for the region it sends to', async () => {
    connect({ ...identity, secretAccessKey: 'another' });
    await expect(send()).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  it('takes a new identity when the service calls the old one expired', async () => {
    const old: KnownIdentity = { accessKeyId: 'OLD', secretAccessKey: 'x', sessionToken: 'token/old' };
    const fresh: KnownIdentity = { accessKeyId: 'NEW', secretAccessKey: 'y', sessionToken: 'token/new' };
    await sink.accept(old, fresh);
    let given = old;
    const provider = vi.fn(async () => ({ ...given, expiration: new Date(Date.now() + 3_600_000) }));
    connect(provider);
    await send();
    await send();
    expect(provider).toHaveBeenCalledTimes(1);
    given = fresh;
    await sink.accept({ ...old, expired: true }, fresh);
    await expect(send()).rejects.toMatchObject({ name: 'ExpiredTokenException' });
    await expect(send()).resolves.toHaveLength(3);
    expect(provider).toHaveBeenCalledTimes(2);
  });

  it('follows the clock of the service after a step of its own', async () => {
    await send();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    await expect(send()).rejects.toMatchObject({ name: 'InvalidSignatureException' });
    await expect(send()).resolves.toHaveLength(3);
  });
});

describe('the encoding of the fast transport', () => {
  let sink: Sink;
  let transport: Transport;
  const send = () => transport.send({ region: 'us-east-1', stream: 'orders', records: records(3) });
  const requestsOf = async (act: () => Promise<unknown>): Promise<number> => {
    const before = await sink.received();
    await act();
    return (await sink.received()).requests - before.requests;
  };
  const start = async (settings: { readonly jsonOnly?: boolean }): Promise<void> => {
    sink = await startSink({ tls: false, identities: [identity], ...settings });
    transport = fastTransport({ endpoint: () => sink.url, credentials: identity }, limits);
  };
  afterEach(async () => {
    transport.close();
    await sink.close();
  });

  it('is JSON for an endpoint that takes nothing else, after one request that finds that out', async () => {
    await start({ jsonOnly: true });
    expect(await requestsOf(async () => expect(await send()).toHaveLength(3))).toBe(2);
    expect(await requestsOf(send)).toBe(1);
  });

  it.each(['ValidationException', 'SerializationException'])(
    'stays as it is when %s is the answer to both, and the second is the one that counts',
    async (type) => {
      await start({});
      const refusal = { kind: 'error', status: 400, type } as const;
      await sink.behave(refusal, refusal);
      expect(await requestsOf(() => expect(send()).rejects.toMatchObject({ name: type }))).toBe(2);
      // In CBOR again, or the sink would be asked once.
      await sink.behave(refusal);
      expect(await requestsOf(async () => expect(await send()).toHaveLength(3))).toBe(2);
      expect(await requestsOf(send)).toBe(1);
    },
  );

  it.each<[string, Behaviour]>([
    ['404', { kind: 'error', status: 404, raw: '<html>' }],
    ['406', { kind: 'error', status: 406, raw: '' }],
    ['500', { kind: 'error', status: 500, type: 'InternalFailure' }],
    ['501', { kind: 'error', status: 501, raw: '' }],
    ['a 200 that says nothing', { kind: 'raw', body: '{"ok":1}' }],
  ])('is JSON for an endpoint that has only ever answered %s to CBOR', async (_what, answer) => {
    await start({});
    await sink.behave(answer);
    expect(await requestsOf(async () => expect(await send()).toHaveLength(3))).toBe(2);
    expect(await requestsOf(send)).toBe(1);
  });

  it('is not doubted for what has nothing to do with it', async () => {
    await start({});
    await send();
    for (const type of [
      'InternalFailure',
      'ProvisionedThroughputExceededException',
      'AccessDeniedException',
    ]) {
      await sink.behave({ kind: 'error', status: 400, type });
      expect(await requestsOf(() => expect(send()).rejects.toMatchObject({ name: type }))).toBe(1);
    }
  });

  it('waits for credentials longer than for an answer', async () => {
    await start({});
    transport.close();
    const slow = async () => {
      await sleep(limits.requestTimeoutMs + 100);
      return identity;
    };
    transport = fastTransport({ endpoint: () => sink.url, credentials: slow }, limits);
    expect(await send()).toHaveLength(3);
  });

  it('is told by the answer, not by the request', async () => {
    await start({});
    await send();
    await sink.behave({
      kind: 'error',
      status: 500,
      raw: '{"__type":"InternalFailure","message":"In JSON."}',
    });
    await expect(send()).rejects.toMatchObject({ name: 'InternalFailure', message: 'In JSON.' });
  });
});
