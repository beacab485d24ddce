import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { type OperatorVerb, operatorVerbs } from '../../lib/permissions/operator.ts';
import { policyLimits, rightsFor } from '../../lib/permissions/policy.ts';
import { requirementsOf } from '../../lib/permissions/requirements.ts';
import { type FakeIam, startFakeIam } from '../operate/fixtures/fake-iam.ts';
import type { Policy } from '../permissions/deployed.ts';
import { isAllowed } from '../permissions/judge.ts';
import { isAsked, questionsOf } from '../permissions/questions.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

const account = '123456789012';
const key = (region: string): string =>
  `arn:aws:kms:${region}:${account}:key/00000000-0000-4000-8000-000000000001`;
const input: ConfigInput = {
  name: 'shop',
  zone: { id: 'Z0123456789', name: 'shop.example.com' },
  beacons: true,
  drill: { cell: 'drill' },
  cells: [
    {
      name: 'orders',
      stream: {
        name: 'orders',
        existing: true,
        kmsKeyArn: { primary: key('us-east-1'), standby: key('us-west-2') },
      },
    },
    { name: 'clicks', streams: { primary: 'clicks', standby: 'clicks-west' } },
    { name: 'drill', stream: 'rehearsal' },
    {
      name: 'elsewhere',
      streams: {
        primary: { arn: 'arn:aws:kinesis:us-east-1:999999999999:stream/elsewhere' },
        standby: { arn: 'arn:aws:kinesis:us-west-2:999999999999:stream/elsewhere' },
      },
    },
  ],
};
const config = parseConfig(input, 'test');

let shell: Shell;
beforeAll(async () => {
  shell = await startShell();
  await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify(input));
  const cells = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ name: `c${n}`, stream: `orders-of-the-shop-${n}` }));
  for (const count of [60, 1_000]) {
    const many = { ...input, beacons: false, drill: undefined, cells: cells(count), healthCheckQuota: 2_000 };
    await writeFile(join(shell.directory, `${count}.json`), JSON.stringify(many));
  }
});
afterAll(() => shell.close());

const run = (line: string) => shell.run(`policy ${line} --account ${account}`);
async function policyFrom(line: string): Promise<Policy> {
  const { exit, out } = await run(line);
  expect(exit).toBe(0);
  return JSON.parse(out) as Policy;
}
const may = (policy: Policy, action: string, resource: string, context = {}) =>
  isAllowed({ account, action, resource, context, policies: [policy] });
const stream = (region: string, name: string): string =>
  `arn:aws:kinesis:${region}:${account}:stream/${name}`;

describe('spillway policy producer', () => {
  it('of one cell allows its puts in both regions, and nothing with other streams', async () => {
    const policy = await policyFrom('producer --cell clicks');
    for (const action of ['kinesis:PutRecords', 'kinesis:PutRecord']) {
      expect(await may(policy, action, stream('us-east-1', 'clicks'))).toBe(true);
      expect(await may(policy, action, stream('us-west-2', 'clicks-west'))).toBe(true);
      expect(await may(policy, action, stream('us-west-2', 'clicks'))).toBe(false);
      expect(await may(policy, action, stream('us-east-1', 'orders'))).toBe(false);
    }
    expect(await may(policy, 'kinesis:GetRecords', stream('us-east-1', 'clicks'))).toBe(false);
  });

  it('of a cell in another account names its streams by their ARNs', async () => {
    const policy = await policyFrom('producer --cell elsewhere');
    const arns = ['us-east-1', 'us-west-2'].map(
      (region) => `arn:aws:kinesis:${region}:999999999999:stream/elsewhere`,
    );
    expect(policy.Statement.map(({ Resource }) => Resource)).toContainEqual(arns);
    expect(await may(policy, 'kinesis:PutRecords', stream('us-east-1', 'elsewhere'))).toBe(false);
  });

  it('allows the use of the streams’ keys through Kinesis alone', async () => {
    const policy = await policyFrom('producer --cell orders');
    for (const region of ['us-east-1', 'us-west-2']) {
      const via = (service: string) =>
        may(policy, 'kms:GenerateDataKey', key(region), {
          'kms:ViaService': `${service}.${region}.amazonaws.com`,
        });
      expect(await via('kinesis')).toBe(true);
      expect(await via('s3')).toBe(false);
      expect(
        await may(policy, 'kms:Decrypt', key(region), {
          'kms:ViaService': `kinesis.${region}.amazonaws.com`,
        }),
      ).toBe(false);
    }
  });

  it('allows beacons under the caller’s own name', async () => {
    const policy = await policyFrom('producer');
    const table = `arn:aws:dynamodb:us-west-2:${account}:table/shop-beacons`;
    const put = (name: string) =>
      may(policy, 'dynamodb:PutItem', table, { 'aws:userid': 'AROA:one', 'dynamodb:LeadingKeys': [name] });
    expect(await put('AROA:one')).toBe(true);
    expect(await put('AROA:two')).toBe(false);
  });

  it('with the keys of the tables allows their use through DynamoDB, where a table is used', async () => {
    const [west, east] = [key('us-west-2'), key('us-east-1')];
    const policy = await policyFrom(`producer --cell clicks --table-keys ${west},${east}`);
    const via = (service: string) => ({ 'kms:ViaService': `${service}.us-west-2.amazonaws.com` });
    expect(await may(policy, 'kms:Decrypt', west, via('dynamodb'))).toBe(true);
    expect(await may(policy, 'kms:Decrypt', west, via('kinesis'))).toBe(false);
    expect(JSON.stringify(policy)).not.toContain(east);
    const ofOperators = await policyFrom(`operator --verbs status --table-keys ${key('eu-west-1')}`);
    expect(JSON.stringify(ofOperators)).toContain('dynamodb.eu-west-1.amazonaws.com');
  });

  it('is one document on standard output, that a file and a pipe can take; the rest is said elsewhere', async () => {
    const { out, err } = await shell.run('policy producer');
    expect(JSON.parse(out)).toMatchObject({ Version: '2012-10-17' });
    expect(out).toContain('arn:aws:kinesis:us-east-1:*:stream/orders');
    expect(err).toMatch(/no account is known.*--account/);
    expect(err).toMatch(/policies of the keys/);
    const known = await shell.run('policy producer', { env: { CDK_DEFAULT_ACCOUNT: account } });
    expect(known.out).toContain(`arn:aws:kinesis:us-east-1:${account}:stream/orders`);
    expect(known.err).not.toMatch(/account/);
  });

  it('remarks a key that is given for one region of a named cell alone', async () => {
    const lone = {
      name: 'orders',
      stream: { name: 'orders', existing: true, kmsKeyArn: { primary: key('us-east-1') } },
    };
    const cells = [lone, ...input.cells.slice(1)];
    await writeFile(join(shell.directory, 'lone.json'), JSON.stringify({ ...input, cells }));
    const { exit, err } = await run('producer --config lone.json --cell orders');
    expect(exit).toBe(0);
    expect(err).toMatch(/note: kmsKeyArn is given for one region alone \(orders has none for the standby\)/);
    expect((await run('producer --config lone.json --cell clicks')).err).not.toMatch(/one region alone/);
    expect((await run('producer')).err).not.toMatch(/one region alone/);
  });

  it('with --json has the policy beside its size', async () => {
    const { json } = await run('producer --json');
    expect(json).toMatchObject({ ok: true, for: 'producer', limits: policyLimits });
    const { policy, characters } = json as { policy: unknown; characters: number };
    expect(characters).toBe(JSON.stringify(policy).length);
  });
});

/** Exactly what the table asks for, judged from outside. */
async function wrongAnswers(
  line: string,
  audience: 'producer' | 'consumer' | 'operator',
  verbs?: readonly OperatorVerb[],
) {
  const policy = await policyFrom(line);
  const where = { config, account, region: config.regions.standby };
  const requirements = requirementsOf(rightsFor(audience, verbs), where);
  const everything = (['producer', 'consumer', 'operator'] as const).flatMap((one) =>
    requirementsOf(rightsFor(one, operatorVerbs), where),
  );
  const wrong: string[] = [];
  for (const question of questionsOf(everything).filter(({ action }) => !kcl.test(action))) {
    const { action, resource, context } = question;
    if (isAsked(requirements, question) !== (await may(policy, action, resource, context))) {
      wrong.push(`${action} ${resource} ${JSON.stringify(context)}`);
    }
  }
  return wrong;
}
/** Judged below. */
const kcl = /^dynamodb:(?!GetItem|PutItem|UpdateItem|Query)/;

describe('a policy allows what the table asks for and nothing else', () => {
  it('for consumers', async () => {
    expect(await wrongAnswers('consumer', 'consumer')).toEqual([]);
  });

  it('for operators', async () => {
    expect(await wrongAnswers('operator', 'operator')).toEqual([]);
  });

  it('for operators who only look', async () => {
    const policy = await policyFrom('operator --verbs status,why,history');
    const state = `arn:aws:dynamodb:us-west-2:${account}:table/shop-state`;
    const at = { 'dynamodb:LeadingKeys': ['control'] };
    expect(await may(policy, 'dynamodb:Query', state, at)).toBe(true);
    expect(await may(policy, 'dynamodb:PutItem', state, at)).toBe(false);
    expect(JSON.stringify(policy)).not.toMatch(/states:|kinesis:|iam:/);
  });

  it('for operators who prove, who have to be named', async () => {
    expect(await wrongAnswers('operator --verbs prove', 'operator', ['prove'])).toEqual([]);
    const [proving, usual] = [await policyFrom('operator --verbs prove'), await policyFrom('operator')];
    expect(JSON.stringify(usual)).not.toMatch(/route53:(Create|Change|Delete)/);
    const zone = 'arn:aws:route53:::hostedzone/Z0123456789';
    const change = (names: readonly string[], type = 'TXT', action = 'CREATE') =>
      may(proving, 'route53:ChangeResourceRecordSets', zone, {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': names,
        'route53:ChangeResourceRecordSetsRecordTypes': [type],
        'route53:ChangeResourceRecordSetsActions': [action],
      });
    const own = ['prove-shop.shop.example.com', 'primary.prove-shop.shop.example.com'];
    expect(await change(own)).toBe(true);
    expect(await change(own, 'TXT', 'DELETE')).toBe(true);
    expect(await change(own, 'TXT', 'UPSERT')).toBe(false);
    expect(await change(own, 'CNAME')).toBe(false);
    expect(await change([...own, 'signal.orders.shop.example.com'])).toBe(false);
    const tables = ['beacons', 'state'].map((table) =>
      may(proving, 'dynamodb:Scan', `arn:aws:dynamodb:us-west-2:${account}:table/shop-${table}`),
    );
    expect(await Promise.all(tables)).toEqual([true, false]);
  });

  it('for consumers of the KCL with enhanced fan-out, in both regions', async () => {
    const policy = await policyFrom('consumer --cell orders --kcl orders-app --fan-out orders-app');
    for (const region of ['us-east-1', 'us-west-2']) {
      const consumer = `${stream(region, 'orders')}/consumer/orders-app:1700000000`;
      expect(await may(policy, 'kinesis:SubscribeToShard', consumer)).toBe(true);
      expect(await may(policy, 'kinesis:RegisterStreamConsumer', stream(region, 'orders'))).toBe(true);
      const table = `arn:aws:dynamodb:${region}:${account}:table/orders-app`;
      expect(await may(policy, 'dynamodb:UpdateItem', table)).toBe(true);
      expect(await may(policy, 'dynamodb:Scan', `${table}-CoordinatorState`)).toBe(true);
      expect(await may(policy, 'dynamodb:DeleteTable', table)).toBe(false);
      const via = { 'kms:ViaService': `kinesis.${region}.amazonaws.com` };
      expect(await may(policy, 'kms:Decrypt', key(region), via)).toBe(true);
    }
    const metrics = (namespace: string) =>
      may(policy, 'cloudwatch:PutMetricData', '*', { 'cloudwatch:namespace': namespace });
    expect(await metrics('orders-app')).toBe(true);
    expect(await metrics('Spillway/shop')).toBe(false);
  });
});

describe('the size of a policy', () => {
  it('that fits into a role and not into a managed policy is told', async () => {
    const { exit, out, err } = await run('producer --config 60.json');
    expect(exit).toBe(0);
    const characters = JSON.stringify(JSON.parse(out)).length;
    expect(characters).toBeGreaterThan(policyLimits.managed);
    expect(characters).toBeLessThanOrEqual(policyLimits.role);
    expect(err).toMatch(/not into a managed policy/);
  });

  it('that IAM would not take is refused, with what to do, and prints nothing that could be piped on', async () => {
    const { exit, out, err } = await run('producer --config 1000.json');
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(/IAM takes 10,240 .*--cell.*--patterns/);
    const { err: ofOperators } = await run('operator --config 1000.json');
    expect(ofOperators).toMatch(/--verbs/);
  });

  it('fits with --patterns, which name the beginning of the names; with one cell; and not with too short a pattern', async () => {
    const policy = await policyFrom('producer --config 1000.json --patterns');
    expect(await may(policy, 'kinesis:PutRecords', stream('us-west-2', 'orders-of-the-shop-77'))).toBe(true);
    expect(await may(policy, 'kinesis:PutRecords', stream('us-west-2', 'clicks'))).toBe(false);
    expect(JSON.stringify(await policyFrom('producer --config 1000.json --cell c7')).length).toBeLessThan(
      600,
    );
    const { exit, err } = await run('producer --patterns');
    expect(exit).toBe(2);
    expect(err).toMatch(/would name streams of others/);
  });
});

describe('spillway policy', () => {
  it.each([
    ['producer --cell odrers', /no cell odrers.*orders, clicks/],
    ['producer --verbs status', /--verbs is for operators/],
    ['operator --verbs cost', /No calls are made by cost/],
    ['operator --kcl app', /for consumers/],
    ['consumer --kcl a/b', /no name/],
    ['producer --table-keys alias/x', /not the ARN of a KMS key/],
    ['nobody', /Allowed choices are producer, consumer, operator/],
  ])('refuses %s', async (line, said) => {
    const { exit, out, err } = await run(line);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(said);
  });

  it('has an account in every example, so that nobody copies ARNs of any account', async () => {
    const files = (await readdir('docs'))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`);
    const texts = await Promise.all(['README.md', ...files].map((file) => readFile(file, 'utf8')));
    const { out: help } = await shell.run('policy --help');
    const commands = [...texts, help].flatMap(
      (text) => text.match(/spillway policy (producer|consumer|operator)\b[^`\n]*/g) ?? [],
    );
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((command) => !command.includes(`--account ${account}`))).toEqual([]);
  });

  it('is documented where producers are introduced', async () => {
    for (const file of ['README.md', 'docs/producer.md', 'docs/cli.md']) {
      expect((await readFile(file, 'utf8')).includes('spillway policy producer'), file).toBe(true);
    }
  });
});

describe('spillway doctor --role', () => {
  const arn = `arn:aws:iam::${account}:role/orders`;
  let iam: FakeIam;
  beforeAll(async () => {
    iam = await startFakeIam();
    vi.stubEnv('AWS_ENDPOINT_URL', iam.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await iam.close();
  });

  it.each([
    ['producer', '--cell orders'],
    ['producer', `--table-keys ${key('us-west-2')}`],
    ['consumer', '--cell clicks --kcl orders-app --fan-out orders-app'],
    ['operator', '--verbs status,history'],
    ['operator', '--verbs prove --cell drill'],
  ])('judges the policy of %s %s well with the same options, and says what it asked', async (as, options) => {
    iam.roles.set(arn, [await policyFrom(`${as} ${options}`)]);
    const { exit, json } = await shell.run(`doctor --role ${arn} --as ${as} ${options} --json`);
    expect(json).toMatchObject({ ok: true });
    expect(exit).toBe(0);
    const { findings } = json as { findings: { check: string; finding: string }[] };
    const found = findings.find(({ check }) => check === 'role')?.finding ?? '';
    for (const word of [as, ...options.split(' ')]) expect(found).toContain(word);
  });

  it('asks about streams of the account that is named, else of the role’s own', async () => {
    const other = '999999999999';
    iam.roles.set(arn, [await policyFrom('producer --cell clicks')]);
    const { exit, out } = await shell.run(`doctor --role ${arn} --cell clicks --account ${other}`);
    expect(exit).toBe(4);
    expect(out).toContain(`lacks kinesis:PutRecords on arn:aws:kinesis:us-east-1:${other}:stream/clicks`);
  });

  it.each([
    ['--cell orders', /--cell is about a role: name it with --role\./],
    ['--as consumer', /--as is about a role/],
    ['--verbs status', /--verbs is about a role/],
    ['--kcl app', /--kcl is about a role/],
    ['--fan-out app', /--fan-out is about a role/],
    ['--table-keys x', /--table-keys is about a role/],
    [`--account ${account}`, /--account is about a role/],
    ['--patterns', /--patterns is about a role/],
    [`--role ${arn} --cell odrers`, /no cell odrers/],
    [`--role ${arn} --verbs status`, /--verbs is for operators/],
    [`--role ${arn} --patterns`, /would name streams of others/],
  ])('refuses %s', async (options, said) => {
    iam.asked.length = 0;
    const { exit, err } = await shell.run(`doctor ${options}`);
    expect(exit).toBe(2);
    expect(err).toMatch(said);
    expect(iam.asked).toEqual([]);
  });
});
