import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { monitorFunctionName, stateTableName, voteTableName } from '../../lambda/core/names.ts';
import { RECURRING_PARTITION } from '../../lambda/core/recurring.ts';
import { reserves } from '../config/concurrency.ts';
import { CELLS_FILE, type DeployedCell } from '../settings/cells-file.ts';
import { MONITOR_SETTINGS, type MonitorSettings } from '../settings/monitor.ts';
import { SpillwayFunction } from './spillway-function.ts';

/** The monitor's reads run in parallel, each bounded by seconds. */
const TIMEOUT_SECONDS = 20;
const MEMORY_MIB = 256;

/**
 * The monitor, which brings what the observers have stored in their own regions to the standby, where the
 * alarms are. The monitor reads the tables by names that are known beforehand, with rights from IAM, because an
 * endpoint says less than the item behind it. It asks the public endpoints as well, as Route 53's checkers do,
 * and compares: a table can be right while its endpoint cannot read it, or while the checkers ask another one.
 * The hosts are in the state table, where each deployment writes what the checks ask; in the settings, they
 * would tie the standby's stack to every witness's stack.
 */
export class Monitor extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: MonitorSettings; readonly cells: readonly DeployedCell[] },
  ) {
    super(scope, id);
    const { settings, cells } = props;
    const { name } = settings;
    const monitor = new SpillwayFunction(this, 'Look', {
      functionName: monitorFunctionName(name),
      handler: 'monitor',
      description:
        'Spillway: publishes each minute what the observers have stored, as metrics of the standby.',
      environment: { [MONITOR_SETTINGS]: Stack.of(this).toJsonString(settings) },
      files: { [CELLS_FILE]: JSON.stringify(cells) },
      statements: statements(settings, Stack.of(this).account),
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: reserves.monitor,
    });
    const once = { retryAttempts: 0, maxEventAge: Duration.seconds(60) };
    new Rule(this, 'EachMinute', {
      description: 'Spillway: starts the monitor.',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(monitor.lambda, once)],
    });
    monitor.lambda.configureAsyncInvoke(once);
  }
}

/**
 * The monitor's rights: to read, and to write since when drills and surveys are asked for. None of its rights
 * is in the primary.
 */
function statements({ name, standby, observers }: MonitorSettings, account: string): PolicyStatement[] {
  const votes = observers.map(
    (region) => `arn:aws:dynamodb:${region}:${account}:table/${voteTableName(name)}`,
  );
  const state = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  return [
    new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: votes }),
    new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [state] }),
    new PolicyStatement({
      actions: ['dynamodb:UpdateItem'],
      resources: [state],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [RECURRING_PARTITION] } },
    }),
  ];
}
