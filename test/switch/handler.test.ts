import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CELLS_FILE } from '../../lib/settings/cells-file.ts';
import { STATE_TABLE } from '../../lib/settings/switch.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';

type Handler = (event: LambdaFunctionURLEvent) => Promise<LambdaFunctionURLResult>;

/** As many as a reserved concurrency of 20 could not serve at a second each. */
const groups = Array.from({ length: 60 }, (_, n) => `g${n}`);
/** Of `READ_RETRY_MS`, with room for the SDK to notice. */
const NEXT_READ_MS = 1_050;
const event = (rawPath: string) =>
  ({ rawPath, requestContext: { http: { method: 'GET' } } }) as unknown as LambdaFunctionURLEvent;

let aws: FakeAws;
let directory: string;
/** One instance of the function. */
let handler: Handler;

beforeEach(async () => {
  aws = await startFakeAws();
  directory = await mkdtemp(join(tmpdir(), 'spillway-switch-'));
  const cells = groups.map((group) => ({
    cell: group,
    group,
    stream: group,
    primaryStream: group,
    probe: 'never',
  }));
  await writeFile(join(directory, CELLS_FILE), JSON.stringify(cells));
  const variables = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-west-2',
    LAMBDA_TASK_ROOT: directory,
    [STATE_TABLE]: 'shop-state',
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.resetModules();
  ({ handler } = (await import('../../lambda/switch/handler.ts')) as { handler: Handler });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await aws.close();
  await rm(directory, { recursive: true });
});

const put = (group: string, position: string) =>
  tableOf(aws, 'us-west-2/shop-state').set(`switch#${group}`, {
    pk: { S: 'switch' },
    sk: { S: group },
    position: { S: position },
  });
async function said(group: string): Promise<string> {
  const answer = await handler(event(`/cells/${group}`));
  return typeof answer === 'string' ? answer : String(answer.body).trim();
}
const waited = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function timed<Value>(act: () => Promise<Value>) {
  const startedMs = performance.now();
  const value = await act();
  return { value, ms: performance.now() - startedMs };
}
/** One after the other, as an instance is given them. */
async function saidOfAll(): Promise<ReadonlySet<string>> {
  const answers = new Set<string>();
  for (const group of groups) answers.add(await said(group));
  return answers;
}

describe('the switch endpoint', () => {
  it('reads all switches at once, and says what it has read for a second', async () => {
    for (const group of groups) put(group, 'STANDBY');
    expect(await saidOfAll()).toEqual(new Set(['switch=STANDBY']));
    expect(aws.calls.map(({ operation }) => operation)).toEqual(['Query']);
    put('g1', 'PRIMARY');
    await waited(NEXT_READ_MS);
    expect(await said('g1')).toBe('switch=PRIMARY');
    expect(await said('g2')).toBe('switch=STANDBY');
  });

  it('goes on saying STANDBY for every group while the table hangs, and no group waits for another', async () => {
    for (const group of groups) put(group, 'STANDBY');
    await said('g0');
    aws.blackHoles.add('us-west-2');
    await waited(NEXT_READ_MS);
    const { value, ms } = await timed(saidOfAll);
    expect(value).toEqual(new Set(['switch=STANDBY']));
    // One wait, of a quarter of a second, for all of them.
    expect(ms).toBeLessThan(900);
    const one = await timed(() => said('g0'));
    expect(one.ms).toBeLessThan(500);
    expect(one.value).toBe('switch=STANDBY');
  });

  it('notices what changed once the table answers again', async () => {
    put('g0', 'STANDBY');
    await said('g0');
    aws.blackHoles.add('us-west-2');
    await waited(NEXT_READ_MS);
    expect(await said('g0')).toBe('switch=STANDBY');
    aws.blackHoles.clear();
    put('g0', 'PRIMARY');
    await waited(NEXT_READ_MS);
    expect(await said('g0')).toBe('switch=PRIMARY');
  });

  it('says PRIMARY when it has never read, within what a checker waits', async () => {
    put('g0', 'STANDBY');
    aws.blackHoles.add('us-west-2');
    const { value, ms } = await timed(() => said('g0'));
    expect(value).toBe('switch=PRIMARY read=failed');
    expect(ms).toBeLessThan(1_500);
  });

  it('says beside a position that it remembers that it may not read, until it may', async () => {
    put('g0', 'STANDBY');
    expect(await said('g0')).toBe('switch=STANDBY');
    aws.refuse = () => ({ code: 'AccessDeniedException' });
    await waited(NEXT_READ_MS);
    expect(await said('g0')).toBe('switch=STANDBY read=failed');
    expect(await said('g1')).toBe('switch=PRIMARY read=failed');
    aws.refuse = () => undefined;
    await waited(NEXT_READ_MS);
    expect(await said('g0')).toBe('switch=STANDBY');
  });
});
