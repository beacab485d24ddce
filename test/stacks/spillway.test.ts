import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, type Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { GUARD_RESOURCE } from '../../lib/settings/guard.ts';
import { appOf, input, templatesFor } from './synth.ts';

const all = (): ReadonlyMap<string, Template> => templatesFor();

function only(templates: ReadonlyMap<string, Template>, name: string): Template {
  const template = templates.get(name);
  if (template === undefined) throw new Error(`no stack ${name} among ${[...templates.keys()].join(', ')}`);
  return template;
}

/** @see https://docs.aws.amazon.com/cdk/v2/guide/featureflags.html: what is found is an error. */
const VALIDATE_AGAINST_DEFAULT_RULES = '@aws-cdk/core:validateAgainstDefaultRules';

function addUnknownProperty(app: App): void {
  const stack = app.node.findChild('shop-primary') as Stack;
  new CfnResource(stack, 'Wrong', { type: 'AWS::Kinesis::Stream', properties: { ShardKount: 1 } });
}

describe('the app', () => {
  it('has one stack per region role, and the routing', () => {
    expect([...all().keys()].toSorted()).toEqual([
      'shop-primary',
      'shop-routing',
      'shop-routing-cells-1',
      'shop-standby',
      'shop-witness-eu-west-1',
      'shop-witness-us-east-2',
    ]);
  });

  it.each([
    ['has nothing', (_app: App) => {}],
    ['would be seen to have something', addUnknownProperty],
  ])('%s that CloudFormation refuses, by the rules that the CDK knows', (what, change) => {
    vi.stubEnv('CDK_VALIDATION', 'true');
    onTestFinished(() => void vi.unstubAllEnvs());
    const app = appOf(input, { [VALIDATE_AGAINST_DEFAULT_RULES]: true });
    change(app);
    const synthesis = () => app.synth();
    if (what === 'has nothing') expect(synthesis).not.toThrow();
    else expect(synthesis).toThrow(/ShardKount/);
  });

  it('warns once of cells that the config allows to be probed, and that no role can name', () => {
    const cells = (nameOf: (n: number) => string) =>
      Array.from({ length: 60 }, (_, n) => ({
        ...{ name: `c${n}`, group: 'g', probe: 'always' as const },
        stream: { name: nameOf(n), existing: true },
      }));
    const warnings = (nameOf: (n: number) => string) =>
      appOf({ ...input, cells: cells(nameOf) })
        .node.children.filter((child) => child instanceof Stack)
        .flatMap((stack) =>
          Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('not probed')),
        );
    expect(warnings((n) => `${String.fromCharCode(97 + (n % 26))}-${n}`)).toHaveLength(1);
    expect(warnings((n) => `shop-${n}`)).toHaveLength(0);
  });

  it('has no custom resource but the deployment guard of the routing, and no managed policy', () => {
    for (const [name, template] of all()) {
      const resources = Object.values(template.toJSON().Resources ?? {}) as { Type: string }[];
      const custom = resources.flatMap(({ Type }) =>
        /^Custom::|^AWS::CloudFormation::CustomResource/.test(Type) ? [Type] : [],
      );
      expect(custom).toEqual(name.includes('-routing') ? [GUARD_RESOURCE] : []);
      expect(JSON.stringify(resources)).not.toContain('ManagedPolicyArns');
    }
  });

  it('keeps everything that a failover needs out of the primary', () => {
    const { Resources } = only(all(), 'shop-primary').toJSON();
    const types = new Set(
      Object.values(Resources as Record<string, { Type: string }>).map(({ Type }) => Type),
    );
    expect([...types]).toEqual(['AWS::Kinesis::Stream']);
  });

  it('leaves existing streams alone and creates the others in both regions', () => {
    const templates = all();
    for (const name of ['shop-primary', 'shop-standby']) {
      const template = only(templates, name);
      template.resourceCountIs('AWS::Kinesis::Stream', 2);
      const canary =
        name === 'shop-primary' ? { StreamModeDetails: { StreamMode: 'ON_DEMAND' } } : { ShardCount: 2 };
      template.hasResourceProperties('AWS::Kinesis::Stream', { Name: 'shop-canary', ...canary });
      template.hasResourceProperties('AWS::Kinesis::Stream', { Name: 'clicks', ShardCount: 1 });
    }
  });

  it('runs functions on arm64 and Node 24, each with a log group that expires', () => {
    const standby = only(all(), 'shop-standby');
    standby.allResourcesProperties('AWS::Lambda::Function', {
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      ReservedConcurrentExecutions: Match.anyValue(),
    });
    standby.resourceCountIs('AWS::Lambda::Function', 7);
    standby.resourceCountIs('AWS::Logs::LogGroup', 8);
    standby.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });

  it('opens the endpoints to the world with both permissions that a URL needs', () => {
    const witness = only(all(), 'shop-witness-us-east-2');
    witness.resourcePropertiesCountIs('AWS::Lambda::Permission', { Principal: '*' }, 2);
    witness.hasResourceProperties('AWS::Lambda::Permission', { Action: 'lambda:InvokeFunctionUrl' });
    witness.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      InvokedViaFunctionUrl: true,
    });
  });

  it('starts the observer each minute, and never twice for one start', () => {
    const witness = only(all(), 'shop-witness-us-east-2');
    witness.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } })],
    });
    witness.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
  });

  it('has no finding of the AwsSolutions pack that is not acknowledged with its reason', () => {
    const app = appOf();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    const report = join(app.outdir, 'validation-report.json');
    expect(existsSync(report) ? readFileSync(report, 'utf8') : '').not.toMatch(/"status": "failure"/);
  });

  it('would not pass the AwsSolutions pack with a wildcard that nobody acknowledged', () => {
    const app = appOf();
    const stack = new Stack(app, 'careless');
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow(/careless\/Role/);
  });
});
