import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import {
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeployedOutputs, deployApp } from '../../lib/local/deploy/deploy.ts';
import { PortInUseError } from '../../lib/local/localstack/errors.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { createBuckets } from './fixtures/own-bucket.ts';
import { descendantsOf, survivorsOf } from './fixtures/processes.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const FunctionName = 'probe';

let directory: string;
let localStack: LocalStack;
let outputs: DeployedOutputs;
let lambda: LambdaClient;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'spillway-runtime-'));
  localStack = await startLocalStack({ directory: path.join(directory, 'main') });
  await createBuckets(localStack.url, ['us-west-2', 'us-east-2']);
  outputs = await deployApp({
    localstackUrl: localStack.url,
    outDir: path.join(directory, 'cdk.out'),
    regions: [],
    app: 'node test/localstack/fixtures/app/app.ts',
  });
  lambda = new LambdaClient({
    endpoint: localStack.url,
    region: 'us-east-2',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});

afterAll(async () => {
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function invoke(event: object) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return {
    failed: answer.FunctionError !== undefined,
    payload: JSON.parse(answer.Payload?.transformToString() ?? ''),
  };
}

async function eventually(check: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (await check()) return true;
    await sleep(100);
  }
  return false;
}

describe('a function in the local Lambda runtime', () => {
  it('runs on this Node with the context and environment that Lambda documents', async () => {
    const { failed, payload } = await invoke({});
    expect(failed).toBe(false);
    expect(payload.node).toBe(process.version);
    expect(payload.arn).toBe('arn:aws:lambda:us-east-2:000000000000:function:probe');
    expect(payload.remainingMs).toBeGreaterThan(1_000);
    expect(payload.remainingMs).toBeLessThanOrEqual(2_000);
    expect(payload.environment).toMatchObject({
      AWS_REGION: 'us-east-2',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      AWS_LAMBDA_FUNCTION_TIMEOUT: '2',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_ENDPOINT_URL: localStack.url,
    });
  });

  it('has the output of a stack in another region by a weak reference', async () => {
    const { payload } = await invoke({});
    expect(payload.environment.STREAM_ARN).toMatch(
      /^arn:aws:kinesis:us-west-2:000000000000:stream\/FixtureSource-/,
    );
  });

  it('reuses a warm process', async () => {
    const first = await invoke({});
    const second = await invoke({});
    expect(second.payload.pid).toBe(first.payload.pid);
  });

  it('runs concurrent invocations in processes of their own', async () => {
    const started = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => invoke({ action: 'sleep', ms: 1_000 })));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(new Set(answers.map(({ payload }) => payload.pid)).size).toBe(3);
    for (const { payload } of answers) expect(payload.remainingMs).toBeLessThanOrEqual(1_000);
  });

  it('is killed at its timeout, even in an endless loop, and works again afterwards', async () => {
    const { failed, payload } = await invoke({ action: 'spin' });
    expect(failed).toBe(true);
    expect(payload.errorMessage).toMatch(/Task timed out after 2\.00 seconds$/);
    expect((await invoke({})).failed).toBe(false);
  });

  it('reports a thrown error as Lambda does', async () => {
    const { failed, payload } = await invoke({ action: 'throw' });
    expect(failed).toBe(true);
    expect(payload).toMatchObject({ errorType: 'TypeError', errorMessage: 'asked to throw' });
    expect(payload.trace[0]).toBe('TypeError: asked to throw');
  });

  it('reports an exit and gets a new process for the next invocation', async () => {
    const { failed, payload } = await invoke({ action: 'exit' });
    expect(failed).toBe(true);
    expect(payload).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(payload.errorMessage).toMatch(/exit status 3$/);
    expect((await invoke({})).failed).toBe(false);
  });

  it('runs asynchronous invocations and logs to a file of its own', async () => {
    const log = path.join(directory, 'main/lambda-us-east-2-probe.log');
    const before = (await readFile(log, 'utf8')).length;
    const Payload = JSON.stringify({ action: 'sleep', ms: 1 });
    const { StatusCode } = await lambda.send(
      new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }),
    );
    expect(StatusCode).toBe(202);
    const logged = async () => /INFO\tsleeping in \d+/.test((await readFile(log, 'utf8')).slice(before));
    expect(await eventually(logged, 10_000)).toBe(true);
  });

  it('answers at its function URL, by its own host name at the gateway', async () => {
    const url = new URL(outputs.FixtureTarget?.Url ?? '');
    const get = async () => {
      const sent = request({
        host: '127.0.0.1',
        port: localStack.port,
        path: '/vote?x=1',
        headers: { host: url.host },
      });
      const [response] = await once(sent.end(), 'response');
      return {
        status: response.statusCode,
        by: response.headers['x-answered-by'],
        body: await text(response),
      };
    };
    const answers = await Promise.all(Array.from({ length: 20 }, get));
    for (const answer of answers) expect(answer).toMatchObject({ status: 201, body: 'path /vote' });
  });

  it('gets new processes with the new environment when its configuration is updated', async () => {
    const { payload: before } = await invoke({});
    const Variables = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
    const waiter = { client: lambda, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
    await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
    const { payload: after } = await invoke({});
    expect(after.pid).not.toBe(before.pid);
    expect(after.environment.AWS_ENDPOINT_URL).toBe('http://127.0.0.1:9');
    expect(after.environment.STREAM_ARN).toBeUndefined();
  });
});

describe('LocalStack as a process', () => {
  it('listens on the loopback interface only', async () => {
    const outside = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const { address } of outside.filter(({ internal, family }) => !internal && family === 'IPv4')) {
      const reached = await fetch(`http://${address}:${localStack.port}/`, {
        signal: AbortSignal.timeout(2_000),
      }).then(
        () => true,
        () => false,
      );
      expect(reached).toBe(false);
    }
  });

  it('is used instead of a new one when SPILLWAY_LOCALSTACK_URL names it', async () => {
    process.env.SPILLWAY_LOCALSTACK_URL = `http://localhost:${localStack.port}/`;
    try {
      const external = await startLocalStack({ directory: path.join(directory, 'external') });
      expect(external).toMatchObject({ url: localStack.url, port: localStack.port, external: true });
      await external.stop();
      expect((await fetch(`${localStack.url}/_localstack/health`)).ok).toBe(true);
      process.env.SPILLWAY_LOCALSTACK_URL = 'http://127.0.0.1:1';
      await expect(startLocalStack({ directory })).rejects.toThrow(
        /No LocalStack answers at http:\/\/127\.0\.0\.1:1 /,
      );
    } finally {
      delete process.env.SPILLWAY_LOCALSTACK_URL;
    }
  });

  it('refuses a port in use at once', async () => {
    const taken: Server = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startLocalStack({ directory: path.join(directory, 'taken'), port })).rejects.toThrow(
      PortInUseError,
    );
    taken.close();
  });

  it('serves the first calls to Kinesis, however close together, tells its owner when it dies, and takes its children along', async () => {
    const exited = Promise.withResolvers<string>();
    const known = new Set((await descendantsOf(process.pid)).map(({ pid }) => pid));
    const dying = await startLocalStack({ directory: path.join(directory, 'dying'), onExit: exited.resolve });
    const kinesis = new KinesisClient({
      endpoint: dying.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: new NodeHttpHandler(),
    });
    // Spread over the second or so in which the server of Kinesis starts.
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n < 40; n++) {
      calls.push(kinesis.send(new ListStreamsCommand({})));
      await sleep(50);
    }
    await Promise.all(calls);
    const own = (await descendantsOf(process.pid)).filter(({ pid }) => !known.has(pid));
    const leader = own.find(({ command }) => command.includes('spillway_localstack'));
    process.kill(leader?.pid ?? Number.NaN, 'SIGKILL');
    expect(await exited.promise).toMatch(/LocalStack ended by SIGKILL/);
    expect(await survivorsOf(own, 5_000)).toEqual([]);
    await dying.stop();
  });

  it('leaves nothing running when its parent is killed with SIGKILL', async () => {
    const script = path.join(here, 'fixtures/busy-localstack.ts');
    const parent: ChildProcess = spawn(process.execPath, [script, path.join(directory, 'busy')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(parent.stdout as NonNullable<typeof parent.stdout>, 'data');
      const spinning = async () =>
        (await descendantsOf(parent.pid ?? 0)).some(({ command }) =>
          command.includes('lambda-bootstrap.mjs'),
        );
      expect(await eventually(spinning, 10_000)).toBe(true);
      const descendants = await descendantsOf(parent.pid ?? 0);
      const commands = descendants.map(({ command }) => command).join('\n');
      expect(commands).toMatch(/-m spillway_localstack/);
      expect(commands).toMatch(/kinesis-local/);
      expect(commands).toMatch(/lambda-bootstrap\.mjs/);
      parent.kill('SIGKILL');
      expect(await survivorsOf(descendants, 5_000)).toEqual([]);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('leaves nothing running when it is stopped', async () => {
    const before = await descendantsOf(process.pid);
    expect(before.some(({ command }) => command.includes('lambda-bootstrap.mjs'))).toBe(true);
    const own = before.filter(({ command }) =>
      /spillway_localstack|kinesis-local|lambda-bootstrap/.test(command),
    );
    await localStack.stop();
    expect(await survivorsOf(own, 5_000)).toEqual([]);
  });
});
