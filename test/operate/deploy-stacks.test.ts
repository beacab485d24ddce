import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AwsClients } from '../../lib/operate/clients.ts';
import { StackBusyError } from '../../lib/operate/deploy/errors.ts';
import { busyStacks, readStacks, type StackReader } from '../../lib/operate/deploy/stacks.ts';
import { type FakeAws, startFakeAws } from './fixtures/fake-aws.ts';

let aws: FakeAws;
let clients: AwsClients;
const said: string[] = [];
const template = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
const place = { name: 'shop-routing', region: 'us-west-2' };
let status: string;

beforeEach(async () => {
  aws = await startFakeAws();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  clients = new AwsClients({ who: 'test', timeoutMs: 2_000, endpoint: aws.url, credentials });
  said.length = 0;
  aws.xml = (_facts, { body }) => {
    const action = new URLSearchParams(body).get('Action') ?? '';
    const answered = (inner: string): string =>
      `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><${action}Result>${inner}</${action}Result></${action}Response>`;
    if (action === 'GetTemplate') return answered(`<TemplateBody>${template}</TemplateBody>`);
    return answered(
      `<Stacks><member><StackName>${place.name}</StackName><StackStatus>${status}</StackStatus><CreationTime>2026-11-30T12:00:00Z</CreationTime></member></Stacks>`,
    );
  };
});
afterEach(async () => {
  vi.restoreAllMocks();
  clients.destroy();
  await aws.close();
});

const readerThat = (onSleep: (ms: number) => void): StackReader => ({
  clients,
  signal: new AbortController().signal,
  say: (text) => void said.push(text),
  sleep: async (ms) => onSleep(ms),
});

test('a stack that CloudFormation is changing is waited for', async () => {
  status = 'UPDATE_IN_PROGRESS';
  let slept = 0;
  const reader = readerThat(() => {
    slept += 1;
    if (slept === 2) status = 'UPDATE_COMPLETE';
  });
  expect(await busyStacks([place], reader)).toEqual([place.name]);
  const stacks = await readStacks([place], reader);
  expect(stacks.get(place.name)).toMatchObject({
    status: 'UPDATE_COMPLETE',
    template: { Resources: { Topic: { Type: 'AWS::SNS::Topic' } } },
    changedAtMs: Date.parse('2026-11-30T12:00:00Z'),
  });
  expect(said).toEqual(Array(2).fill('waiting for CloudFormation: shop-routing is in UPDATE_IN_PROGRESS'));
});

test('but not for ever', async () => {
  status = 'UPDATE_IN_PROGRESS';
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const reader = readerThat((ms) => {
    nowMs += ms;
  });
  await expect(readStacks([place], reader)).rejects.toThrow(StackBusyError);
  expect(nowMs).toBe(1_800_000);
});

test('a stack whose first creation failed is as good as none', async () => {
  status = 'ROLLBACK_COMPLETE';
  const stacks = await readStacks(
    [place],
    readerThat(() => {}),
  );
  expect(stacks.get(place.name)?.template).toBeUndefined();
  expect(aws.calls.map(({ operation }) => operation)).toEqual(['DescribeStacks']);
});

test('a call that is throttled is made again', async () => {
  status = 'CREATE_COMPLETE';
  let refused = 0;
  aws.refuse = () => (++refused <= 2 ? { code: 'Throttling', message: 'Rate exceeded' } : undefined);
  const stacks = await readStacks(
    [place],
    readerThat(() => {}),
  );
  expect(stacks.get(place.name)?.status).toBe('CREATE_COMPLETE');
  expect(aws.calls).toHaveLength(4);
});

test('an answer that is no is not repeated', async () => {
  aws.refuse = () => ({ code: 'AccessDenied', message: 'not allowed' });
  await expect(
    readStacks(
      [place],
      readerThat(() => {}),
    ),
  ).rejects.toThrow('not allowed');
  expect(aws.calls).toHaveLength(1);
});
