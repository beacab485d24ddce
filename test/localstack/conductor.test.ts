import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConductorStart, RunReport } from '../../lambda/conductor/input.ts';
import type { RunState } from '../../lambda/conductor/run-state.ts';
import { executionName, runName } from '../../lambda/core/conductor.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import {
  conductorArn,
  conductorFunctionName,
  conductorMachineName,
  observerFunctionName,
  stateTableName,
  voteTableName,
} from '../../lambda/core/names.ts';
import { observerKey } from '../../lambda/core/vote.ts';
import { DNS_SERVERS } from '../../lambda/observer/settings.ts';
import { FencedError } from '../../lambda/state/errors.ts';
import { StateTable } from '../../lambda/state/state-table.ts';
import { ACCOUNT } from '../../lib/local/deploy/cdk.ts';
import { deployApp } from '../../lib/local/deploy/deploy.ts';
import { LocalClients } from '../../lib/local/drill/clients.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { conductorConfig } from './fixtures/conductor-config.ts';
import { type SignalDns, startSignalDns } from './fixtures/signal-dns.ts';

const region = 'us-west-2';
const everyGroup = conductorConfig.cells.map(({ name }) => name);
let directory: string;
let localStack: LocalStack;
let clients: LocalClients;
let lambda: LambdaClient;
let machine: SFNClient;
let table: StateTable;
let dns: SignalDns;
let webhook: Server;
const told: unknown[] = [];
/** The webhook answers, or leaves its caller waiting. */
const webhookHangs = false;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-conductor-'));
  dns = await startSignalDns(region);
  webhook = createServer((request, response) => {
    if (webhookHangs) return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      told.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  const address = webhook.address();
  process.env.SPILLWAY_TEST_WEBHOOK = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`;
  localStack = await startLocalStack({ directory: join(directory, 'localstack') });
  clients = new LocalClients(localStack.url);
  lambda = clients.lambda(region);
  machine = new SFNClient({
    region,
    endpoint: localStack.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await deployApp({
    localstackUrl: localStack.url,
    outDir: join(directory, 'cdk'),
    regions: [region],
    app: 'node test/localstack/fixtures/conductor-app.ts',
  });
  table = new StateTable({
    client: clients.documents(region),
    table: stateTableName('shop'),
    timeoutMs: 20_000,
  });
  await reconfigure(observerFunctionName('shop'), {});
  await reconfigure(conductorFunctionName('shop'), { [DNS_SERVERS]: dns.address });
});

afterAll(async () => {
  await localStack?.stop();
  dns?.close();
  webhook?.closeAllConnections();
  webhook?.close();
  await rm(directory, { recursive: true, force: true });
});

async function reconfigure(FunctionName: string, variables: Record<string, string>): Promise<void> {
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName,
      Environment: { Variables: { ...Environment?.Variables, ...variables } },
    }),
  );
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 30 }, { FunctionName });
}

async function evacuation(claim: string, groups?: readonly string[]): Promise<ConductorStart> {
  const epoch = await table.claimEpoch({ claim, who: 'a test', what: 'evacuate', atMs: Date.now() });
  return {
    action: 'evacuate',
    trigger: 'asked',
    epoch,
    owner: 'a test',
    reason: claim,
    ...(groups === undefined ? {} : { groups: [...groups] }),
  };
}

const runOf = ({ groups, epoch }: ConductorStart): string => runName(groups, epoch);

async function start(input: ConductorStart, attempt = 0): Promise<string> {
  const name = executionName(runOf(input), attempt);
  const stateMachineArn = conductorArn('shop', region, ACCOUNT);
  await machine.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
  return stateMachineArn.replace(':stateMachine:', ':execution:').concat(`:${name}`);
}

async function ended(executionArn: string): Promise<{ status: string; output: Partial<RunReport> }> {
  for (let n = 0; n < 400; n++) {
    const { status, output } = await machine.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') return { status: String(status), output: JSON.parse(output ?? '{}') };
    await sleep(250);
  }
  throw new Error(`${executionArn} does not end`);
}

async function step(name: string, event: object): Promise<RunState> {
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: conductorFunctionName('shop'),
      Payload: JSON.stringify({ step: name, ...event }),
    }),
  );
  const payload = JSON.parse(answer.Payload?.transformToString() || 'null');
  if (answer.FunctionError !== undefined) throw Object.assign(new Error(payload.errorMessage), payload);
  return payload;
}

const journalOf = async (epoch: number): Promise<readonly JournalEntry[]> =>
  (await table.history(1_000)).filter((entry) => entry.epoch === epoch).toReversed();
const whats = async (epoch: number): Promise<readonly string[]> =>
  (await journalOf(epoch)).map(({ what }) => what);
const complete = [
  'evacuate begins',
  'refresh',
  'fitness',
  'latch',
  'dns',
  'arrivals',
  'notify',
  'evacuate ends: latched',
];

async function positions(groups: readonly string[]): Promise<readonly string[]> {
  const stored = new Map((await table.readSwitches()).map((one) => [one.group, one.position]));
  return groups.map((group) => stored.get(group) ?? 'PRIMARY');
}

describe('an evacuation', () => {
  it('latches a thousand groups in less than a minute, says so, and journals each step', async () => {
    const input = await evacuation('a thousand groups');
    const startedMs = Date.now();
    const { status, output } = await ended(await start(input));
    const journal = await journalOf(input.epoch);
    const latchedMs = (journal.find(({ what }) => what === 'latch')?.atMs ?? Number.NaN) - startedMs;
    console.log(`1,000 groups latched in ${latchedMs} ms, the whole run took ${Date.now() - startedMs} ms`);
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ run: `all-${input.epoch}`, state: 'latched', latched: 1_000 });
    expect(await positions(everyGroup)).toEqual(everyGroup.map(() => 'STANDBY'));
    expect(journal.map(({ what }) => what)).toEqual(complete);
    expect(latchedMs).toBeLessThan(60_000);
    expect(told.at(-1)).toMatchObject({ run: `all-${input.epoch}`, state: 'latched', latched: 1_000 });
  });
});
