import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { examine } from '../../lib/operate/doctor/doctor.ts';
import { type Asked, commandOf, rightsAsked, whereAsked } from '../../lib/permissions/asked.ts';
import { type Audience, policyOf, rightsFor } from '../../lib/permissions/policy.ts';
import type { Policy } from '../permissions/deployed.ts';
import { ACCOUNT, deployments } from '../permissions/deployments.ts';
import { type FakeIam, startFakeIam } from './fixtures/fake-iam.ts';

const arn = `arn:aws:iam::${ACCOUNT}:role/orders`;
const { config } = deployments.full;
const whole = (as: Audience, of: Config = config): Policy =>
  policyOf(rightsFor(as), { config: of, account: ACCOUNT, region: of.regions.standby });

let iam: FakeIam;
let clients: AwsClients;
beforeEach(async () => {
  iam = await startFakeIam();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  clients = new AwsClients({ who: 'cli doctor', timeoutMs: 20_000, endpoint: iam.url, credentials });
});
afterEach(async () => {
  clients.destroy();
  await iam.close();
});

const found = (as: Audience, ...policies: readonly Policy[]) =>
  foundOf({ as, account: ACCOUNT }, ...policies);
async function foundOf(asked: Asked, ...policies: readonly Policy[]) {
  if (policies.length > 0) iam.roles.set(arn, policies);
  const context = { config, clients, local: false, nowMs: Date.now(), now: Date.now, role: { arn, asked } };
  return (await examine(context)).filter(({ check }) => check !== 'credentials');
}
const without = ({ Version, Statement }: Policy, gone: (text: string) => boolean): Policy => ({
  Version,
  Statement: Statement.map((one) => ({
    ...one,
    Action: [one.Action].flat().filter((action) => !gone(action)),
    Resource: [one.Resource ?? []].flat().filter((resource) => !gone(resource)),
  })).filter(({ Action, Resource }) => Action.length > 0 && Resource.length > 0),
});

describe('doctor --role', () => {
  it.each(['producer', 'consumer', 'operator'] as const)(
    'finds that a role with the whole policy lacks nothing, and says what it did not look at: %s',
    async (as) => {
      expect(await found(as, whole(as))).toEqual([
        expect.objectContaining({
          check: 'role',
          ok: true,
          finding: expect.stringContaining('policies of keys'),
        }),
      ]);
      expect(iam.asked.length).toBeGreaterThan(0);
    },
  );

  it('finds that a producer may write to the primary alone, before the moment at which it counts', async () => {
    const findings = await found(
      'producer',
      without(whole('producer'), (text) => text.includes(':us-west-2:')),
    );
    expect(findings).toMatchObject([{ ok: false }]);
    const [{ finding = '', fix = '' } = {}] = findings;
    expect(finding).toContain(`${arn} lacks`);
    expect(finding).toMatch(/kinesis:PutRecords on arn:aws:kinesis:us-west-2:\d+:stream\/orders/);
    expect(finding).toMatch(/kms:GenerateDataKey on arn:aws:kms:us-west-2/);
    expect(finding).toContain('dynamodb:PutItem');
    expect(finding).not.toMatch(/kinesis:us-east-1/);
    expect(fix).toContain('spillway policy producer');
  });

  it.each(['kms:GenerateDataKey', 'dynamodb:GetItem', 'kinesis:PutRecords'])(
    'finds that %s is missing, and nothing else',
    async (action) => {
      const [one, ...more] = await found(
        'producer',
        without(whole('producer'), (text) => text === action),
      );
      expect(more).toEqual([]);
      expect(one?.finding.match(/\b[a-z]+:[A-Z]\w+/g)).toEqual([action]);
    },
  );

  it('tells what a policy denies from what none allows', async () => {
    const deny: Policy = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: 'kinesis:PutRecords', Resource: '*' }],
    };
    const [one] = await found('producer', whole('producer'), deny);
    expect(one).toMatchObject({
      ok: false,
      finding: expect.stringContaining('is denied kinesis:PutRecords'),
    });
  });

  it('finds that there is no such role', async () => {
    expect(await found('producer')).toMatchObject([
      { ok: false, finding: expect.stringContaining('does not exist') },
    ]);
  });

  it('says that it could not look where it may not, and never that all is well', async () => {
    iam.forbidden = true;
    const findings = await found('producer', whole('producer'));
    expect(findings).toMatchObject([{ ok: false }]);
    expect(findings[0]?.finding).toMatch(/does not allow iam:SimulatePrincipalPolicy/);
  });

  it('sends one action in each question, as IAM wants them, few at once, and none twice', async () => {
    await found('operator', whole('operator'));
    const asked = iam.asked.filter(({ form }) => form.get('Action') === 'SimulatePrincipalPolicy');
    const forms = asked.map(({ form }) => form.toString());
    for (const form of forms) expect(form.match(/ActionNames\.member/g), form).toHaveLength(1);
    expect(new Set(forms).size).toBe(forms.length);
    expect(iam.mostAtOnce()).toBeLessThanOrEqual(2);
  });

  it('asks again where IAM throttles, and gives up where it goes on doing so', async () => {
    iam.throttled = 2;
    expect(await found('producer', whole('producer'))).toMatchObject([{ ok: true }]);
    iam.throttled = Number.POSITIVE_INFINITY;
    const [one] = await found('producer');
    expect(one).toMatchObject({ ok: false, finding: expect.stringMatching(/could not be checked/) });
  });
});

/** Each narrows or widens the policy. */
const askedFor: readonly Asked[] = [
  { as: 'producer', account: ACCOUNT, cells: ['orders'] },
  { as: 'producer', account: ACCOUNT, tableKeys: Object.values(deployments.full.encryptionKeyArns) },
  { as: 'producer', account: ACCOUNT, cells: ['drill'], patterns: true },
  { as: 'consumer', account: ACCOUNT, kcl: 'orders-app', fanOut: 'orders-app', cells: ['orders'] },
  { as: 'operator', account: ACCOUNT, verbs: ['status', 'why'], cells: ['clicks'] },
];

describe('a policy and doctor that are asked for the same agree', () => {
  it.each(askedFor)('$as $cells $verbs $kcl', async (asked) => {
    const policy = policyOf(rightsAsked(asked), whereAsked(asked, config));
    expect(await foundOf(asked, policy)).toEqual([
      expect.objectContaining({ ok: true, finding: expect.stringContaining(commandOf(asked)) }),
    ]);
  });

  it.each(askedFor)(
    'and without one of its statements it lacks something: $as $cells $verbs',
    async (asked) => {
      const policy = policyOf(rightsAsked(asked), whereAsked(asked, config));
      const findings = await foundOf(asked, { ...policy, Statement: policy.Statement.slice(1) });
      expect(findings).toEqual([
        expect.objectContaining({ ok: false, fix: expect.stringContaining(commandOf(asked)) }),
      ]);
    },
  );

  it('a policy of one cell is not one of all', async () => {
    const asked: Asked = { as: 'producer', account: ACCOUNT, cells: ['orders'] };
    const [one] = await found('producer', policyOf(rightsAsked(asked), whereAsked(asked, config)));
    expect(one?.finding).toMatch(/lacks .*kinesis:PutRecords on .*stream\/clicks/);
  });
});
