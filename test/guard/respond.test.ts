import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ResponseError } from '../../lambda/guard/errors.ts';
import { respond } from '../../lambda/guard/respond.ts';

interface Received {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let received: Received[];
/** What the URL answers, one request after the other; the last one again and again. */
let statuses: number[];
let slept: number[];

beforeEach(async () => {
  received = [];
  slept = [];
  statuses = [200];
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    received.push({ method: request.method, headers: request.headers, body });
    const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const event = (): CloudFormationCustomResourceEvent =>
  ({
    RequestType: 'Update',
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?signature=secret`,
    StackId: 'arn:aws:cloudformation:us-west-2:123456789012:stack/shop-routing/1',
    RequestId: 'request',
    LogicalResourceId: 'Guard',
  }) as CloudFormationCustomResourceEvent;
const sleep = async (ms: number): Promise<void> => void slept.push(ms);

it('tells CloudFormation success, without a content type, which the signature of the URL does not cover', async () => {
  await respond(event(), { physicalId: 'shop-guard-votes' }, sleep);
  expect(received).toMatchObject([{ method: 'PUT', headers: { 'content-type': '' } }]);
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    Status: 'SUCCESS',
    PhysicalResourceId: 'shop-guard-votes',
    RequestId: 'request',
    LogicalResourceId: 'Guard',
  });
});

it('tells a failure with its reason, within the 4,096 bytes that CloudFormation takes', async () => {
  await respond(event(), { physicalId: 'shop-guard-votes', failure: '’'.repeat(10_000) }, sleep);
  const body = received[0]?.body ?? '';
  expect(JSON.parse(body)).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/^’+$/) });
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
});

it('says it again when the URL does not take it', async () => {
  statuses = [503, 500, 200];
  await respond(event(), { physicalId: 'shop-guard-votes' }, sleep);
  expect(received).toHaveLength(3);
  expect(slept).toHaveLength(2);
});

it('gives up after five attempts, and does not give the URL away', async () => {
  statuses = [403];
  const told = respond(event(), { physicalId: 'shop-guard-votes' }, sleep);
  await expect(told).rejects.toThrow(ResponseError);
  await expect(told).rejects.not.toThrow(/secret/);
  expect(received).toHaveLength(5);
});
