import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { FLEET_KEY } from '../../lambda/core/beacon-item.ts';
import { EPOCH_PARTITION } from '../../lambda/core/epoch.ts';
import {
  beaconTableName,
  canaryStreamName,
  metricNamespace,
  observerFunctionName,
  stateTableName,
  TROUBLE_INDEX,
  voteFunctionName,
  voteTableName,
} from '../../lambda/core/names.ts';
import { WOULD_PARTITION } from '../../lambda/core/would.ts';
import { reserves } from '../config/concurrency.ts';
import type { StreamKey } from '../config/stream-keys.ts';
import type { StreamPair } from '../config/stream-names.ts';
import { siblingActions } from '../observers/sibling-actions.ts';
import { CELLS_FILE, type DeployedCell } from '../settings/cells-file.ts';
import { OBSERVER_SETTINGS, type ObserverSettings } from '../settings/observer.ts';
import { VOTE_TABLE } from '../settings/vote.ts';
import { keyStatements } from './key-statements.ts';
import { PublicEndpoint } from './public-endpoint.ts';
import { SpillwayFunction } from './spillway-function.ts';
import { isPattern, shownArn, streamArns } from './stream-arns.ts';

/** Longer than the minute between two starts, so that the next run takes over before this one ends. */
const RUN_SECONDS = 90;
const MEMORY_MIB = 240;

export interface ObserverProps extends ObserverSettings {
  /** The cells; the latch holds when the switches of all their groups hold. */
  readonly cells: readonly DeployedCell[];
  /** The streams into which the observer may put marked records. */
  readonly probed: readonly StreamPair[];
  /** The customer-managed keys of these streams. */
  readonly keys: readonly StreamKey[];
}

/**
 * Everything that observes from one region: the observer, its table, and the endpoint that serves its vote.
 */
export class Observer extends Construct {
  readonly endpoint: PublicEndpoint;
  readonly table: Table;

  constructor(scope: Construct, id: string, { cells, probed: streams, keys, ...settings }: ObserverProps) {
    super(scope, id);
    const { name, primary, standby } = settings;
    const { account } = Stack.of(this);
    const probed =
      streams.length === 0 ? [] : streamArns({ regions: { primary, standby }, account, streams });
    const table = new Table(this, 'Table', {
      tableName: voteTableName(name),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.table = table;
    const observer = new SpillwayFunction(this, 'Run', {
      functionName: observerFunctionName(name),
      handler: 'observer',
      description: `Spillway: watches ${settings.primary} and ${settings.standby} from ${settings.region}, and votes.`,
      environment: { [OBSERVER_SETTINGS]: Stack.of(this).toJsonString(settings) },
      files: { [CELLS_FILE]: JSON.stringify(cells) },
      statements: [
        ...observerStatements(settings, table, Stack.of(this).account),
        ...streamStatements(probed),
        ...keyStatements(keys, ['kms:GenerateDataKey']),
      ],
      timeoutSeconds: RUN_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: reserves.observer,
    });
    Validations.of(observer.role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason:
        'PutMetricData, GetMetricData and the listing calls of the sibling probes have no resources; writing is bound to our namespace by a condition.',
    });
    for (const arn of probed.filter(isPattern)) {
      Validations.of(observer.role).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::${shownArn(arn, account)}]`,
        reason:
          'The names of so many streams do not fit into a role’s policies; the pattern is the common beginning of the names of streams whose owners allow marked records.',
      });
    }
    new Rule(this, 'EachMinute', {
      description: 'Spillway: starts the observer; it ticks inside until the next start.',
      schedule: Schedule.rate(Duration.minutes(1)),
      // No retries: a late or repeated run is useless, because the next minute brings another run.
      targets: [new LambdaFunction(observer.lambda, { retryAttempts: 0, maxEventAge: Duration.seconds(60) })],
    });
    observer.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.seconds(60) });
    this.endpoint = new PublicEndpoint(this, 'Vote', {
      functionName: voteFunctionName(name),
      handler: 'vote',
      concurrency: reserves.vote,
      description: 'Spillway: tells Route 53 how the observer of this region votes.',
      environment: { [VOTE_TABLE]: table.tableName },
      statements: [new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: [table.tableArn] })],
    });
  }
}

/** Marked records, into the streams of cells whose owners allow them. */
const streamStatements = (probed: readonly string[]): PolicyStatement[] =>
  probed.length === 0
    ? []
    : [new PolicyStatement({ actions: ['kinesis:PutRecord', 'kinesis:PutRecords'], resources: [...probed] })];

function observerStatements(settings: ObserverSettings, table: Table, account: string): PolicyStatement[] {
  const { name, primary, standby, policy } = settings;
  const stateTable = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  const siblings = policy.siblingProbes.map((sibling) => siblingActions[sibling]);
  const canaries = [primary, standby].map(
    (region) => `arn:aws:kinesis:${region}:${account}:stream/${canaryStreamName(name)}`,
  );
  return [
    new PolicyStatement({
      actions: [
        'kinesis:PutRecord',
        'kinesis:PutRecords',
        'kinesis:GetShardIterator',
        'kinesis:GetRecords',
        'kinesis:DescribeStreamSummary',
      ],
      resources: canaries,
    }),
    new PolicyStatement({
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': metricNamespace(name) } },
    }),
    new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    new PolicyStatement({
      actions: ['dynamodb:UpdateItem', 'dynamodb:PutItem'],
      resources: [table.tableArn],
    }),
    new PolicyStatement({
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [stateTable],
    }),
    ...(settings.conductorArn === undefined ? [] : startStatements(settings, account)),
    ...(settings.beacons === true ? beaconStatements(settings, account) : []),
    ...(siblings.length === 0 ? [] : [new PolicyStatement({ actions: siblings, resources: ['*'] })]),
  ];
}

/** Every observer reads what producers report; the standby's tells them how many they are. */
function beaconStatements({ name, region, standby }: ObserverSettings, account: string): PolicyStatement[] {
  const beacons = `arn:aws:dynamodb:${standby}:${account}:table/${beaconTableName(name)}`;
  const reading = new PolicyStatement({
    actions: ['dynamodb:Scan'],
    resources: [beacons, `${beacons}/index/${TROUBLE_INDEX}`],
  });
  if (region !== standby) return [reading];
  return [
    reading,
    new PolicyStatement({
      actions: ['dynamodb:PutItem'],
      resources: [beacons],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [FLEET_KEY.pk] } },
    }),
  ];
}

/**
 * The standby's observer may start the conductor, read the other observers' votes, and claim the number of
 * the evacuation; it may write nothing else in the state table.
 */
function startStatements(settings: ObserverSettings, account: string): PolicyStatement[] {
  const { name, standby, conductorArn, witnesses = [] } = settings;
  const stateTable = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  const votes = witnesses.map(
    (region) => `arn:aws:dynamodb:${region}:${account}:table/${voteTableName(name)}`,
  );
  return [
    ...(conductorArn === undefined
      ? []
      : [new PolicyStatement({ actions: ['states:StartExecution'], resources: [conductorArn] })]),
    ...(votes.length === 0 ? [] : [new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: votes })]),
    new PolicyStatement({
      actions: ['dynamodb:PutItem'],
      resources: [stateTable],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [EPOCH_PARTITION, WOULD_PARTITION] },
      },
    }),
  ];
}
