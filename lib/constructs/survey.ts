import { Duration, Stack, Token, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { stateTableName, surveyFunctionName } from '../../lambda/core/names.ts';
import { RECURRING_PARTITION } from '../../lambda/core/recurring.ts';
import { CAPACITY_PARTITION } from '../../lambda/core/survey.ts';
import {
  SURVEY_SETTINGS,
  SURVEYED_CELLS_FILE,
  type SurveyedCell,
  type SurveySettings,
} from '../settings/survey.ts';
import { SpillwayFunction } from './spillway-function.ts';

/** No look begins after 90 s, and the last one may take as long again: ten pages of CloudWatch at 10 s each. */
const TIMEOUT_SECONDS = 240;
/** Two answers of 3 MB at a time, parsed, with what the ones before have left to collect. */
const MEMORY_MIB = 512;
const CONCURRENCY = 1;
/**
 * A role's policies hold 10,240 characters together ("IAM and AWS STS quotas"), and the rest of them needs about a
 * thousand. CDK takes each name of an account that it does not know for 150, and moves what it thinks too long elsewhere.
 */
const NAMES_CHARACTERS = 8_000;
const NAMES = 50;

export interface SurveyProps {
  readonly settings: SurveySettings;
  readonly cells: readonly SurveyedCell[];
}

/**
 * What keeps in the standby, for the time when the primary cannot be asked, how the cells' streams are scaled and what they
 * had to take. A function of its own: beside the probes it is the only one that calls the primary, and it may take minutes.
 */
export class Survey extends Construct {
  constructor(scope: Construct, id: string, { settings, cells }: SurveyProps) {
    super(scope, id);
    const streams = streamArns({ settings, cells, account: Stack.of(this).account });
    const survey = new SpillwayFunction(this, 'Run', {
      functionName: surveyFunctionName(settings.name),
      handler: 'survey',
      description: 'Spillway: stores each hour how streams are scaled in both regions, and their peaks.',
      environment: { [SURVEY_SETTINGS]: Stack.of(this).toJsonString(settings) },
      files: { [SURVEYED_CELLS_FILE]: JSON.stringify(cells) },
      statements: statements({ settings, streams, account: Stack.of(this).account }),
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: CONCURRENCY,
    });
    Validations.of(survey.role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'GetMetricData has no resources; it only reads.',
    });
    for (const arn of streams.filter((each) => each.endsWith('*'))) {
      Validations.of(survey.role).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${shown(arn, Stack.of(this).account)}]`,
        reason:
          'The names of so many streams do not fit into a role’s policies; the one action tells how a stream is scaled, and changes nothing.',
      });
    }
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(10) };
    new Rule(this, 'EachHour', {
      description: 'Spillway: starts the survey.',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(survey.lambda, once)],
    });
    survey.lambda.configureAsyncInvoke(once);
  }
}

/** As cdk-nag names a resource of an account that is not known at synth. */
const shown = (arn: string, account: string): string =>
  Token.isUnresolved(account) ? arn.replace(account, '<AWS::AccountId>') : arn;

/** It reads what is scaled how, and writes what it found, and when: of the state table nothing but that. */
function statements({
  settings: { name, standby },
  streams,
  account,
}: {
  readonly settings: SurveySettings;
  readonly streams: readonly string[];
  readonly account: string;
}): PolicyStatement[] {
  const state = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  return [
    new PolicyStatement({ actions: ['kinesis:DescribeStreamSummary'], resources: [...streams] }),
    new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    new PolicyStatement({
      actions: ['dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      resources: [state],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [CAPACITY_PARTITION] } },
    }),
    new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [state],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [RECURRING_PARTITION] } },
    }),
  ];
}

/** Each stream by its name; of more than a policy holds, one pattern a region: what all of its names begin with. */
function streamArns({
  settings: { primary, standby },
  cells,
  account,
}: SurveyProps & { readonly account: string }): readonly string[] {
  const regions = { primary, standby } as const;
  const roles = ['primary', 'standby'] as const;
  const arn = (role: (typeof roles)[number], stream: string): string =>
    `arn:aws:kinesis:${regions[role]}:${account}:stream/${stream}`;
  const named = roles.flatMap((role) =>
    [...new Set(cells.map(({ streams }) => streams[role]))].map((stream) => arn(role, stream)),
  );
  if (named.length <= NAMES && named.join().length <= NAMES_CHARACTERS) return named;
  return roles.map((role) => arn(role, `${commonStart(cells.map(({ streams }) => streams[role]))}*`));
}

function commonStart(names: readonly string[]): string {
  const [first = ''] = names;
  const length = [...first].findIndex((letter, n) => names.some((name) => name[n] !== letter));
  return length === -1 ? first : first.slice(0, length);
}
