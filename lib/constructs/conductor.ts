import { type CfnElement, Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { JOURNAL_MARK_PARTITION, JOURNAL_PARTITION } from '../../lambda/core/journal.ts';
import { LEASE_PARTITION } from '../../lambda/core/lease.ts';
import {
  conductorFunctionName,
  conductorMachineName,
  stateTableName,
  voteTableName,
} from '../../lambda/core/names.ts';
import { SWITCH_PARTITION } from '../../lambda/core/switch.ts';
import { reserves } from '../config/concurrency.ts';
import type { Config } from '../config/config.ts';
import type { StreamKey } from '../config/stream-keys.ts';
import { takersRights } from '../permissions/functions.ts';
import { requirementsOf } from '../permissions/requirements.ts';
import { CELLS_FILE, type DeployedCell, watchedStreams } from '../settings/cells-file.ts';
import { CONDUCTOR_SETTINGS, type ConductorSettings } from '../settings/conductor.ts';
import { conductorDefinition } from './conductor-definition.ts';
import { keyStatements } from './key-statements.ts';
import { SpillwayFunction } from './spillway-function.ts';

const TIMEOUT_SECONDS = 60;
/** The longest failback watches for 15 hours; a stage whose observers are unsure takes a quarter more. */
const RUN_TIMEOUT = Duration.hours(24);
const MEMORY_MIB = 512;

export interface ConductorProps {
  readonly settings: Omit<ConductorSettings, 'topicArn'>;
  readonly cells: readonly DeployedCell[];
  /** The customer-managed keys of the streams in which it looks for arriving records. */
  readonly keys: readonly StreamKey[];
  readonly topic: Topic;
  readonly config: Config;
}

/** The workflow of the standby that latches, verifies, records and notifies. */
export class Conductor extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: ConductorProps) {
    super(scope, id);
    const { name, standby } = props.settings;
    const settings: ConductorSettings = { ...props.settings, topicArn: props.topic.topicArn };
    const step = new SpillwayFunction(this, 'Step', {
      functionName: conductorFunctionName(name),
      handler: 'conductor',
      description: `Spillway: one step of an evacuation to ${standby}, or of a failback.`,
      environment: { [CONDUCTOR_SETTINGS]: Stack.of(this).toJsonString(settings) },
      files: { [CELLS_FILE]: JSON.stringify(props.cells) },
      statements: [
        ...statements(settings, watchedStreams(props.cells), Stack.of(this).account),
        ...requirementsOf(takersRights, {
          config: props.config,
          account: Stack.of(this).account,
          region: standby,
        }).map(
          ({ actions, resources }) =>
            new PolicyStatement({ actions: [...actions], resources: [...resources] }),
        ),
        ...keyStatements(props.keys, ['kms:Decrypt']),
      ],
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: reserves.conductor,
    });
    const logs = new LogGroup(this, 'Log', {
      logGroupName: `/aws/vendedlogs/states/${conductorMachineName(name)}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: conductorMachineName(name),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromChainable(conductorDefinition(this, step.lambda)),
      // The state contains names of cells and reasons of people, which may be logged.
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: true },
      tracingEnabled: true,
      timeout: RUN_TIMEOUT,
    });
    acknowledge(this.machine, step);
  }
}

/** Acknowledges the wildcards that Step Functions asks for, with the reason why each cannot be a name. */
function acknowledge(machine: StateMachine, step: SpillwayFunction): void {
  const { region, account } = Stack.of(machine);
  const idOf = (construct: Construct): string =>
    Stack.of(machine).resolve((construct.node.defaultChild as CfnElement).logicalId);
  const machineName = `{"Fn::Select":[6,{"Fn::Split":[":",{"Ref":"${idOf(machine)}"}]}]}`;
  const executions = `arn:aws:states:${region}:${Token.isUnresolved(account) ? '<AWS::AccountId>' : account}:execution:${machineName}`;
  const map = machine.node.findChild('DistributedMapPolicy');
  const ofMap = 'A Distributed Map looks after the executions it starts, which get their names as it runs.';
  const findings: readonly (readonly [Construct, string, string])[] = [
    [machine.role, '*', 'Log delivery and X-Ray have no resources that could be named.'],
    [step.role, '*', 'GetMetricData has no resources; it only reads.'],
    [machine.role, `<${idOf(step.lambda)}.Arn>:*`, 'Versions of the one function that is named.'],
    [map, `${executions}:*`, ofMap],
    [map, `${executions}/*:*`, ofMap],
  ];
  for (const [construct, resource, reason] of findings) {
    Validations.of(construct).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`,
      reason,
    });
  }
}

const writing = (action: string, table: string, partitions: readonly string[]): PolicyStatement =>
  new PolicyStatement({
    actions: [action],
    resources: [table],
    conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': partitions } },
  });

/** The rights of a step: none in the primary, and none on a control plane. */
function statements(
  settings: ConductorSettings,
  watched: readonly string[],
  account: string,
): PolicyStatement[] {
  const { name, standby, observers, topicArn } = settings;
  const table = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
  const votes = observers.map(
    (region) => `arn:aws:dynamodb:${region}:${account}:table/${voteTableName(name)}`,
  );
  const streams = watched.map((stream) =>
    stream.startsWith('arn:') ? stream : `arn:aws:kinesis:${standby}:${account}:stream/${stream}`,
  );
  return [
    new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [table] }),
    // The conductor only reads what operators set, above all a pause.
    writing('dynamodb:PutItem', table, [SWITCH_PARTITION, JOURNAL_PARTITION, JOURNAL_MARK_PARTITION]),
    writing('dynamodb:UpdateItem', table, [LEASE_PARTITION]),
    new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: votes }),
    new PolicyStatement({ actions: ['sns:Publish'], resources: [topicArn] }),
    ...(streams.length === 0
      ? []
      : [
          new PolicyStatement({
            actions: ['kinesis:ListShards', 'kinesis:GetShardIterator', 'kinesis:GetRecords'],
            resources: streams,
          }),
        ]),
  ];
}
