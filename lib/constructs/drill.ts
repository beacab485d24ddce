import { Duration, Stack, Token, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { DRILL_MAX_MS } from '../../lambda/core/drill.ts';
import { EPOCH_PARTITION } from '../../lambda/core/epoch.ts';
import { JOURNAL_PARTITION } from '../../lambda/core/journal.ts';
import {
  conductorMachineName,
  drillFunctionName,
  drillRuleName,
  stateTableName,
  voteTableName,
} from '../../lambda/core/names.ts';
import { reserves } from '../config/concurrency.ts';
import type { DrillSchedule } from '../config/drill-schedule.ts';
import type { StreamKey } from '../config/stream-keys.ts';
import type { DrillTarget } from '../settings/drill.ts';
import { DRILL_SETTINGS } from '../settings/drill.ts';
import { keyStatements } from './key-statements.ts';
import { SpillwayFunction } from './spillway-function.ts';

/** The longest that Lambda allows is 900 s. */
const TIMEOUT_SECONDS = DRILL_MAX_MS / 1_000 + 60;
const MEMORY_MIB = 256;

export interface DrillProps {
  readonly target: DrillTarget;
  readonly schedule: DrillSchedule;
  readonly conductorArn: string;
  /** The customer-managed keys of the cell's streams. */
  readonly keys: readonly StreamKey[];
}

/** The weekly drill in the standby: a rule, and the function that the rule starts. */
export class Drill extends Construct {
  constructor(scope: Construct, id: string, { target, schedule, conductorArn, keys }: DrillProps) {
    super(scope, id);
    const { name, cell } = target;
    const { account } = Stack.of(this);
    const drill = new SpillwayFunction(this, 'Run', {
      functionName: drillFunctionName(name),
      handler: 'drill',
      description: `Spillway: moves ${cell} to ${target.standby} and back, and measures it.`,
      environment: { [DRILL_SETTINGS]: Stack.of(this).toJsonString(target) },
      statements: [
        ...statements(target, { conductorArn, account }),
        ...keyStatements(keys, ['kms:GenerateDataKey', 'kms:Decrypt']),
      ],
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: reserves.drill,
    });
    const shown = Token.isUnresolved(account) ? '<AWS::AccountId>' : account;
    Validations.of(drill.role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${runsOf(target, shown)}]`,
      reason: 'Runs of the conductor get the number of their act as they begin; group and machine are named.',
    });
    // No retries: a late drill may come at a bad time, and a failed drill has to be reported, not repeated.
    // The next drill is a week away.
    const once = { retryAttempts: 0, maxEventAge: Duration.minutes(5) };
    new Rule(this, 'Weekly', {
      ruleName: drillRuleName(name),
      description: `Spillway: the weekly drill of ${cell}.`,
      // Tuesday at 15:00 UTC: people are at work from California to Europe, and no week begins or ends.
      schedule: Schedule.cron({ weekDay: 'TUE', hour: '15', minute: '0' }),
      enabled: schedule === 'weekly',
      targets: [new LambdaFunction(drill.lambda, once)],
    });
    drill.lambda.configureAsyncInvoke(once);
  }
}

const runsOf = ({ name, standby, group }: DrillTarget, account: string): string =>
  `arn:aws:states:${standby}:${account}:execution:${conductorMachineName(name)}:${group}-*`;

/**
 * An operator's rights for one cell: to start the conductor, and to write claims and the journal in the state
 * table.
 */
function statements(
  target: DrillTarget,
  { conductorArn, account }: { readonly conductorArn: string; readonly account: string },
): PolicyStatement[] {
  const { name, primary, standby, observers, streams } = target;
  const state = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  const votes = observers.map(
    (region) => `arn:aws:dynamodb:${region}:${account}:table/${voteTableName(name)}`,
  );
  return [
    new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: votes }),
    new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [state] }),
    new PolicyStatement({
      actions: ['dynamodb:PutItem'],
      resources: [state],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [EPOCH_PARTITION, JOURNAL_PARTITION] },
      },
    }),
    new PolicyStatement({ actions: ['states:StartExecution'], resources: [conductorArn] }),
    new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [runsOf(target, account)] }),
    new PolicyStatement({
      actions: [
        'kinesis:PutRecords',
        'kinesis:DescribeStreamSummary',
        'kinesis:ListShards',
        'kinesis:GetShardIterator',
        'kinesis:GetRecords',
      ],
      resources: [
        `arn:aws:kinesis:${primary}:${account}:stream/${streams.primary}`,
        `arn:aws:kinesis:${standby}:${account}:stream/${streams.standby}`,
      ],
    }),
  ];
}
