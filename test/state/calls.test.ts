import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateCalls } from '../../lib/state/calls.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';

interface Asked {
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExclusiveStartKey?: { readonly sk: { readonly S: string } };
}

/** DynamoDB on a socket, whose one partition has so many pages of one item. */
let server: Server;
let pages = 3;
let isSilent = false;
let asked: Asked[] = [];
let calls: StateCalls;
let client: DynamoDBClient;

beforeEach(async () => {
  [pages, isSilent, asked] = [3, false, []];
  server = createServer(async (request, response) => {
    const input = (await json(request)) as Asked;
    asked.push(input);
    if (isSilent) return;
    const n = Number(input.ExclusiveStartKey?.sk.S ?? -1) + 1;
    const key = { pk: { S: 'switch' }, sk: { S: String(n) } };
    const more = n + 1 < pages ? { LastEvaluatedKey: key } : {};
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify({ Items: [key], Count: 1, ScannedCount: 1, ...more }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new DynamoDBClient({
    region: 'us-west-2',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  calls = new StateCalls({ client: DynamoDBDocumentClient.from(client), table: 'shop-state' });
});
afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

describe('a partition of the state table', () => {
  it('is read over all its pages', async () => {
    expect(await calls.query('switch')).toEqual(['0', '1', '2'].map((sk) => ({ pk: 'switch', sk })));
  });

  it('is asked for some attributes alone where no more are wanted', async () => {
    await calls.query('switch', { attributes: ['sk', 'position'] });
    expect(asked[0]).toMatchObject({
      ProjectionExpression: '#sk, #position',
      ExpressionAttributeNames: { '#sk': 'sk', '#position': 'position' },
    });
  });

  it('that is larger than anything of Spillway’s is no half answer, but unavailable', async () => {
    pages = 1_000;
    await expect(calls.query('switch')).rejects.toThrow(StateUnavailableError);
    expect(asked.length).toBeLessThan(200);
    expect(await calls.query('switch', { limit: 2 })).toHaveLength(2);
  });

  it('that does not answer is given up when the signal says so', async () => {
    isSilent = true;
    const end = new AbortController();
    const reading = calls.query('switch', { signal: end.signal });
    await expect.poll(() => asked.length).toBe(1);
    end.abort();
    await expect(reading).rejects.toThrow(StateUnavailableError);
  });
});
