import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SNSClient } from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tell } from '../../lambda/conductor/tell.ts';
import type { RunReport } from '../../lib/conductor/input.ts';

const report: RunReport = {
  run: 'all-3',
  epoch: 3,
  action: 'evacuate',
  state: 'latched',
  startedAtMs: 1,
  latched: 2,
  findings: [],
};
const published =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
/** Both channels are given four seconds, side by side. */
const MOST_MS = 5_500;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const never: Answer = () => {};
const topicTakes: Answer = (_request, response) =>
  void response.writeHead(200, { 'content-type': 'text/xml' }).end(published);

let server: Server;
let url: string;
let sns: SNSClient;
let answers: { topic: Answer; webhook: Answer };

beforeEach(async () => {
  answers = { topic: topicTakes, webhook: (_request, response) => void response.writeHead(204).end() };
  server = createServer((request, response) => {
    const isWebhook = request.url === '/hook';
    (isWebhook ? answers.webhook : answers.topic)(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  sns = new SNSClient({ region: 'us-west-2', endpoint: url, credentials, maxAttempts: 1 });
});
afterEach(async () => {
  sns.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function told() {
  const startedMs = performance.now();
  const topicArn = 'arn:aws:sns:us-west-2:123456789012:shop-notifications';
  const untold = await tell({ sns, topicArn, webhook: `${url}/hook` }, report, 'latched');
  return { untold, ms: performance.now() - startedMs };
}

describe('telling people', () => {
  it('posts the report with its text', async () => {
    const posted = new Promise<string>((resolve) => {
      answers.webhook = (request, response) => {
        void text(request).then(resolve);
        response.writeHead(204).end();
      };
    });
    expect((await told()).untold).toEqual([]);
    expect(JSON.parse(await posted)).toEqual({ text: 'latched', ...report });
  });

  it('ends in time when topic and webhook take the connection and never answer', {
    timeout: 15_000,
  }, async () => {
    answers = { topic: never, webhook: never };
    const { untold, ms } = await told();
    expect(untold).toEqual([
      expect.stringMatching(/^the topic was not told/),
      expect.stringMatching(/^the webhook was not told/),
    ]);
    expect(ms).toBeLessThan(MOST_MS);
  });

  it.each<[string, Answer]>([
    ['refuses', (_request, response) => void response.writeHead(500).end()],
    ['sends it elsewhere', (_request, response) => void response.writeHead(302, { location: url }).end()],
    ['hangs up', (request) => void request.socket.destroy()],
  ])('tells the topic all the same when the webhook %s, and says so', async (_what, webhook) => {
    answers.webhook = webhook;
    expect((await told()).untold).toEqual([expect.stringMatching(/^the webhook was not told/)]);
  });

  it('does not wait for the body of an answer', async () => {
    answers.webhook = (_request, response) => {
      response.writeHead(200);
      response.write('…');
    };
    const { untold, ms } = await told();
    expect(untold).toEqual([]);
    expect(ms).toBeLessThan(2_000);
  });
});
