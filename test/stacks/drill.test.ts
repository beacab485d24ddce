import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { appOf, input, templatesFor } from './synth.ts';

const withDrill = (drill: ConfigInput['drill']): ConfigInput => ({
  ...input,
  cells: [...input.cells, { name: 'drill', stream: { name: 'rehearsal', shards: 1 } }],
  drill,
});

const standbyOf = (config: ConfigInput): Template => {
  const template = templatesFor(config).get('shop-standby');
  if (template === undefined) throw new Error('no standby');
  return template;
};
const isDrill = { Properties: { FunctionName: 'shop-drill' } };

describe('the drill', () => {
  it('is not deployed where no cell is named for it', () => {
    const template = standbyOf(input);
    expect(template.findResources('AWS::Lambda::Function', isDrill)).toEqual({});
    expect(template.findResources('AWS::Events::Rule', { Properties: { Name: 'shop-drill' } })).toEqual({});
  });

  it('is in the standby alone, and nowhere twice', () => {
    for (const [name, template] of templatesFor(withDrill({ cell: 'drill' }))) {
      const functions = Object.keys(template.findResources('AWS::Lambda::Function', isDrill));
      expect(functions, name).toHaveLength(name === 'shop-standby' ? 1 : 0);
    }
  });

  it.each([
    ['weekly', 'ENABLED'],
    ['off', 'DISABLED'],
    [undefined, 'ENABLED'],
  ] as const)('with schedule %s has a weekly rule that is %s, and is never repeated', (schedule, State) => {
    const drill = schedule === undefined ? { cell: 'drill' } : { cell: 'drill', schedule };
    const template = standbyOf(withDrill(drill));
    template.hasResourceProperties('AWS::Events::Rule', {
      Name: 'shop-drill',
      ScheduleExpression: 'cron(0 15 ? * TUE *)',
      State,
      Targets: [{ RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 300 } }],
    });
    const [id] = Object.keys(template.findResources('AWS::Lambda::Function', isDrill));
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: id },
      MaximumRetryAttempts: 0,
    });
  });

  it('is a function as the others are, with time for the way back, one at a time', () => {
    const template = standbyOf(withDrill({ cell: 'drill' }));
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'shop-drill',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: 900,
      ReservedConcurrentExecutions: 1,
    });
    template.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/lambda/shop-drill',
      RetentionInDays: 30,
    });
  });

  it('may do what an operator does to one cell, and nothing to another', () => {
    const template = standbyOf(withDrill({ cell: 'drill' }));
    const statements = policyOf(template);
    expect(statements.map(({ Action }) => [Action].flat().join(' ')).toSorted()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:GetItem dynamodb:Query',
      'dynamodb:PutItem',
      'kinesis:DescribeStreamSummary kinesis:GetRecords kinesis:GetShardIterator kinesis:ListShards kinesis:PutRecords',
      'logs:CreateLogStream logs:PutLogEvents',
      'states:DescribeExecution',
      'states:StartExecution',
    ]);
    const text = JSON.stringify(statements);
    expect(text).toContain(':stream/rehearsal');
    expect(text).not.toContain(':stream/orders');
    expect(text).not.toContain(':stream/clicks');
    expect(text).toContain(':execution:shop-conductor:drill-*');
    expect(statements.some(({ Resource }) => Resource === '*')).toBe(false);
  });

  it('has no finding of the AwsSolutions pack that is not acknowledged with its reason', () => {
    const app = appOf(withDrill({ cell: 'drill' }));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    const report = join(app.outdir, 'validation-report.json');
    expect(existsSync(report) ? readFileSync(report, 'utf8') : '').not.toMatch(/"status": "failure"/);
  });

  it('writes nothing of the state but claims and the journal', () => {
    const [write] = policyOf(standbyOf(withDrill({ cell: 'drill' }))).filter(
      ({ Action }) => Action === 'dynamodb:PutItem',
    );
    expect(write?.Condition).toEqual({
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['epoch', 'journal'] },
    });
  });

  it('is told its cell, its streams and nothing that is secret', () => {
    standbyOf(withDrill({ cell: 'drill' })).hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'shop-drill',
      Environment: { Variables: { SPILLWAY_DRILL: Match.stringLikeRegexp('"cell":"drill".*"rehearsal"') } },
    });
  });
});

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function policyOf(template: Template): readonly Statement[] {
  const [lambda] = Object.values(template.findResources('AWS::Lambda::Function', isDrill));
  const role = lambda?.Properties.Role['Fn::GetAtt'][0] as string;
  const policies = template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: role }] } });
  return Object.values(policies).flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}
