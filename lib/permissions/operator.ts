import { controlKey } from '../../lambda/core/control.ts';
import { EPOCH_PARTITION } from '../../lambda/core/epoch.ts';
import { JOURNAL_PARTITION } from '../../lambda/core/journal.ts';
import { LEASE_PARTITION } from '../../lambda/core/lease.ts';
import { DRAINED_PARTITION } from '../../lambda/core/survey.ts';
import { SWITCH_PARTITION } from '../../lambda/core/switch.ts';
import { consumersRights } from './consumers.ts';
import { proveRights } from './prove.ts';
import { hasDrill, hasLeaseTables, type Right } from './right.ts';

/** The verbs of the command line that call AWS with an operator's credentials. */
export const operatorVerbs = [
  'status',
  'why',
  'history',
  'failover',
  'failback',
  'approve',
  'pause',
  'resume',
  'maintenance',
  'ack',
  'drained',
  'doctor',
  'consumers',
  'drill',
  'stranded',
  'drain',
  'deploy',
  'prove',
] as const;
export type OperatorVerb = (typeof operatorVerbs)[number];

/** Of a policy for which no verbs are named. `prove` creates and deletes at Route 53, so whoever wants it names it. */
export const usualVerbs = operatorVerbs.filter((verb) => verb !== 'prove');

export interface VerbRight extends Right {
  readonly verbs: readonly OperatorVerb[];
}

const overrides = ['approve', 'pause', 'resume', 'maintenance'] as const;
/** `consumers` reads streams and consumers, and nothing of Spillway's own. */
const everyLook = operatorVerbs.filter((verb) => verb !== 'consumers');
const moves = ['failover', 'failback', 'drill', 'prove'] as const;

/**
 * Everything that the verbs call. `sts:GetCallerIdentity`, which they call too, needs no permission, and nothing is asked of
 * a global control plane but by `doctor`, `deploy` and `prove`.
 */
export const operatorRights: readonly VerbRight[] = [
  {
    verbs: everyLook,
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    on: 'state table',
    why: 'switches, overrides, lease, claims, journal, what is known of streams and of drains',
  },
  {
    verbs: ['status', 'why', 'failover', 'failback', 'doctor', 'drill', 'deploy', 'prove'],
    actions: ['dynamodb:GetItem'],
    on: 'vote tables',
    why: 'what each observer has stored',
  },
  {
    verbs: ['why'],
    actions: ['logs:FilterLogEvents'],
    on: 'logs of observers',
    why: '`why --at`: what the observers said at a past time',
  },
  {
    verbs: [...overrides],
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [controlKey.pk],
    why: 'writes and ends overrides',
  },
  {
    verbs: ['drained', 'drain'],
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [DRAINED_PARTITION],
    why: 'marks cells whose stranded records have been read',
  },
  {
    verbs: [...moves],
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [EPOCH_PARTITION],
    why: 'claims the number of the act',
  },
  {
    verbs: [...overrides, ...moves, 'ack', 'drained', 'drain'],
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [JOURNAL_PARTITION],
    why: 'journals what was done, by whom and why',
  },
  {
    verbs: ['failover', 'failback'],
    actions: ['dynamodb:PutItem'],
    on: 'state table',
    partitions: [SWITCH_PARTITION],
    why: '`failover --direct` latches without the conductor; `failback --removed` releases what removed cells left',
  },
  {
    verbs: ['failover'],
    actions: ['dynamodb:UpdateItem'],
    on: 'state table',
    partitions: [LEASE_PARTITION],
    why: '`failover --direct` fences what is older',
  },
  {
    verbs: [...moves],
    actions: ['states:StartExecution'],
    on: 'conductor',
    why: 'starts the conductor',
  },
  {
    verbs: [...moves],
    actions: ['states:DescribeExecution'],
    on: 'runs of the conductor',
    why: 'waits for its run',
  },
  {
    verbs: ['doctor'],
    actions: ['kinesis:DescribeStreamSummary'],
    on: 'canaries',
    why: 'whether the canaries exist, with enough shards',
  },
  {
    verbs: ['doctor'],
    actions: ['kinesis:DescribeStreamSummary'],
    on: 'streams',
    why: 'whether each stream exists in both regions, and how they are scaled',
  },
  {
    verbs: ['doctor'],
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    why: 'the load of the streams; the action knows no resources',
  },
  {
    verbs: ['doctor'],
    actions: ['lambda:GetFunctionConfiguration'],
    on: 'observers',
    why: 'whether all observers run the same code and policy',
  },
  {
    verbs: ['doctor'],
    actions: ['lambda:GetFunctionConcurrency'],
    on: 'functions',
    why: 'what is reserved already, of what the config reserves',
  },
  {
    verbs: ['doctor'],
    actions: ['lambda:GetAccountSettings'],
    on: 'everything',
    why: 'the concurrent executions of the account; the action knows no resources',
  },
  {
    verbs: ['doctor'],
    actions: ['lambda:GetFunctionUrlConfig'],
    on: 'public endpoints',
    why: 'if an endpoint is in trouble: whether its health check asks the present function URL',
  },
  {
    verbs: ['doctor'],
    actions: ['sns:ListSubscriptionsByTopic'],
    on: 'topics',
    why: 'whether anybody listens',
  },
  {
    verbs: ['doctor'],
    actions: ['route53:GetHostedZone'],
    on: 'hosted zone',
    why: 'the zone and its delegation',
  },
  {
    verbs: ['doctor'],
    actions: ['route53:GetAccountLimit'],
    on: 'everything',
    why: 'the quota of health checks; the action knows no resources',
  },
  ...consumersRights.map(
    ({ isDeep, ...right }): VerbRight => ({
      ...right,
      verbs: isDeep ? ['consumers'] : ['doctor', 'consumers'],
    }),
  ),
  {
    verbs: ['deploy'],
    actions: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate'],
    on: 'stacks',
    why: 'what is deployed, to compare it with; the CDK itself deploys, by its own roles',
  },
  {
    verbs: ['deploy'],
    actions: ['route53:ListResourceRecordSets'],
    on: 'hosted zone',
    why: 'whether names that it would create are there already',
  },
  {
    verbs: ['deploy'],
    actions: ['kinesis:DescribeStreamSummary'],
    on: 'streams',
    why: 'whether streams that it would create are there already',
  },
  {
    verbs: ['deploy'],
    actions: ['kinesis:DescribeStreamSummary'],
    on: 'canaries',
    why: 'the same',
  },
  {
    verbs: ['deploy'],
    actions: ['dynamodb:DescribeTable'],
    on: 'tables',
    why: 'whether tables that it would create are there already',
  },
  {
    verbs: ['doctor'],
    actions: ['iam:SimulatePrincipalPolicy'],
    on: 'roles and users',
    why: '`doctor --role`: what a role lacks',
  },
  {
    verbs: ['drill', 'prove'],
    actions: ['kinesis:PutRecords', 'kinesis:ListShards', 'kinesis:GetShardIterator', 'kinesis:GetRecords'],
    on: 'streams of the drill cell',
    when: hasDrill,
    why: '`drill --aws`: its producer writes, and both streams are read',
  },
  {
    verbs: ['drill', 'prove'],
    actions: ['cloudwatch:PutMetricData'],
    on: 'metrics of Spillway',
    when: hasDrill,
    why: '`drill --aws`: the result as metrics',
  },
  {
    verbs: ['drill'],
    actions: ['events:DescribeRule', 'events:EnableRule', 'events:DisableRule'],
    on: 'rule of the drill',
    when: hasDrill,
    why: '`drill --aws --schedule`: turns the weekly drill on and off',
  },
  {
    verbs: ['drain'],
    actions: [
      'kinesis:DescribeStreamSummary',
      'kinesis:ListShards',
      'kinesis:GetShardIterator',
      'kinesis:GetRecords',
      'kinesis:PutRecords',
    ],
    on: 'streams',
    why: 'reads the stranded records of one region, and looks for them and puts them in the other',
  },
  {
    verbs: ['stranded'],
    actions: [
      'kinesis:DescribeStreamSummary',
      'kinesis:ListShards',
      'kinesis:GetShardIterator',
      'kinesis:GetRecords',
    ],
    on: 'streams',
    why: 'counts what consumers have not read of the old streams',
  },
  {
    verbs: ['stranded', 'drain'],
    actions: ['dynamodb:DescribeTable', 'dynamodb:Scan'],
    on: 'lease tables of consumers',
    when: hasLeaseTables,
    why: 'where applications of the KCL stand in the old streams',
  },
  {
    verbs: ['stranded', 'drain'],
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    why: 'where consumers stand whose checkpoints nobody else can see; the action knows no resources',
  },
  ...proveRights.map((right): VerbRight => ({ ...right, verbs: ['prove'] })),
];

/** The rights that these verbs need. */
export const rightsOfVerbs = (verbs: readonly OperatorVerb[]): readonly VerbRight[] =>
  operatorRights.filter((right) => right.verbs.some((verb) => verbs.includes(verb)));
