import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { examine } from '../../lib/operate/doctor/doctor.ts';
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
  clients = new AwsClients({ who: 'cli doctor', timeoutMs: 2_000, endpoint: iam.url, credentials });
});
afterEach(async () => {
  clients.destroy();
  await iam.close();
});

async function found(as: Audience, ...policies: readonly Policy[]) {
  if (policies.length > 0) iam.roles.set(arn, policies);
  const context = { config, clients, local: false, nowMs: Date.now(), now: Date.now, role: { arn, as } };
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
});
