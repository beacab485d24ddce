import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it, onTestFinished } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import type { Config } from '../../lib/config/config.ts';
import { consumerOf } from '../../lib/config/consumers.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { CellInput } from '../../lib/config/schema.ts';
import { surveyedConsumers } from '../../lib/config/surveyed-consumers.ts';
import { Survey } from '../../lib/constructs/survey.ts';
import { leastInput } from '../config/inputs.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** A stack with nothing but the survey of these streams, and what the AwsSolutions pack says of it. */
function surveyOf(
  streams: readonly { readonly primary: string; readonly standby: string }[],
  consumers: NonNullable<CellInput['consumers']> | 'not named' = [],
) {
  const config: Config = {
    ...parseConfig(leastInput, 'spillway.config.json'),
    cells: streams.map((each, n) => ({
      ...{ name: `c${n}`, group: `c${n}`, probe: 'never', services: [] },
      streams: {
        primary: { name: each.primary, create: false },
        standby: { name: each.standby, create: false },
      },
      ...(consumers === 'not named' ? {} : { consumers: consumers.map(consumerOf) }),
    })),
  };
  const outdir = mkdtempSync(join(tmpdir(), 'spillway-survey-'));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  const app = new App({ outdir, context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'shop-standby', { env: { region: 'us-west-2' } });
  new Survey(stack, 'Survey', {
    settings: { name: 'shop', primary: 'us-east-1', standby: 'us-west-2' },
    cells: surveyedConsumers(config.cells).map(({ name: cell, streams: each, consumers: named }) => ({
      cell,
      streams: { primary: each.primary.name, standby: each.standby.name },
      ...(named === undefined ? {} : { consumers: named }),
    })),
    config,
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  const report = join(outdir, 'validation-report.json');
  const template = Template.fromStack(stack);
  const statements = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement as readonly Statement[],
  );
  return {
    template,
    statements,
    streams: [statements.find(({ Action }) => Action.includes('kinesis:DescribeStreamSummary'))?.Resource]
      .flat()
      .map(arn),
    findings: existsSync(report) ? readFileSync(report, 'utf8') : '',
  };
}
const arn = (resource: unknown): string =>
  JSON.stringify(resource).replace(/.*arn:aws:kinesis:([^:]+):.*:stream\/([^"]*)".*/, '$1 $2');
const many = (name: (n: number) => string) =>
  Array.from({ length: 1_000 }, (_, n) => ({ primary: name(n), standby: `${name(n)}-standby` }));

describe('the survey', () => {
  it('starts each hour, once, with no retry', () => {
    const { template } = surveyOf([{ primary: 'orders', standby: 'orders' }]);
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 hour)' });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'shop-survey',
      ReservedConcurrentExecutions: 1,
    });
  });

  it('may read how the named streams are scaled, and metrics, and write nothing but what it found', () => {
    const { statements, streams, findings } = surveyOf([
      { primary: 'orders', standby: 'orders-2' },
      { primary: 'orders', standby: 'clicks' },
    ]);
    expect(streams).toEqual(['us-east-1 orders', 'us-west-2 clicks', 'us-west-2 orders-2']);
    expect(statements.flatMap(({ Action }) => Action).toSorted()).toEqual([
      'cloudwatch:GetMetricData',
      'dynamodb:DeleteItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'kinesis:DescribeStreamSummary',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    const table = statements.find(({ Action }) => Action.includes('dynamodb:PutItem'));
    expect(table?.Condition).toEqual({
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['capacity', 'consumers'] },
    });
    const record = statements.find(({ Action }) => Action === 'dynamodb:UpdateItem');
    expect(record?.Condition).toEqual({
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['recurring'] },
    });
    expect(findings).not.toMatch(/"status": "failure"/);
  });

  it.each([
    [
      'what their names begin with',
      (n: number) => `shop-cell-${n}`,
      ['us-east-1 shop-cell-*', 'us-west-2 shop-cell-*'],
    ],
    [
      'every stream when they have nothing in common',
      (n: number) => `${n}-cell`,
      ['us-east-1 *', 'us-west-2 *'],
    ],
  ])('of a thousand cells may read %s: their names do not fit into a policy', (_what, name, expected) => {
    const { statements, streams, findings } = surveyOf(many(name));
    expect(streams).toEqual(expected);
    expect(JSON.stringify(statements).length).toBeLessThan(10_240);
    expect(findings).not.toMatch(/"status": "failure"/);
  });

  it('names the streams as long as a policy holds them', () => {
    const some = many((n) => `shop-cell-${n}`);
    const { template, streams } = surveyOf(some.slice(0, 25));
    expect(streams).toHaveLength(50);
    template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    expect(surveyOf(some.slice(0, 26)).streams).toHaveLength(2);
    const long = (name: string): string => name.padEnd(128, 'x');
    const longest = some
      .slice(0, 25)
      .map(({ primary }) => ({ primary: long(primary), standby: long(primary) }));
    expect(surveyOf(longest).streams).toHaveLength(2);
  });

  it('may ask about the consumers of the standby, each by its name, and change none', () => {
    const { statements, findings } = surveyOf(
      [{ primary: 'orders', standby: 'orders-2' }],
      [
        { kind: 'lambda', function: { primary: 'elsewhere', standby: 'west:live' } },
        { kind: 'kcl', leaseTable: 'billing' },
        { kind: 'enhancedFanOut', name: 'flink' },
        { kind: 'firehose', name: 'lake' },
        { kind: 'other', alarm: 'spark-lags' },
      ],
    );
    const named = (action: string) =>
      JSON.stringify(statements.find(({ Action }) => [Action].flat().includes(action))?.Resource);
    expect(named('lambda:GetFunctionConcurrency')).toMatch(/us-west-2:.*:function:west"/);
    expect(named('dynamodb:Scan')).toMatch(/us-west-2:.*:table\/billing"/);
    expect(named('kinesis:DescribeStreamConsumer')).toMatch(/stream\/orders-2\/consumer\/flink:\*"/);
    expect(named('firehose:DescribeDeliveryStream')).toMatch(/us-west-2:.*:deliverystream\/lake"/);
    const actions = statements.flatMap(({ Action }) => Action);
    expect(actions).not.toContain('kinesis:ListStreamConsumers');
    const ofConsumers = actions.filter((action) => /^(lambda|firehose|cloudwatch|kinesis)/.test(action));
    expect(ofConsumers.filter((action) => !/:(Get|List|Describe)/.test(action))).toEqual([]);
    expect(JSON.stringify(statements)).not.toContain('elsewhere');
    expect(findings).not.toMatch(/"status": "failure"/);
  });

  it('asks by the stream alone where nobody has said who reads it', () => {
    const { statements } = surveyOf([{ primary: 'orders', standby: 'orders' }], 'not named');
    const actions = statements.flatMap(({ Action }) => Action);
    expect(actions).toEqual(
      expect.arrayContaining(['lambda:ListEventSourceMappings', 'kinesis:ListStreamConsumers']),
    );
    expect(actions).not.toContain('lambda:GetFunctionConfiguration');
  });

  it('names as many consumers as its policies hold, however many there are', () => {
    const { statements } = surveyOf(
      Array.from({ length: 20 }, (_, n) => ({ primary: `s${n}`, standby: `s${n}` })),
      Array.from({ length: 4 }, (_, n) => ({ kind: 'kcl' as const, leaseTable: `table-${n}` })),
    );
    expect(JSON.stringify(statements).length).toBeLessThan(10_240);
    expect(statements.flatMap(({ Action }) => Action)).toContain('dynamodb:Scan');
  });
});
