import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { CONSUMERS_PARTITION } from '../../lambda/core/consumer-digest.ts';
import { stateTableName, surveyFunctionName } from '../../lambda/core/names.ts';
import { RECURRING_PARTITION } from '../../lambda/core/recurring.ts';
import { CAPACITY_PARTITION } from '../../lambda/core/survey.ts';
import { reserves } from '../config/concurrency.ts';
import type { Config } from '../config/config.ts';
import { surveyedConsumersRights } from '../permissions/functions.ts';
import { requirementsOf } from '../permissions/requirements.ts';
import {
  SURVEY_SETTINGS,
  SURVEYED_CELLS_FILE,
  type SurveyedCell,
  type SurveySettings,
} from '../settings/survey.ts';
import { SpillwayFunction } from './spillway-function.ts';
import { isPattern, shownArn, streamArns } from './stream-arns.ts';

/**
 * No look at a cell begins after 90 s, and the last look may take as long again: ten pages of CloudWatch at
 * 10 s each.
 */
const TIMEOUT_SECONDS = 240;
/** Room for two parsed answers of 3 MB at a time, and garbage of earlier answers. */
const MEMORY_MIB = 512;
export interface SurveyProps {
  readonly settings: SurveySettings;
  readonly cells: readonly SurveyedCell[];
  readonly config: Config;
}

/**
 * The survey, which stores in the standby how the cells' streams are scaled and what load they had to take,
 * for the time when the primary cannot be asked. The survey is a function of its own, because apart from the
 * probes only the survey calls the primary, and a run may take minutes.
 */
export class Survey extends Construct {
  constructor(scope: Construct, id: string, { settings, cells, config }: SurveyProps) {
    super(scope, id);
    const { primary, standby } = settings;
    const { account } = Stack.of(this);
    const streams = streamArns({
      regions: { primary, standby },
      account,
      streams: cells.map((cell) => cell.streams),
    });
    const ofConsumers = requirementsOf(surveyedConsumersRights, { config, account, region: standby });
    const survey = new SpillwayFunction(this, 'Run', {
      functionName: surveyFunctionName(settings.name),
      handler: 'survey',
      description: 'Spillway: stores each hour how streams are scaled in both regions, and their peaks.',
      environment: { [SURVEY_SETTINGS]: Stack.of(this).toJsonString(settings) },
      files: { [SURVEYED_CELLS_FILE]: JSON.stringify(cells) },
      statements: [
        ...statements({ settings, streams, account, unnamed: cells.some(({ consumers }) => !consumers) }),
        ...ofConsumers.map(
          ({ actions, resources }) =>
            new PolicyStatement({ actions: [...actions], resources: [...resources] }),
        ),
      ],
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: reserves.survey,
    });
    Validations.of(survey.role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'GetMetricData and ListEventSourceMappings have no resources; they only read.',
    });
    for (const arn of ofConsumers.flatMap(({ resources }) => resources).filter(isPartOfList)) {
      Validations.of(survey.role).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${shownArn(arn, Stack.of(this).account)}]`,
        reason:
          'Kinesis ends the ARN of a consumer with the time of its creation; alarms are listed. Both are only read.',
      });
    }
    for (const arn of streams.filter(isPattern)) {
      Validations.of(survey.role).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${shownArn(arn, Stack.of(this).account)}]`,
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

const isPartOfList = (arn: string): boolean => arn !== '*' && arn.includes('*');

/**
 * The survey's rights: to read how streams are scaled, and to write its results and their time in the state
 * table, and nothing else there.
 */
function statements({
  settings: { name, standby },
  streams,
  account,
  unnamed,
}: {
  readonly settings: SurveySettings;
  readonly streams: readonly string[];
  readonly account: string;
  /** Whether there are cells whose consumers the config does not name. */
  readonly unnamed: boolean;
}): PolicyStatement[] {
  const onStreams = ['kinesis:DescribeStreamSummary', ...(unnamed ? ['kinesis:ListStreamConsumers'] : [])];
  const state = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  return [
    ...(streams.length === 0 ? [] : [new PolicyStatement({ actions: onStreams, resources: [...streams] })]),
    new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    new PolicyStatement({
      actions: ['dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      resources: [state],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [CAPACITY_PARTITION, CONSUMERS_PARTITION] },
      },
    }),
    new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [state],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [RECURRING_PARTITION] } },
    }),
  ];
}
