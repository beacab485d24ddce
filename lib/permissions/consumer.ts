import type { Right } from './right.ts';

/** What reads the streams of the cells, in both regions: consumers in the standby run always. */
export const consumerRights: readonly Right[] = [
  {
    actions: [
      'kinesis:DescribeStreamSummary',
      'kinesis:ListShards',
      'kinesis:GetShardIterator',
      'kinesis:GetRecords',
    ],
    on: 'streams',
    why: 'finds the shards and reads them',
  },
  {
    actions: ['kinesis:RegisterStreamConsumer'],
    on: 'streams',
    when: ({ fanOut }) => fanOut !== undefined,
    why: 'enhanced fan-out: registers the consumer',
  },
  {
    actions: ['kinesis:DescribeStreamConsumer', 'kinesis:SubscribeToShard'],
    on: 'stream consumers',
    when: ({ fanOut }) => fanOut !== undefined,
    why: 'enhanced fan-out: is pushed the records',
  },
  {
    actions: ['kinesis:DescribeStream'],
    on: 'streams',
    when: ({ kcl }) => kcl !== undefined,
    why: 'the KCL looks whether the stream is active',
  },
  {
    actions: [
      'dynamodb:CreateTable',
      'dynamodb:DescribeTable',
      'dynamodb:UpdateTable',
      'dynamodb:Scan',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
    ],
    on: 'lease tables',
    when: ({ kcl }) => kcl !== undefined,
    why: 'leases, worker metrics and coordinator state of the KCL, in each region',
  },
  {
    actions: ['dynamodb:Query'],
    on: 'indexes of lease tables',
    when: ({ kcl }) => kcl !== undefined,
    why: 'leases by their owner (KCL 3)',
  },
  {
    actions: ['cloudwatch:PutMetricData'],
    on: 'metrics of the KCL',
    when: ({ kcl }) => kcl !== undefined,
    why: 'metrics of the KCL, in the namespace of the application',
  },
];
