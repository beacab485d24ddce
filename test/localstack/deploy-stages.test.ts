import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteStackCommand, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation';
import { GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda';
import { GetHealthCheckCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stateTableName, voteFunctionName } from '../../lambda/core/names.ts';
import { type Config, observerRegions } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { ACCOUNT, runCdk } from '../../lib/local/deploy/cdk.ts';
import { prepareAccount, writeConfigFile } from '../../lib/local/drill/account.ts';
import { LocalClients } from '../../lib/local/drill/clients.ts';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import type { DeployDocument } from '../../lib/operate/deploy/document.ts';
import { DeployedTable } from '../../lib/state/deployed-table.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { runIn } from '../cli/fixtures/cli.ts';
import { startZoneDns, type ZoneDns } from '../cli/fixtures/zone-dns.ts';

/**
 * `spillway deploy` with the real CDK and the guard in its function: from nothing, a change, a refusal, and a witness
 * that is destroyed and deployed again.
 */
const witness = 'us-east-2';
const base = parseConfig(
  {
    name: 'staged',
    zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
    cells: [
      { name: 'orders', stream: { name: 'orders', existing: true } },
      { name: 'clicks', stream: { name: 'clicks', existing: true } },
    ],
  },
  'test',
);
let directory: string;
let localStack: LocalStack;
let clients: LocalClients;
let dns: ZoneDns;
let config: Config;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-staged-'));
  localStack = await startLocalStack({ directory: join(directory, 'localstack') });
  clients = new LocalClients(localStack.url);
  config = await prepareAccount(clients, base);
  const regions = [config.regions.primary, ...observerRegions(config.regions)];
  const { status, output } = await runCdk(
    ['bootstrap', ...regions.map((each) => `aws://${ACCOUNT}/${each}`)],
    {
      localstackUrl: localStack.url,
      logFile: join(directory, 'bootstrap.log'),
      signal: AbortSignal.timeout(200_000),
      // Else the CDK synthesises the app that it finds.
      cwd: directory,
    },
  );
  if (status !== 0) throw new Error(output);
  dns = await startZoneDns((_name, type) =>
    type === 'TXT' ? [`v=1; region=${config.regions.primary}; stream=any`] : undefined,
  );
  const world = { localStackUrl: localStack.url, dnsServer: dns.address, zone: config.zone };
  await writeFile(join(directory, 'world.json'), JSON.stringify(world));
});

afterAll(async () => {
  dns?.close();
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function deploy(
  of: Config,
  ...flags: readonly string[]
): Promise<DeployDocument & { readonly exit: number }> {
  const file = await writeConfigFile(of, directory);
  const world = join(directory, 'world.json');
  const line = ['deploy', '--json', '--yes', '--world', world, '--config', file];
  const ran = await runIn(directory, [...line, '--soak', '0s', '--settle', '0s', ...flags], {
    env: process.env,
  });
  expect(ran.out, ran.err).toMatch(/^\{/);
  return { ...(ran.json as DeployDocument), exit: ran.exit };
}

const tableOptions = () => ({
  client: clients.documents(config.regions.standby),
  table: stateTableName(config.name),
});
const stagesOf = ({ stages }: DeployDocument) => stages.map(({ stacks }) => stacks);

it('deploys from nothing, and has nothing to do afterwards', async () => {
  const planned = await deploy(config, '--dry-run');
  expect(planned).toMatchObject({ exit: 0, state: 'planned' });
  const first = await deploy(config);
  expect(first).toMatchObject({ exit: 0, state: 'deployed' });
  expect(stagesOf(first)).toEqual(stagesOf(planned));
  const { votes, switches } = await new DeployedTable(tableOptions()).read();
  expect([...(votes?.votes.keys() ?? [])].toSorted()).toEqual(
    [...observerRegions(config.regions)].toSorted(),
  );
  expect([...switches.groups.keys()].toSorted()).toEqual(['clicks', 'orders']);
  expect(await deploy(config)).toMatchObject({ exit: 0, state: 'nothing' });
});

it('deploys what differs, and no more', async () => {
  const changed = await deploy({ ...config, delivery: { ...config.delivery, dnsTtlSeconds: 4 } });
  expect(changed).toMatchObject({ exit: 0, dns: { watched: 3, held: 3, moved: [] } });
  expect(stagesOf(changed)).toEqual([['staged-routing'], ['staged-routing-cells-1']]);
  config = { ...config, delivery: { ...config.delivery, dnsTtlSeconds: 4 } };
});

it('refuses to put a held cell behind a switch in the primary', async () => {
  const table = new StateTable(tableOptions());
  const act = { group: 'clicks', owner: 'test', reason: 'test', atMs: Date.now() };
  await table.setSwitch({ ...act, position: 'STANDBY', epoch: 1 });
  const cells = config.cells.map((cell) => ({ ...cell, group: 'orders' }));
  const refused = await deploy({ ...config, cells });
  expect(refused).toMatchObject({
    exit: 3,
    state: 'refused',
    refusals: [{ rule: 'heldApart', subject: 'clicks' }],
  });
  await table.setSwitch({ ...act, position: 'PRIMARY', epoch: 1 });
});

it('mends the check of a witness that was destroyed and deployed again', async () => {
  const table = new DeployedTable(tableOptions());
  const before = (await table.read()).votes?.votes.get(witness);
  const stack = { StackName: `staged-witness-${witness}` };
  const client = clients.cloudFormation(witness);
  await client.send(new DeleteStackCommand(stack));
  await waitUntilStackDeleteComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 2 }, stack);

  const mended = await deploy(config);
  expect(mended.stopped).toBeUndefined();
  expect(mended).toMatchObject({ exit: 0, state: 'deployed' });
  expect(stagesOf(mended)).toEqual([[stack.StackName], ['staged-routing']]);
  const { FunctionUrl = '' } = await clients
    .lambda(witness)
    .send(new GetFunctionUrlConfigCommand({ FunctionName: voteFunctionName(config.name) }));
  const after = (await table.read()).votes?.votes.get(witness);
  expect(after?.host).toBe(new URL(FunctionUrl).host);
  expect(after?.host).not.toBe(before?.host);
  expect(after?.checkId).toBe(before?.checkId);
  const { HealthCheck } = await clients
    .route53()
    .send(new GetHealthCheckCommand({ HealthCheckId: after?.checkId }));
  expect(HealthCheck?.HealthCheckConfig?.FullyQualifiedDomainName).toBe(after?.host);
  expect(await deploy(config)).toMatchObject({ exit: 0, state: 'nothing' });
});
