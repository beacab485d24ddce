import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, onTestFinished, test } from 'vitest';
import { conductorSteps, runEnds } from '../../lambda/core/conductor.ts';
import { exitOfRun } from '../../lib/cli/run-conductor.ts';
import { runState } from '../../lib/operate/conductor.ts';
import { exitCodes } from '../../lib/shell/exit-codes.ts';

/** A client whose Step Functions describes every execution like this. */
async function describing(execution: object): Promise<SFNClient> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify({ executionArn: 'arn', ...execution }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new SFNClient({
    region: 'us-west-2',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

const report = { run: 'all-7', epoch: 7, state: 'latched', startedAtMs: 1, latched: 2, findings: [] };
const seen = async (execution: object) => runState(await describing(execution), 'arn');

describe('how a run stands', () => {
  test('is its output, when it has succeeded', async () => {
    const output = JSON.stringify(report);
    expect(await seen({ status: 'SUCCEEDED', output })).toEqual({ running: false, report });
    expect(await seen({ status: 'RUNNING' })).toEqual({ running: true });
  });

  test('is the cause of its failure, when a step has stopped it', async () => {
    const stopped = { ...report, state: 'standby-unfit', nextCommand: 'spillway doctor' };
    const execution = { status: 'FAILED', error: 'RunStopped', cause: JSON.stringify(stopped) };
    expect(await seen(execution)).toEqual({ running: false, report: stopped });
  });

  test('is told in the words of Step Functions, when nothing of ours could speak', async () => {
    const execution = { status: 'ABORTED', error: 'Operator', cause: 'stopped by hand' };
    expect(await seen(execution)).toEqual({ running: false, failed: 'ABORTED: Operator: stopped by hand' });
  });
});

test('every state that a run may end in has an exit code; a refusal is not a failure', () => {
  const states = [...runEnds, ...conductorSteps.map(({ whenItFails }) => whenItFails)].map(
    ({ state }) => state,
  );
  const byCode = Map.groupBy(new Set(states), (state) => exitOfRun({ state }));
  expect(Object.fromEntries([...byCode].map(([code, of]) => [code, of.toSorted()]))).toEqual({
    [exitCodes.done]: ['failed-back', 'latched'],
    [exitCodes.failed]: ['not-latched', 'not-started', 'partly-failed-back', 'partly-latched'],
    [exitCodes.refused]: ['failback-refused', 'no-longer-wanted', 'standby-unfit'],
    [exitCodes.unhealthy]: [
      'failback-taken-back',
      'latched-arrivals-unknown',
      'latched-consumers-unknown',
      'latched-dns-elsewhere',
      'lease-kept',
      'not-notified',
      'released-dns-elsewhere',
      'superseded',
      'superseded-unfinished',
    ],
  });
});
