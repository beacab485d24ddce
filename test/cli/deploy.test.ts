import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { publicNames } from '../../lib/deployments/answers.ts';
import type { DeployDocument } from '../../lib/operate/deploy/document.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { type Ran, type Shell, startShell } from './fixtures/cli.ts';
import { type Cloud, startCloud } from './fixtures/cloud.ts';
import { startZoneDns, type ZoneDns } from './fixtures/zone-dns.ts';

const config = {
  name: 'shop',
  zone: { id: 'Z0123456789', name: 'shop.example.com' },
  cells: [
    { name: 'orders', stream: { name: 'orders', existing: true } },
    { name: 'clicks', stream: { name: 'clicks', existing: true } },
  ],
} satisfies ConfigInput;
const observers = ['us-west-2', 'us-east-2', 'eu-west-1'];
let aws: FakeAws;
let shell: Shell;
let cloud: Cloud;
let dns: ZoneDns;
/** Names that answer for the standby. */
let inStandby: Set<string>;

beforeEach(async () => {
  aws = await startFakeAws();
  shell = await startShell({ PATH: process.env.PATH ?? '' });
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  cloud = await startCloud(aws, shell.directory);
  inStandby = new Set();
  dns = await startZoneDns((name, type) => {
    const found = [...cloud.stacks.values()]
      .flatMap(({ template }) => publicNames(template))
      .find((each) => each.name === name && each.type === type);
    return found?.[inStandby.has(name) ? 'standby' : 'primary'];
  });
  await use(config);
}, 60_000);
afterEach(async () => {
  vi.unstubAllEnvs();
  dns.close();
  await cloud.close();
  await shell.close();
  await aws.close();
});

async function use(input: ConfigInput): Promise<void> {
  await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify(input));
  await cloud.make(input);
}

const documentIn = (ran: Ran): DeployDocument => ran.json as DeployDocument;
const deploy = (...flags: readonly string[]): Promise<Ran> =>
  shell.run(['deploy', '--json', '--yes', '--dns', dns.address, '--settle', '0s', '--soak', '0s', ...flags]);

/** What every observer has stored a moment ago. */
function observe(change: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}): void {
  for (const region of observers) {
    tableOf(aws, `${region}/shop-vote`).set('observer#undefined', {
      pk: { S: 'observer' },
      vote: { S: 'HOLD' },
      diagnosis: { S: 'Healthy' },
      phase: { S: 'steady' },
      comment: { S: 'the primary is healthy' },
      decidedAtMs: { N: String(Date.now()) },
      expiresAtMs: { N: String(Date.now() + 30_000) },
      voteSinceMs: { N: '1' },
      epoch: { N: '1' },
      refusals: { L: [] },
      ...change,
    });
  }
}

const otherTtl: ConfigInput = { ...config, delivery: { dnsTtlSeconds: 10, rtoMs: 90_000 } };
const newVersion: ConfigInput = { ...config, policy: { recoveryMs: 1_200_000 } };

describe('spillway deploy', () => {
  test('deploys from nothing, a stage at a time, and has nothing to do afterwards', async () => {
    const first = await deploy();
    expect(first).toMatchObject({ exit: 0 });
    expect(cloud.deployed).toEqual([
      ['shop-primary'],
      ['shop-standby', 'shop-witness-us-east-2', 'shop-witness-eu-west-1'],
      ['shop-routing'],
      ['shop-routing-cells-1'],
    ]);
    expect(documentIn(first)).toMatchObject({ ok: true, state: 'deployed', refusals: [] });
    expect(documentIn(first).stages.every(({ done }) => done)).toBe(true);
    observe();
    const again = await deploy();
    expect(again.exit).toBe(0);
    expect(documentIn(again)).toMatchObject({ state: 'nothing', stages: [] });
    expect(documentIn(again).stacks.map(({ change }) => change)).toEqual(Array(6).fill('same'));
    expect(cloud.deployed).toHaveLength(4);
  }, 60_000);

  test('deploys only what differs, and says what that does to traffic', async () => {
    await cloud.settle();
    observe();
    await use(otherTtl);
    const ran = await deploy();
    expect(ran.exit).toBe(0);
    expect(cloud.deployed).toEqual([['shop-routing'], ['shop-routing-cells-1']]);
    const { stacks, dns: asked } = documentIn(ran);
    const ofCells = stacks.find(({ stack }) => stack === 'shop-routing-cells-1');
    expect(
      ofCells?.resources.every(({ properties, traffic }) => `${properties} ${traffic}` === 'TTL none'),
    ).toBe(true);
    expect(asked).toEqual({ watched: 3, held: 3, moved: [], silent: [] });
  });

  test('plans in a dry run, and changes nothing', async () => {
    await cloud.settle();
    observe();
    await use(newVersion);
    const before = structuredClone([...aws.tables]);
    const ran = await deploy('--dry-run', '--soak', '10m');
    expect(ran.exit).toBe(0);
    const { state, stages } = documentIn(ran);
    expect(state).toBe('planned');
    expect(stages.map(({ stacks }) => stacks)).toEqual([
      ['shop-witness-us-east-2'],
      ['shop-witness-eu-west-1'],
      ['shop-standby'],
    ]);
    expect(stages[0]?.soak).toEqual({ observers: ['us-east-2'], ms: 600_000 });
    expect(stages[0]?.command?.slice(0, 3)).toEqual(['deploy', 'shop-witness-us-east-2', '--exclusively']);
    expect(cloud.deployed).toEqual([]);
    expect([...aws.tables]).toEqual(before);
  });

  test.each([
    [
      'a renamed cell whose stream a stack has made',
      { ...config, cells: [config.cells[0], { name: 'visits', stream: { name: 'clicks' } }] },
      'us-east-1/clicks',
    ],
    [
      'a new observer whose table somebody has kept',
      {
        ...config,
        regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'ca-central-1'] },
      },
      'ca-central-1/shop-vote',
    ],
  ] as const)('is refused before anything changes for %s', async (_, after, there) => {
    await cloud.settle();
    observe();
    aws.resources.add(there);
    await use(after as unknown as ConfigInput);
    const ran = await deploy();
    expect(ran.exit).toBe(3);
    expect(documentIn(ran)).toMatchObject({
      state: 'refused',
      refusals: [{ rule: 'resourceThere', subject: there.split('/')[1] }],
    });
    expect(cloud.deployed).toEqual([]);
    aws.resources.clear();
    expect((await deploy()).exit).toBe(0);
  });

  test('is refused while a vote says EVACUATE and the votes are to change, and changes nothing', async () => {
    await cloud.settle();
    observe({ vote: { S: 'EVACUATE' }, phase: { S: 'evacuated' } });
    await use({
      ...config,
      regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'ca-central-1'] },
    });
    const ran = await deploy();
    expect(ran.exit).toBe(3);
    expect(documentIn(ran)).toMatchObject({ ok: false, state: 'refused', stages: [] });
    expect(documentIn(ran).refusals[0]).toMatchObject({
      rule: 'evacuating',
      instead: [expect.stringMatching(/HOLD/)],
    });
    expect(cloud.deployed).toEqual([]);
  });

  test('is refused for a cell that is held in the standby and would follow a switch in the primary', async () => {
    await cloud.settle();
    observe();
    tableOf(aws, 'us-west-2/shop-state').set('switch#clicks', {
      pk: { S: 'switch' },
      sk: { S: 'clicks' },
      position: { S: 'STANDBY' },
      epoch: { N: '1' },
    });
    const [orders, clicks] = config.cells;
    if (orders === undefined || clicks === undefined) throw new Error('The config has two cells.');
    await use({ ...config, cells: [orders, { ...clicks, group: 'orders' }] });
    expect(documentIn(await deploy()).refusals.map(({ rule }) => rule)).toEqual(['heldApart']);
    await use({ ...config, cells: [orders] });
    const removed = await deploy();
    expect(removed.exit).toBe(3);
    expect(documentIn(removed).refusals).toMatchObject([
      {
        rule: 'heldCellRemoved',
        instead: expect.arrayContaining([expect.stringMatching(/--allow-removal clicks/)]),
      },
    ]);
    expect(await deploy('--allow-removal', 'orders')).toMatchObject({ exit: 2 });
    expect(await deploy('--allow-removal', 'clicks')).toMatchObject({ exit: 0 });
  });

  test('is refused for another standby, by what the zone says', async () => {
    await cloud.settle();
    await use({
      ...config,
      regions: { primary: 'us-east-1', standby: 'eu-central-1', witnesses: ['us-east-2', 'eu-west-1'] },
    });
    // CloudFormation of that region has no stack of this name.
    for (const stack of ['shop-standby', 'shop-routing', 'shop-routing-cells-1']) {
      const there = cloud.stacks.get(stack);
      cloud.stacks.delete(stack);
      if (there !== undefined) cloud.stacks.set(`${stack} in us-west-2`, there);
    }
    const ran = await deploy();
    expect(ran.exit).toBe(3);
    expect(documentIn(ran).refusals).toMatchObject([
      { rule: 'anotherStandby', reason: expect.stringMatching(/standby us-west-2.*standby is eu-central-1/) },
    ]);
  });

  test('mends the check of a witness that was destroyed and deployed again', async () => {
    await cloud.settle();
    observe();
    cloud.stacks.delete('shop-witness-us-east-2');
    cloud.hosts.set('shop-witness-us-east-2', 'second.lambda-url.us-east-2.on.aws');
    const ran = await deploy();
    expect(ran.exit).toBe(0);
    expect(cloud.deployed).toEqual([['shop-witness-us-east-2'], ['shop-routing']]);
    const stored = tableOf(aws, 'us-west-2/shop-state').get('endpoints#vote#us-east-2');
    expect(stored?.host).toEqual({ S: 'second.lambda-url.us-east-2.on.aws' });
    expect(documentIn(ran).stages.at(-1)).toMatchObject({
      stacks: ['shop-routing'],
      hosts: { 'us-east-2': 'second.lambda-url.us-east-2.on.aws' },
    });
    // The literal is what the reference says now.
    expect(documentIn(await deploy()).state).toBe('nothing');
  });

  test('stops when a name answers for another region after a stage, and goes on when it is run again', async () => {
    await cloud.settle();
    observe();
    await use(otherTtl);
    cloud.onDeploy = (stack) => {
      if (stack === 'shop-routing') inStandby.add('signal.orders.shop.example.com');
      return undefined;
    };
    const stopped = await deploy();
    expect(stopped.exit).toBe(4);
    expect(documentIn(stopped)).toMatchObject({
      ok: false,
      state: 'stopped',
      stopped: { by: 'dns', stacks: ['shop-routing'], next: expect.arrayContaining([expect.any(String)]) },
      dns: { moved: [{ name: 'signal.orders.shop.example.com', from: 'primary', to: 'standby' }] },
    });
    inStandby.clear();
    const resumed = await deploy();
    expect(resumed.exit).toBe(0);
    expect(cloud.deployed).toEqual([['shop-routing'], ['shop-routing-cells-1']]);
  });

  test('ends with 1 and the reason when the CDK fails', async () => {
    cloud.onDeploy = (stack) =>
      stack === 'shop-routing' ? 'Spillway refuses this deployment: so' : undefined;
    const ran = await deploy();
    expect(ran.exit).toBe(1);
    expect(documentIn(ran).stopped).toMatchObject({ by: 'cdk', stacks: ['shop-routing'] });
    expect(documentIn(ran).stopped?.reason).toMatch(/Spillway refuses this deployment: so[\s\S]*deploy\.log/);
    cloud.onDeploy = () => undefined;
    expect((await deploy()).exit).toBe(0);
    expect(cloud.deployed.slice(3)).toEqual([['shop-routing'], ['shop-routing-cells-1']]);
  });

  test('is refused for a stack that is stuck, with the command that helps', async () => {
    await cloud.settle();
    const stuck = cloud.stacks.get('shop-standby');
    if (stuck !== undefined) stuck.status = 'UPDATE_ROLLBACK_FAILED';
    const ran = await deploy();
    expect(ran.exit).toBe(3);
    expect(documentIn(ran).refusals[0]?.reason).toMatch(/npx cdk rollback shop-standby/);
  });

  test('is refused when DNS does not know the deployed names', async () => {
    await cloud.settle();
    observe();
    await use(otherTtl);
    const other = await startZoneDns(() => undefined);
    const ran = await shell.run(['deploy', '--json', '--yes', '--dns', other.address]);
    other.close();
    expect(ran.exit).toBe(3);
    expect(documentIn(ran).refusals).toMatchObject([{ rule: 'unread', subject: 'DNS' }]);
  });

  test('Ctrl-C lets CloudFormation go on, and says how to go on', async () => {
    cloud.onDeploy = async (stack, template) => {
      if (stack !== 'shop-routing') return undefined;
      cloud.stacks.set(stack, {
        status: 'CREATE_IN_PROGRESS',
        body: '',
        template,
        outputs: {},
        changedAtMs: Date.now(),
      });
      process.emit('SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return 'interrupted';
    };
    const ran = await deploy();
    expect(ran.exit).toBe(130);
    expect(ran.json).toMatchObject({
      ok: false,
      error: {
        name: 'InterruptedError',
        message: expect.stringMatching(
          /2 stages of 4 are deployed\. CloudFormation goes on with shop-routing/,
        ),
      },
    });
  });

  test('shows people the plan and asks; a no changes nothing', async () => {
    const asked = await shell.run(['deploy', '--dns', dns.address], { interactive: true });
    expect(asked.exit).toBe(2);
    expect(asked.asked).toEqual(['Deploy?']);
    expect(asked.err).toMatch(
      /shop-routing-cells-1 \(us-west-2\): new[\s\S]*stage 4: shop-routing-cells-1\n {2}npx cdk deploy/,
    );
    expect(cloud.deployed).toEqual([]);
    const unattended = await shell.run(['deploy', '--dns', dns.address]);
    expect(unattended).toMatchObject({ exit: 2, err: expect.stringMatching(/--yes/) });
  });

  test('says what is missing: the app, the CDK, the stacks of this config', async () => {
    await use({ ...config, name: 'other' });
    await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify(config));
    const other = await deploy();
    expect(other.exit).toBe(2);
    expect(other.out).toMatch(/makes no stack shop-primary in us-east-1/);
    await use(config);
    await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify(otherTtl));
    expect(await deploy()).toMatchObject({ exit: 2, out: expect.stringMatching(/from another config/) });
    expect(cloud.deployed).toEqual([]);
    await rm(join(shell.directory, 'cdk.json'));
    expect(await deploy()).toMatchObject({ exit: 2, out: expect.stringMatching(/has no cdk\.json/) });
    expect(await deploy('shop-routing')).toMatchObject({ exit: 2, out: expect.stringMatching(/no option/) });
  });

  test('says that AWS does not answer, and plans nothing', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    const ran = await deploy();
    expect(ran.exit).toBe(1);
    expect(ran.json).toMatchObject({ ok: false, error: { message: expect.stringMatching(/ECONNREFUSED/) } });
    expect(cloud.deployed).toEqual([]);
  });

  test('hands options after -- to the CDK', async () => {
    const ran = await deploy('--', '--concurrency=1', '--role-arn', 'arn:aws:iam::123456789012:role/deploy');
    expect(ran.exit).toBe(0);
    const command = documentIn(ran).stages[0]?.command?.join(' ');
    expect(command).toMatch(/--require-approval never .*--concurrency=1 --role-arn/);
    // Given twice, an option would be two values.
    expect(command).not.toMatch(/--concurrency 4/);
    const log = await readFile(documentIn(ran).logFile, 'utf8');
    expect(log.match(/^\$ cdk .*--role-arn arn:aws:iam::123456789012:role\/deploy$/gm)).toHaveLength(5);
  });
});
