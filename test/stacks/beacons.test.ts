import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { App, Validations } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it, onTestFinished } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { parseConfig } from '../../lib/config/parse.ts';
import { addSpillway } from '../../lib/stacks/spillway.ts';
import { appOf, input, templatesFor, templatesOf } from './synth.ts';

const ACCOUNT = '123456789012';
const TABLE = `arn:aws:dynamodb:us-west-2:${ACCOUNT}:table/shop-beacons`;
const withBeacons = { ...input, beacons: true } as const;

const stackNamed = (name: string, config = withBeacons): Template => {
  const template = templatesFor(config).get(name);
  if (template === undefined) throw new Error(`no stack ${name}`);
  return template;
};

interface Document {
  readonly Version: string;
  readonly Statement: readonly Record<string, unknown>[];
}

/** The policies of a type, with the account and the table's ARN as they are once they are deployed. */
function documents(template: Template, type: string): readonly Document[] {
  const [logicalId] = Object.keys(
    template.findResources('AWS::DynamoDB::Table', { Properties: { TableName: 'shop-beacons' } }),
  );
  return Object.values(template.findResources(type)).map(({ Properties }) => {
    const text = JSON.stringify(Properties.PolicyDocument)
      .replaceAll(`{"Fn::GetAtt":["${logicalId}","Arn"]}`, JSON.stringify(TABLE))
      .replaceAll(
        /\{"Fn::Join":\["",\["arn:aws:dynamodb:us-west-2:",\{"Ref":"AWS::AccountId"\},"([^"]*)"\]\]\}/g,
        (_all, rest) => JSON.stringify(`arn:aws:dynamodb:us-west-2:${ACCOUNT}${rest}`),
      );
    return JSON.parse(text) as Document;
  });
}

interface Question {
  readonly policies: readonly Document[];
  readonly action: string;
  readonly key?: string;
  readonly resource?: string;
  readonly userId?: string;
}

async function allows({
  policies,
  action,
  key,
  resource = TABLE,
  userId = 'AROAORDERS:task-1',
}: Question): Promise<boolean> {
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:sts::${ACCOUNT}:assumed-role/orders/task-1`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: {
          'aws:userid': userId,
          ...(key === undefined ? {} : { 'dynamodb:LeadingKeys': [key] }),
        },
      },
      // Statements about other resources are not needed, and have references that only CloudFormation fills in.
      identityPolicies: policies
        .map(({ Version, Statement }, n) => ({
          name: `policy-${n}`,
          policy: {
            Version,
            Statement: Statement.filter(({ Resource }) => JSON.stringify(Resource).includes('shop-beacons')),
          },
        }))
        .filter(({ policy }) => policy.Statement.length > 0),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(JSON.stringify(answer));
  return answer.overallResult === 'Allowed';
}

describe('the table of beacons', () => {
  it('is in the standby alone, and only where the config asks for it', () => {
    for (const [name, template] of templatesFor(withBeacons)) {
      const count = name === 'shop-standby' ? 1 : 0;
      template.resourcePropertiesCountIs('AWS::DynamoDB::Table', { TableName: 'shop-beacons' }, count);
      template.resourceCountIs('AWS::IAM::ManagedPolicy', count);
    }
    for (const template of templatesFor(input).values()) {
      template.resourcePropertiesCountIs('AWS::DynamoDB::Table', { TableName: 'shop-beacons' }, 0);
      template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    }
  });

  it('forgets old items, and has an index of those in trouble', () => {
    stackNamed('shop-standby').hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'shop-beacons',
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'trouble',
          KeySchema: [{ AttributeName: 'trouble', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
  });

  it('is known to every observer', () => {
    for (const name of ['shop-standby', 'shop-witness-us-east-2', 'shop-witness-eu-west-1']) {
      const settings = JSON.stringify(stackNamed(name).findResources('AWS::Lambda::Function'));
      expect(settings, name).toContain('\\"beacons\\":true');
    }
  });

  it('has no finding of the AwsSolutions pack that is not acknowledged with its reason', () => {
    const app = appOf(withBeacons);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    const report = join(app.outdir, 'validation-report.json');
    expect(existsSync(report) ? readFileSync(report, 'utf8') : '').not.toMatch(/"status": "failure"/);
  });

  it('gives writers the right to use the key that encrypts it, through DynamoDB alone', () => {
    const outdir = mkdtempSync(join(tmpdir(), 'spillway-synth-'));
    onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
    const app = new App({ outdir, context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
    const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
    const keys = Object.fromEntries(
      regions.map((region) => [region, `arn:aws:kms:${region}:${ACCOUNT}:key/k`]),
    );
    addSpillway(app, parseConfig(withBeacons, 'test'), { encryptionKeyArns: keys });
    const template = templatesOf(app).get('shop-standby') as Template;
    const [policy] = documents(template, 'AWS::IAM::ManagedPolicy');
    const use = policy?.Statement.find(({ Action }) => JSON.stringify(Action).includes('kms:'));
    expect(use).toMatchObject({ Resource: keys['us-west-2'] });
  });
});

describe('the right of a producer', () => {
  const policies = () => documents(stackNamed('shop-standby'), 'AWS::IAM::ManagedPolicy');
  const userId = 'AROAORDERS:task-1';

  it('is to write under its own name, and under no other', async () => {
    const put = (key: string) => allows({ policies: policies(), action: 'dynamodb:PutItem', key, userId });
    expect(await put(userId)).toBe(true);
    expect(await put('AROAORDERS:task-2')).toBe(false);
    expect(await put('AROAORDERS')).toBe(false);
    expect(await put('fleet')).toBe(false);
    // Not as a pattern either.
    expect(await put('*')).toBe(false);
    expect(await put('AROAORDERS:*')).toBe(false);
  });

  it('is to read how large the fleet is, and nothing else', async () => {
    const may = (action: string, key?: string) =>
      allows({ policies: policies(), action, ...(key === undefined ? {} : { key }), userId });
    expect(await may('dynamodb:GetItem', 'fleet')).toBe(true);
    expect(await may('dynamodb:GetItem', 'AROAORDERS:task-2')).toBe(false);
    expect(await may('dynamodb:Scan')).toBe(false);
    expect(await may('dynamodb:Query', 'fleet')).toBe(false);
    for (const action of ['DeleteItem', 'UpdateItem', 'BatchWriteItem']) {
      expect(await may(`dynamodb:${action}`, 'AROAORDERS:task-2'), action).toBe(false);
      expect(await may(`dynamodb:${action}`, userId), action).toBe(false);
    }
  });
});

describe('the right of an observer', () => {
  const policiesOf = (stack: string) => documents(stackNamed(stack), 'AWS::IAM::Policy');
  const index = `${TABLE}/index/trouble`;

  it.each(['shop-standby', 'shop-witness-us-east-2', 'shop-witness-eu-west-1'])(
    'is to read all: %s',
    async (stack) => {
      const policies = policiesOf(stack);
      expect(await allows({ policies, action: 'dynamodb:Scan' })).toBe(true);
      expect(await allows({ policies, action: 'dynamodb:Scan', resource: index })).toBe(true);
    },
  );

  it('is to say how large the fleet is, in the standby alone, and to write no beacon', async () => {
    const put = (stack: string, key: string) =>
      allows({ policies: policiesOf(stack), action: 'dynamodb:PutItem', key });
    expect(await put('shop-standby', 'fleet')).toBe(true);
    expect(await put('shop-standby', 'AROAORDERS:task-1')).toBe(false);
    expect(await put('shop-witness-us-east-2', 'fleet')).toBe(false);
  });
});
