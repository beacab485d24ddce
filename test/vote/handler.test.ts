import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VOTE_TABLE } from '../../lib/settings/vote.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';

type Handler = (event: LambdaFunctionURLEvent) => Promise<LambdaFunctionURLResult>;

let aws: FakeAws;
let handler: Handler;

beforeEach(async () => {
  aws = await startFakeAws();
  const variables = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
    [VOTE_TABLE]: 'shop-vote',
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.resetModules();
  ({ handler } = (await import('../../lambda/vote/handler.ts')) as { handler: Handler });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await aws.close();
});

async function said(): Promise<string> {
  const answer = await handler({
    rawPath: '/vote',
    requestContext: { http: { method: 'GET' } },
  } as unknown as LambdaFunctionURLEvent);
  return typeof answer === 'string' ? answer : String(answer.body).trim();
}

describe('the vote endpoint', () => {
  it('says the stored vote, and HOLD without one', async () => {
    expect(await said()).toBe('vote=HOLD');
    const now = Date.now();
    tableOf(aws, 'eu-west-1/shop-vote').set('observer#undefined', {
      pk: { S: 'observer' },
      vote: { S: 'EVACUATE' },
      decidedAtMs: { N: String(now) },
      expiresAtMs: { N: String(now + 30_000) },
    });
    expect(await said()).toBe('vote=EVACUATE');
  });

  it('says that its HOLD is for lack of an answer when its role may not read', async () => {
    aws.refuse = () => ({ code: 'AccessDeniedException' });
    expect(await said()).toBe('vote=HOLD read=failed');
  });

  it('says so within what a checker waits when the table hangs', async () => {
    aws.blackHoles.add('eu-west-1');
    const startedMs = performance.now();
    expect(await said()).toBe('vote=HOLD read=failed');
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });
});
