import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, askInCbor, ask as askInJson, base64, contentTypes, send } from './ask.ts';
import { type SidecarWorld, startSidecarWorld } from './world.ts';

let world: SidecarWorld;
beforeAll(async () => {
  world = await startSidecarWorld();
});
beforeEach(() => {
  world.east.records.length = 0;
  world.east.asked.length = 0;
});
afterAll(async () => {
  await world.close();
});

const ask = (operation: string, document: object, kind: 'json' | 'cbor' = 'json'): Promise<Answer> =>
  (kind === 'json' ? askInJson : askInCbor)(world.url, operation, document);

describe('the wire of the sidecar', () => {
  it('takes PutRecord and PutRecords in JSON', async () => {
    const one = await ask('PutRecord', { StreamName: 'orders', PartitionKey: 'k', Data: base64('a') });
    expect(one).toMatchObject({ status: 200, document: { ShardId: 'shardId-000000000001' } });
    expect(one.document.SequenceNumber).toMatch(/^4967\d{52}$/);
    const Records = ['b', 'c'].map((text) => ({
      PartitionKey: text,
      Data: base64(text),
      ExplicitHashKey: '7',
    }));
    const many = await ask('PutRecords', { StreamName: 'orders', Records });
    expect(many).toMatchObject({ status: 200, document: { FailedRecordCount: 0, Records: [{}, {}] } });
    expect(many.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(world.east.records.map(({ text, explicitHashKey }) => [text, explicitHashKey])).toEqual([
      ['a', undefined],
      ['b', '7'],
      ['c', '7'],
    ]);
  });

  it('takes them in CBOR, and answers in CBOR', async () => {
    const Records = ['b', 'c'].map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }));
    const many = await ask('PutRecords', { StreamName: 'orders', Records }, 'cbor');
    expect(many.headers.get('content-type')).toBe(contentTypes.cbor);
    expect(many.document).toMatchObject({
      FailedRecordCount: 0,
      Records: [{ ShardId: 'shardId-000000000001' }, {}],
    });
    const refused = await ask('PutRecords', { StreamName: 'other', Records }, 'cbor');
    expect(refused).toMatchObject({ status: 400, document: { __type: 'ResourceNotFoundException' } });
    expect(world.east.records.map(({ text }) => text)).toEqual(['b', 'c']);
  });

  it('passes on what describes the stream, in both formats, and tells times as each has them', async () => {
    const inJson = await ask('DescribeStreamSummary', { StreamName: 'orders' });
    expect(inJson.document).toMatchObject({
      StreamDescriptionSummary: { OpenShardCount: 2, StreamCreationTimestamp: 1_700_000_000.5 },
    });
    const inCbor = await ask('DescribeStream', { StreamName: 'orders' }, 'cbor');
    expect(inCbor.document).toMatchObject({
      StreamDescription: {
        StreamStatus: 'ACTIVE',
        StreamCreationTimestamp: { tag: 1, value: 1_700_000_000_500 },
      },
    });
    expect(world.east.asked.map(({ operation }) => operation)).toEqual([
      'DescribeStreamSummary',
      'DescribeStream',
    ]);
  });

  it('pages through the shards with a token that knows its region', async () => {
    const first = await ask('ListShards', { StreamName: 'orders', MaxResults: 1 });
    const { NextToken } = first.document;
    const second = await ask('ListShards', { NextToken });
    expect([first, second].map(({ document }) => document.Shards)).toEqual([
      world.east.shards.slice(0, 1),
      world.east.shards.slice(1),
    ]);
    expect(world.east.asked[1]?.input).toEqual({ NextToken: 'more shards' });
    expect(await ask('ListShards', { NextToken: 'made up' })).toMatchObject({
      status: 400,
      document: { __type: 'InvalidArgumentException' },
    });
  });

  it.each([
    ['GetRecords', 'UnknownOperationException'],
    ['CreateStream', 'UnknownOperationException'],
    ['', 'UnknownOperationException'],
  ])('refuses %s, and says what it is', async (operation, type) => {
    const answer = await ask(operation, { StreamName: 'orders' });
    expect(answer).toMatchObject({ status: 400, document: { __type: type } });
    expect(answer.document.message).toContain('Spillway sidecar');
    expect(answer.headers.get('x-amzn-errortype')).toBe(type);
  });

  const record = { PartitionKey: 'k', Data: base64('a') };
  it.each([
    ['no stream', 'PutRecord', record, 'InvalidArgumentException'],
    ['a stream that is none', 'PutRecord', { ...record, StreamName: 'a b' }, 'ValidationException'],
    ['an unknown stream', 'PutRecord', { ...record, StreamName: 'other' }, 'ResourceNotFoundException'],
    ['no key', 'PutRecord', { StreamName: 'orders', Data: base64('a') }, 'ValidationException'],
    [
      'a long key',
      'PutRecord',
      { ...record, StreamName: 'orders', PartitionKey: 'k'.repeat(257) },
      'ValidationException',
    ],
    ['no data', 'PutRecord', { StreamName: 'orders', PartitionKey: 'k' }, 'ValidationException'],
    [
      'data that is not base64',
      'PutRecord',
      { ...record, StreamName: 'orders', Data: 'a' },
      'SerializationException',
    ],
    [
      'a wrong hash key',
      'PutRecord',
      { ...record, StreamName: 'orders', ExplicitHashKey: '01' },
      'InvalidArgumentException',
    ],
    [
      'a large record',
      'PutRecord',
      { ...record, StreamName: 'orders', Data: base64('x'.repeat(1024 * 1024)) },
      'ValidationException',
    ],
    ['no records', 'PutRecords', { StreamName: 'orders', Records: [] }, 'ValidationException'],
    [
      '501 records',
      'PutRecords',
      { StreamName: 'orders', Records: Array.from({ length: 501 }, () => record) },
      'ValidationException',
    ],
    [
      '10 MiB and more',
      'PutRecords',
      {
        StreamName: 'orders',
        Records: Array.from({ length: 11 }, () => ({ ...record, Data: base64('x'.repeat(1_000_000)) })),
      },
      'InvalidArgumentException',
    ],
    ['a list', 'PutRecords', [], 'SerializationException'],
  ])('refuses %s as Kinesis does', async (_, operation, document, type) => {
    expect(await ask(operation, document)).toMatchObject({ status: 400, document: { __type: type } });
    expect(world.east.records).toEqual([]);
  });

  it('refuses a body that is not what it says', async () => {
    for (const kind of ['json', 'cbor'] as const) {
      const headers = { 'content-type': contentTypes[kind], 'x-amz-target': 'Kinesis_20131202.PutRecord' };
      expect(await send(world.url, headers, '\xff{')).toMatchObject({
        status: 400,
        document: { __type: 'SerializationException' },
      });
    }
  });

  it('finds the stream by its ARN, of either region and whatever the account', async () => {
    for (const StreamARN of [
      'arn:aws:kinesis:us-east-1:111122223333:stream/orders',
      'arn:aws:kinesis:us-west-2:111122223333:stream/orders-west',
    ]) {
      expect(await ask('PutRecord', { ...record, StreamARN })).toMatchObject({ status: 200 });
    }
    const StreamARN = 'arn:aws:kinesis:us-east-1:111122223333:stream/orders-west';
    expect(await ask('PutRecord', { ...record, StreamARN })).toMatchObject({ status: 400 });
  });

  it('speaks TLS with a certificate of its own, over HTTP/1.1 and HTTP/2, on the same port', async () => {
    const ca = await readFile(world.caFile);
    const agent = new Agent({ keepAlive: true });
    const answered = await new Promise<IncomingMessage>((resolve, reject) => {
      httpsRequest(`${world.tlsUrl}/healthz`, { ca, agent }, (answer) => {
        answer.resume();
        resolve(answer);
      })
        .on('error', reject)
        .end();
    });
    expect(answered.statusCode).toBe(200);
    // Longer than the SDKs keep an idle connection: else they would find it closed.
    expect(answered.headers['keep-alive']).toBe('timeout=120');
    agent.destroy();
    for (const [url, options] of [
      [world.tlsUrl, { ca }],
      [world.url, {}],
    ] as const) {
      const session = connect(url, options);
      const stream = session.request({
        ':method': 'POST',
        ':path': '/',
        'content-type': contentTypes.json,
        'x-amz-target': 'Kinesis_20131202.PutRecord',
      });
      const text = randomUUID();
      stream.end(JSON.stringify({ ...record, StreamName: 'orders', Data: base64(text) }));
      const answer = Buffer.concat(await stream.toArray()).toString();
      expect(JSON.parse(answer)).toMatchObject({ ShardId: 'shardId-000000000001' });
      session.close();
      expect(world.east.records.at(-1)?.text).toBe(text);
    }
  });
});
