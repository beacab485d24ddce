import type { ConsumerKind } from '../../lambda/core/consumers.ts';
import type { Right } from './right.ts';
import type { Where } from './where.ts';

/** A right of `consumers`, and of `doctor`, which asks the same with fewer calls. */
interface ConsumersRight extends Right {
  /** Of `consumers` alone. */
  readonly isDeep?: true;
}

export const has =
  (kind: ConsumerKind) =>
  ({ config }: Where): boolean =>
    config.cells.some(({ consumers = [] }) => consumers.some((one) => one.kind === kind));
export const hasUnnamed = ({ config }: Where): boolean =>
  config.cells.some(({ consumers }) => consumers === undefined);
export const hasAlarm = ({ config }: Where): boolean =>
  config.cells.some(({ consumers = [] }) => consumers.some(({ alarm }) => alarm !== undefined));

/** What `consumers` calls: reads of whatever reads the streams, in both regions, as far as the config names it. */
export const consumersRights: readonly ConsumersRight[] = [
  {
    actions: ['lambda:ListEventSourceMappings'],
    on: 'everything',
    when: (where) => has('lambda')(where) || hasUnnamed(where),
    why: 'the mappings on the streams; the action knows no resources',
  },
  {
    actions: ['lambda:GetFunctionConfiguration', 'lambda:GetFunctionConcurrency'],
    on: 'functions of consumers',
    when: has('lambda'),
    why: 'whether the function is there and may run',
  },
  {
    actions: ['kinesis:ListStreamConsumers'],
    on: 'streams',
    when: hasUnnamed,
    why: 'who is registered with a stream whose consumers the config does not name',
  },
  {
    actions: ['kinesis:DescribeStreamConsumer'],
    on: 'registered consumers',
    when: has('enhancedFanOut'),
    why: 'whether the consumer is registered',
  },
  {
    actions: ['dynamodb:DescribeTable', 'dynamodb:Scan'],
    on: 'lease tables of consumers',
    when: has('kcl'),
    why: 'the checkpoints of an application of the KCL, and whether its workers renew them',
  },
  {
    actions: ['firehose:DescribeDeliveryStream'],
    on: 'Firehose streams of consumers',
    when: has('firehose'),
    why: 'whether the Firehose stream runs, and what it reads',
  },
  {
    actions: ['cloudwatch:DescribeAlarms'],
    on: 'alarms',
    when: hasAlarm,
    why: 'the alarms of other consumers',
  },
  {
    isDeep: true,
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    why: 'how far behind consumers are; the action knows no resources',
  },
  {
    isDeep: true,
    actions: [
      'kinesis:DescribeStreamSummary',
      'kinesis:ListShards',
      'kinesis:GetShardIterator',
      'kinesis:GetRecords',
    ],
    on: 'streams',
    why: 'retention; whether there are records behind a checkpoint; whether the stream carries aggregates',
  },
];
