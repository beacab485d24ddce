import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Tags, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it, onTestFinished } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { featureFlags } from '../../lib/cdk/feature-flags.ts';
import { ConfigError, KeyMissingError, Spillway, type SpillwayProps } from '../../lib/cdk/index.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { input, templatesFor } from '../stacks/synth.ts';

/** An app of somebody else's, without the flags of ours. */
function otherApp(context: Readonly<Record<string, unknown>> = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'spillway-cdk-'));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  return new App({ outdir, context: { 'aws:cdk:bundling-stacks': [], ...context } });
}

function templatesIn(app: App, props: Partial<SpillwayProps> = {}): ReadonlyMap<string, Template> {
  const spillway = new Spillway(app, 'Failover', { config: input, ...props });
  const stacks = spillway.node.children.filter((child) => child instanceof Stack);
  return new Map(stacks.map((stack) => [stack.stackName, Template.fromStack(stack)]));
}

/** The CDK names the permission of a rule by its whole path; it names nothing that lasts. */
function resourcesOf(template: Template): object {
  const permissions = Object.values(template.findResources('AWS::Lambda::Permission'));
  const others = Object.entries(template.toJSON().Resources ?? {}).filter(
    ([, resource]) => (resource as { Type: string }).Type !== 'AWS::Lambda::Permission',
  );
  return { ...Object.fromEntries(others), permissions };
}

const account = '111111111111';
const keyOf = (region: string): string =>
  `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const encryptionKeyArns = Object.fromEntries(
  ['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => [region, keyOf(region)]),
);

describe('Spillway in an app of somebody’s own', () => {
  it('is the same stacks, by the same names, as those of a clone', () => {
    const own = templatesFor();
    const theirs = templatesIn(otherApp());
    expect([...theirs.keys()].toSorted()).toEqual([...own.keys()].toSorted());
    for (const [name, template] of theirs) {
      expect(resourcesOf(template), name).toEqual(resourcesOf(own.get(name) as Template));
    }
  });

  it('fills in what a config leaves out, whichever part it gives', () => {
    const plain = templatesIn(otherApp());
    const given = templatesIn(otherApp(), { config: { ...input, delivery: { dnsTtlSeconds: 5 } } });
    expect([...given].map(([name, template]) => [name, resourcesOf(template)])).toEqual(
      [...plain].map(([name, template]) => [name, resourcesOf(template)]),
    );
    const wrong = { ...input, delivery: { dnsTtlSeconds: 3_600 } };
    expect(() => templatesIn(otherApp(), { config: wrong })).toThrow(ConfigError);
  });

  it('takes a config that was loaded, and refuses one that is wrong', () => {
    const loaded = templatesIn(otherApp(), { config: parseConfig(input, 'test') });
    expect(loaded.size).toBe(6);
    expect(() => templatesIn(otherApp(), { config: { ...input, name: 'Not A Name' } })).toThrow(ConfigError);
  });

  it('takes the app’s tags, permissions boundary and account', () => {
    const app = otherApp({ '@aws-cdk/core:permissionsBoundary': { name: 'developers' } });
    Tags.of(app).add('team', 'payments');
    const templates = templatesIn(app, { account });
    for (const [name, template] of templates) {
      for (const role of Object.values(template.findResources('AWS::IAM::Role'))) {
        expect(JSON.stringify(role.Properties.PermissionsBoundary), name).toContain('developers');
        expect(role.Properties.Tags, name).toContainEqual({ Key: 'team', Value: 'payments' });
      }
    }
    expect(JSON.stringify(templates.get('shop-standby')?.toJSON())).toContain(`:${account}:`);
  });

  it('has no finding of the AwsSolutions pack, with keys as without', () => {
    for (const props of [{}, { account, encryptionKeyArns }]) {
      const app = otherApp();
      new Spillway(app, 'Failover', { config: input, ...props });
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
      app.synth();
      const report = join(app.outdir, 'validation-report.json');
      expect(existsSync(report) ? readFileSync(report, 'utf8') : '').not.toMatch(/"status": "failure"/);
    }
  });
});

describe('what is kept', () => {
  it('is kept for as long as is asked, in every log', () => {
    for (const [name, template] of templatesIn(otherApp(), { logRetention: RetentionDays.ONE_YEAR })) {
      for (const group of Object.values(template.findResources('AWS::Logs::LogGroup'))) {
        expect(group.Properties.RetentionInDays, name).toBe(365);
      }
    }
  });

  it('is encrypted with the key of its region: tables, topics and logs', () => {
    const templates = templatesIn(otherApp(), { account, encryptionKeyArns });
    const regions = { 'shop-standby': 'us-west-2', 'shop-witness-eu-west-1': 'eu-west-1' };
    for (const [name, region] of Object.entries(regions)) {
      const template = templates.get(name) as Template;
      const key = keyOf(region);
      template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: key });
      template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: key });
      template.allResourcesProperties('AWS::DynamoDB::Table', {
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: key },
      });
      expect(Object.keys(template.findResources('AWS::DynamoDB::Table')).length).toBeGreaterThan(0);
    }
  });

  it('may be decrypted by each function, by way of the services alone, and by nobody else', () => {
    const template = templatesIn(otherApp(), { account, encryptionKeyArns }).get('shop-standby') as Template;
    const roles = Object.keys(template.findResources('AWS::IAM::Role'));
    const policies = Object.values(
      template.findResources('AWS::IAM::Policy', {
        Properties: {
          PolicyDocument: {
            Statement: Match.arrayWith([
              Match.objectLike({
                Action: Match.arrayWith(['kms:Decrypt']),
                Resource: Object.values(encryptionKeyArns).toSorted(),
                Condition: { StringEquals: { 'kms:ViaService': Match.anyValue() } },
              }),
            ]),
          },
        },
      }),
    );
    const holders = new Set(
      policies.flatMap(({ Properties }) => Properties.Roles.map(({ Ref }: { Ref: string }) => Ref)),
    );
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    expect(functions.length).toBeGreaterThan(4);
    for (const { Properties } of functions) expect(holders).toContain(Properties.Role['Fn::GetAtt'][0]);
    expect(roles.length).toBeGreaterThanOrEqual(holders.size);
  });

  it('needs a key in each region that keeps something', () => {
    const { 'eu-west-1': _missing, ...some } = encryptionKeyArns;
    expect(() => templatesIn(otherApp(), { encryptionKeyArns: some })).toThrow(KeyMissingError);
    expect(() => templatesIn(otherApp(), { encryptionKeyArns: some })).toThrow(/no key for eu-west-1/);
  });
});

it('the flags of the construct are those of cdk.json', () => {
  expect(featureFlags).toEqual(cdkJson.context);
});
