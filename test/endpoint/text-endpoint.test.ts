import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { answerGet } from '../../lib/endpoint/text-endpoint.ts';

const request = (method: string, rawPath: string) =>
  ({ rawPath, requestContext: { http: { method } } }) as LambdaFunctionURLEvent;
const ask = async (method: string, path: string, text = 'vote=HOLD') =>
  (await answerGet(request(method, path), (p) => (p === '/vote' ? Promise.resolve(text) : undefined))) as {
    statusCode: number;
    body: string;
  };

describe('a public endpoint', () => {
  it('answers GET on a known path with the text', async () => {
    expect(await ask('GET', '/vote')).toMatchObject({
      statusCode: 200,
      body: expect.stringMatching(/^vote=HOLD *$/),
    });
  });

  it('answers everything else with nothing to learn from', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      expect((await ask(method, '/vote')).statusCode).toBe(405);
    }
    for (const path of ['/', '/votes', '/vote/', '/../vote', '/cells/x']) {
      expect((await ask('GET', path)).statusCode).toBe(404);
    }
  });

  it('always answers with the same number of bytes', async () => {
    const answers = await Promise.all([
      ask('GET', '/vote', 'vote=EVACUATE'),
      ask('GET', '/vote', 'vote=HOLD'),
      ask('GET', '/nothing'),
      ask('POST', '/vote'),
    ]);
    expect(new Set(answers.map(({ body }) => Buffer.byteLength(body)))).toEqual(new Set([32]));
  });
});
