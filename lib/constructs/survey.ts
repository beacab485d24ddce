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

/**
 * No look at a cell begins after 90 s, and the last look may take as long again: ten pages of CloudWatch at
 * 10 s each.
 */
const TIMEOUT_SECONDS = 240;
/** Room for two parsed answers of 3 MB at a time, and garbage of earlier answers. */
const MEMORY_MIB = 512;
const CONCURRENCY = 1;
/**
 * A role's policies hold 10,240 characters together ("IAM and AWS STS quotas"), and the rest of the policies
 * needs about a thousand. CDK counts each name in an unknown account as 150 characters, and moves statements
 * that it thinks too long to another policy.
 */
const NAMES_CHARACTERS = 8_000;
const NAMES = 50;

export interface SurveyProps {
  readonly settings: SurveySettings;
  readonly cells: readonly SurveyedCell[];
}

/**
 * The survey, which stores in the standby how the cells' streams are scaled and what load they had to take,
 * for the time when the primary cannot be asked. The survey is a function of its own, because apart from the
 * probes only the survey calls the primary, and a run may take minutes.
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

/**
 * The survey's rights: to read how streams are scaled, and to write its results and their time in the state
 * table, and nothing else there.
 */
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

/**
 * Each stream by its name; for more streams than a policy holds, one pattern per region: the common beginning
 * of all names.
 */
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
