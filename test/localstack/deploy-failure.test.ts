import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DeployOptions, deployApp } from '../../lib/local/deploy/deploy.ts';
import { DeployFailedError } from '../../lib/local/deploy/errors.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { createBuckets } from './fixtures/own-bucket.ts';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

let directory: string;
let localStack: LocalStack;
let options: DeployOptions;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'spillway-deploy-'));
  localStack = await startLocalStack({ directory: path.join(directory, 'localstack') });
  await createBuckets(localStack.url, ['eu-west-1']);
  options = {
    localstackUrl: localStack.url,
    outDir: path.join(directory, 'cdk.out'),
    regions: [],
    app: 'node test/localstack/fixtures/failing-app.ts',
  };
});

afterAll(async () => {
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

it('names the stack, the resource and the reason, and deploys once the app is repaired', async () => {
  const error = await deployApp(options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DeployFailedError);
  const { message, logFile } = error as DeployFailedError;
  expect(message).toMatch(
    /Stack Fixture: Second \(AWS::Kinesis::Stream\) is CREATE_FAILED: .*already exists/,
  );
  expect(await readFile(logFile, 'utf8')).toMatch(/Fixture: creating CloudFormation changeset/);

  const outputs = await deployApp({ ...options, configFile: 'repaired' });
  expect(outputs).toEqual({ Fixture: { Name: 'once' } });
});

it('reports what the CDK says when the app or a whole stack is refused', async () => {
  const noApp = deployApp({ ...options, app: 'node does-not-exist.ts' });
  await expect(noApp).rejects.toThrow(/cdk synth failed:[\s\S]*does-not-exist\.ts/);
  const refused = deployApp({ ...options, configFile: 'unsupported' });
  await expect(refused).rejects.toThrow(/AWS::CloudWatch::AnomalyDetector/);
});

it('ends the CDK and the app when it is aborted or out of time', async () => {
  const controller = new AbortController();
  const deploying = deployApp({ ...options, signal: controller.signal });
  const started = async () =>
    (await descendantsOf(process.pid)).filter(({ command }) => /aws-cdk|failing-app/.test(command));
  await expect
    .poll(async () => (await started()).some(({ command }) => command.includes('failing-app')))
    .toBe(true);
  const running = await started();
  controller.abort(new Error('asked to stop'));
  await expect(deploying).rejects.toThrow('asked to stop');
  expect(await survivorsOf(running, 5_000)).toEqual([]);

  await expect(deployApp({ ...options, timeoutMs: 300 })).rejects.toThrow(/not complete within 0\.3 s/);
});
