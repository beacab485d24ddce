import { FLEET_KEY } from '../../lambda/core/beacon-item.ts';
import { CONSUMERS_PARTITION } from '../../lambda/core/consumer-digest.ts';
import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import { DEPLOYMENT_PARTITION } from '../../lambda/core/deployment-items.ts';
import { ENDPOINT_PARTITION } from '../../lambda/core/endpoint-items.ts';
import { EPOCH_PARTITION } from '../../lambda/core/epoch.ts';
import { JOURNAL_MARK_PARTITION, JOURNAL_PARTITION } from '../../lambda/core/journal.ts';
import { LEASE_PARTITION } from '../../lambda/core/lease.ts';
import {
  conductorFunctionName,
  drillFunctionName,
  guardFunctionName,
  monitorFunctionName,
  observerFunctionName,
  surveyFunctionName,
  switchFunctionName,
  voteFunctionName,
} from '../../lambda/core/names.ts';
import { RECURRING_PARTITION } from '../../lambda/core/recurring.ts';
import { CAPACITY_PARTITION } from '../../lambda/core/survey.ts';
import { SWITCH_PARTITION } from '../../lambda/core/switch.ts';
import { WOULD_PARTITION } from '../../lambda/core/would.ts';
import { probedCells } from '../config/probed-cells.ts';
import { siblingActions } from '../observers/sibling-actions.ts';
import { watchedCells } from '../settings/watched-cells.ts';
import { has, hasAlarm, hasUnnamed } from './consumers.ts';
import { hasBeacons, hasDrill, isStandby, type Right } from './right.ts';
import type { Where } from './where.ts';

const LATER = 'an hour, a week or a removed cell brings it, and a drill on one machine takes minutes';
const NOT_ASKED_FOR = 'the config of that drill does not ask for it';
const DEPLOYING = 'CloudFormation asks the guard while it deploys, and calls are recorded from then on';
const BY_AWS = 'AWS makes the calls, behind the API that LocalStack stands in for';

const log: Right = {
  actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  on: 'own log',
  why: 'the runtime of Lambda writes the log',
  notPlayed: BY_AWS,
};

const probes = ({ config }: Where): boolean => probedCells(config.cells).probed.length > 0;
const sibling = (name: keyof typeof siblingActions): Right => ({
  actions: [siblingActions[name]],
  on: 'everything',
  when: ({ config }) => config.policy.siblingProbes.includes(name),
  why: `\`policy.siblingProbes\` asks for ${name}: tells its outages from those of Kinesis`,
  notPlayed: NOT_ASKED_FOR,
});

const observer: readonly Right[] = [
  {
    actions: [
      'kinesis:PutRecord',
      'kinesis:PutRecords',
      'kinesis:GetShardIterator',
      'kinesis:GetRecords',
      'kinesis:DescribeStreamSummary',
    ],
    on: 'canaries',
    why: 'probes of both regions: puts, read-backs, and the control plane apart',
  },
  {
    actions: ['kinesis:PutRecord', 'kinesis:PutRecords'],
    on: 'probed streams',
    when: probes,
    why: 'marked records, into the streams of cells whose owners allow them',
  },
  {
    actions: ['cloudwatch:PutMetricData'],
    on: 'metrics of Spillway',
    why: 'a heartbeat in both regions, to see whether metrics get through',
  },
  {
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    why: 'reads the heartbeat again; the action knows no resources',
  },
  {
    actions: ['dynamodb:UpdateItem', 'dynamodb:PutItem'],
    on: 'own vote table',
    why: 'takes over from the last run, and stores evidence and vote',
  },
  {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    on: 'state table',
    why: 'what operators have said, and the position of each switch',
  },
  {
    actions: ['states:StartExecution'],
    on: 'conductor',
    when: isStandby,
    why: 'starts the conductor when DNS or K observers say that cells move',
  },
  {
    actions: ['dynamodb:GetItem'],
    on: 'vote tables of witnesses',
    when: isStandby,
    why: 'what the other observers say of single cells',
  },
  {
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [EPOCH_PARTITION, WOULD_PARTITION],
    when: isStandby,
    why: 'claims the number of an act, and records moves that the mode held back',
  },
  {
    actions: ['dynamodb:Scan'],
    on: 'beacon table',
    when: hasBeacons,
    why: 'what producers report',
    notPlayed: NOT_ASKED_FOR,
  },
  {
    actions: ['dynamodb:Scan'],
    on: 'index of beacons',
    when: hasBeacons,
    why: 'which producers report trouble',
    notPlayed: NOT_ASKED_FOR,
  },
  {
    actions: ['dynamodb:PutItem'],
    on: 'beacon table',
    partitions: [FLEET_KEY.pk],
    when: (where) => hasBeacons(where) && isStandby(where),
    why: 'tells producers how many they are',
    notPlayed: NOT_ASKED_FOR,
  },
  sibling('cognito'),
  sibling('lambda'),
  sibling('sqs'),
  log,
];

const vote: readonly Right[] = [
  { actions: ['dynamodb:GetItem'], on: 'own vote table', why: 'the vote that Route 53 asks for' },
  log,
];

const switches: readonly Right[] = [
  { actions: ['dynamodb:Query'], on: 'state table', why: 'the positions that Route 53 asks for' },
  log,
];

const hasAge = ({ kind }: ConsumerSpec): boolean => kind !== 'kcl' && kind !== 'other';

/** What the conductor asks about consumers of the standby after an evacuation. */
export const takersRights: readonly Right[] = [
  {
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    when: ({ config }) =>
      watchedCells(config).some(({ consumers }) => consumers === undefined || consumers.some(hasAge)),
    why: 'how old what consumers of the standby take is; the action knows no resources',
  },
  {
    actions: ['dynamodb:DescribeTable', 'dynamodb:Scan'],
    on: 'watched lease tables',
    when: ({ config }) =>
      watchedCells(config).some(({ consumers = [] }) => consumers.some(({ kind }) => kind === 'kcl')),
    why: 'the checkpoints of applications of the KCL in the standby',
  },
];

const conductor: readonly Right[] = [
  {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    on: 'state table',
    why: 'control, lease, claims, switches, capacities and drained cells',
  },
  {
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [SWITCH_PARTITION, JOURNAL_PARTITION, JOURNAL_MARK_PARTITION],
    why: 'latches switches, and journals',
  },
  {
    actions: ['dynamodb:UpdateItem'],
    on: 'state table',
    partitions: [LEASE_PARTITION],
    why: 'takes and releases the lease',
  },
  {
    actions: ['dynamodb:GetItem'],
    on: 'vote tables',
    why: 'what the observers say of the standby, and of the primary before a failback',
  },
  { actions: ['sns:Publish'], on: 'topic', why: 'tells people what it did' },
  {
    actions: ['kinesis:ListShards', 'kinesis:GetShardIterator', 'kinesis:GetRecords'],
    on: 'watched streams',
    why: 'looks whether records arrive in the standby',
  },
  ...takersRights,
  log,
];

const monitor: readonly Right[] = [
  { actions: ['dynamodb:GetItem'], on: 'vote tables', why: 'what each observer has stored' },
  {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    on: 'state table',
    why: 'switches, overrides, and when drills and surveys were',
  },
  {
    actions: ['dynamodb:UpdateItem'],
    on: 'state table',
    partitions: [RECURRING_PARTITION],
    why: 'since when drills and surveys are asked for',
  },
  log,
];

/** What the survey asks about consumers of the standby that the config names. */
export const surveyedConsumersRights: readonly Right[] = (
  [
    {
      actions: ['lambda:ListEventSourceMappings'],
      on: 'everything',
      when: (where) => has('lambda')(where) || hasUnnamed(where),
      why: 'the mappings on the streams of the standby; the action knows no resources',
    },
    {
      actions: ['lambda:GetFunctionConfiguration', 'lambda:GetFunctionConcurrency'],
      on: 'surveyed functions',
      when: has('lambda'),
      why: 'whether the functions are there and may run',
    },
    {
      actions: ['kinesis:DescribeStreamConsumer'],
      on: 'surveyed registered consumers',
      when: has('enhancedFanOut'),
      why: 'whether consumers are registered',
    },
    {
      actions: ['dynamodb:DescribeTable', 'dynamodb:Scan'],
      on: 'surveyed lease tables',
      when: has('kcl'),
      why: 'whether workers of the KCL renew their leases',
    },
    {
      actions: ['firehose:DescribeDeliveryStream'],
      on: 'surveyed Firehose streams',
      when: has('firehose'),
      why: 'whether Firehose streams run',
    },
    {
      actions: ['cloudwatch:DescribeAlarms'],
      on: 'alarms of the standby',
      when: hasAlarm,
      why: 'the alarms of other consumers',
    },
  ] as const satisfies readonly Right[]
).map((right) => ({ ...right, notPlayed: LATER }));

const survey: readonly Right[] = [
  {
    actions: ['kinesis:DescribeStreamSummary'],
    on: 'surveyed streams',
    why: 'how the streams of the cells are scaled',
    notPlayed: LATER,
  },
  {
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    why: 'the load that they had to take; the action knows no resources',
    notPlayed: LATER,
  },
  {
    actions: ['dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
    on: 'state table',
    partitions: [CAPACITY_PARTITION, CONSUMERS_PARTITION],
    why: 'stores what it saw for the time when the primary cannot be asked, and forgets removed cells',
    notPlayed: LATER,
  },
  {
    actions: ['kinesis:ListStreamConsumers'],
    on: 'surveyed streams',
    when: hasUnnamed,
    why: 'who is registered with a stream of the standby whose consumers the config does not name',
    notPlayed: LATER,
  },
  ...surveyedConsumersRights,
  {
    actions: ['dynamodb:UpdateItem'],
    on: 'state table',
    partitions: [RECURRING_PARTITION],
    why: 'when it was done last',
    notPlayed: LATER,
  },
  log,
];

const drill: readonly Right[] = (
  [
    { actions: ['dynamodb:GetItem'], on: 'vote tables', why: 'whether an observer objects' },
    {
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      on: 'state table',
      why: 'overrides, lease, claims, and the switch of the cell',
    },
    {
      actions: ['dynamodb:PutItem'],
      on: 'state table',
      partitions: [EPOCH_PARTITION, JOURNAL_PARTITION],
      why: 'claims its acts, and journals the result',
    },
    { actions: ['states:StartExecution'], on: 'conductor', why: 'has the cell moved, and moved back' },
    { actions: ['states:DescribeExecution'], on: 'runs of the drill', why: 'waits for both runs' },
    {
      actions: ['kinesis:PutRecords'],
      on: 'streams of the drill cell',
      why: 'its producer writes where the signal says',
    },
    {
      actions: ['kinesis:DescribeStreamSummary'],
      on: 'streams of the drill cell',
      why: 'its producer asks whether the streams keep keys together',
    },
    {
      actions: ['kinesis:ListShards', 'kinesis:GetShardIterator', 'kinesis:GetRecords'],
      on: 'streams of the drill cell',
      why: 'reads both streams and counts',
    },
  ] as const satisfies readonly Right[]
).map((right) => ({ ...right, notPlayed: LATER }));

const guard: readonly Right[] = (
  [
    {
      actions: ['dynamodb:Query'],
      on: 'state table',
      partitions: [DEPLOYMENT_PARTITION, ENDPOINT_PARTITION, SWITCH_PARTITION],
      why: 'what is in force, and the position of each switch',
    },
    {
      actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
      on: 'state table',
      partitions: [DEPLOYMENT_PARTITION, ENDPOINT_PARTITION],
      why: 'stores what a deployment has put in force',
    },
    {
      actions: ['route53:GetHealthCheckStatus'],
      on: 'health checks',
      why: 'whether new health checks have data, before anything refers to them',
    },
    {
      actions: ['cloudformation:DescribeStacks'],
      on: 'stacks of the routing',
      why: 'whether CloudFormation is undoing what the guard has consented to',
    },
  ] as const satisfies readonly Right[]
).map((right) => ({ ...right, notPlayed: DEPLOYING }));

/** The role of the state machine: what AWS asks for, of what the machine is made of. */
export const machineRights: readonly Right[] = (
  [
    { actions: ['lambda:InvokeFunction'], on: 'step of the conductor', why: 'each step is a call of it' },
    {
      actions: ['states:StartExecution'],
      on: 'conductor',
      why: 'the latch is a Distributed Map, whose batches are executions',
    },
    {
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      on: 'runs of the conductor',
      why: 'the map looks after its batches',
    },
    { actions: ['states:RedriveExecution'], on: 'runs of a map', why: 'the map can be redriven' },
    {
      actions: [
        'logs:CreateLogDelivery',
        'logs:GetLogDelivery',
        'logs:UpdateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:ListLogDeliveries',
        'logs:PutResourcePolicy',
        'logs:DescribeResourcePolicies',
        'logs:DescribeLogGroups',
      ],
      on: 'everything',
      why: '"Logging using CloudWatch Logs", AWS Step Functions Developer Guide',
    },
    {
      actions: [
        'xray:PutTraceSegments',
        'xray:PutTelemetryRecords',
        'xray:GetSamplingRules',
        'xray:GetSamplingTargets',
      ],
      on: 'everything',
      why: '"Trace data with AWS X-Ray", AWS Step Functions Developer Guide',
    },
  ] as const satisfies readonly Right[]
).map((right) => ({ ...right, notPlayed: BY_AWS }));

export interface FunctionRights {
  /** Begins the name of the caller in the record of calls: `observer us-west-2`. */
  readonly who: string;
  readonly functionName: (name: string) => string;
  /** In the standby alone, or in every observer's region. */
  readonly in: 'standby' | 'observers';
  readonly when?: (where: Where) => boolean;
  readonly rights: readonly Right[];
}

/** Every function, and all that it calls. */
export const functions: readonly FunctionRights[] = [
  { who: 'observer', functionName: observerFunctionName, in: 'observers', rights: observer },
  { who: 'vote', functionName: voteFunctionName, in: 'observers', rights: vote },
  { who: 'switch', functionName: switchFunctionName, in: 'standby', rights: switches },
  { who: 'conductor', functionName: conductorFunctionName, in: 'standby', rights: conductor },
  { who: 'monitor', functionName: monitorFunctionName, in: 'standby', rights: monitor },
  { who: 'survey', functionName: surveyFunctionName, in: 'standby', rights: survey },
  {
    who: 'guard',
    functionName: guardFunctionName,
    in: 'standby',
    rights: [...guard, log],
  },
  {
    who: 'drill',
    functionName: drillFunctionName,
    in: 'standby',
    when: hasDrill,
    rights: [...drill, log],
  },
];
