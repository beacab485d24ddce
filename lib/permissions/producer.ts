import { FLEET_KEY } from '../../lambda/core/beacon-item.ts';
import { hasBeacons, type Right } from './right.ts';

/** The policy variable that IAM replaces by the caller's own name, which is the partition key of its beacons. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in, not JavaScript.
export const USER_ID = '${aws:userid}';

/** What an application that writes needs: the streams of both regions, or the first put after a move is refused. */
export const producerRights: readonly Right[] = [
  {
    actions: ['kinesis:PutRecords', 'kinesis:PutRecord'],
    on: 'streams',
    why: '`FailoverProducer` puts with PutRecords; a client with `followSignal` with either',
  },
  {
    actions: ['kinesis:DescribeStreamSummary'],
    on: 'streams',
    why: '`FailoverProducer` asks whether a stream keeps keys together; without the right it takes for granted that each does',
  },
  {
    actions: ['kinesis:ListShards'],
    on: 'streams',
    why: 'with `aggregate`, `FailoverProducer` asks which keys belong to which shard; without the right it aggregates by key',
    notPlayed: 'the producers of drills put records one by one',
  },
];

/** What a producer that reports needs; the managed policy of the stacks says the same. */
export const beaconRights: readonly Right[] = [
  {
    actions: ['dynamodb:PutItem'],
    on: 'beacon table',
    partitions: [USER_ID],
    when: hasBeacons,
    why: 'reports how its own writes fare, under its own name',
  },
  {
    actions: ['dynamodb:GetItem'],
    on: 'beacon table',
    partitions: [FLEET_KEY.pk],
    when: hasBeacons,
    why: 'reads how many producers there are, for the interval of its reports',
  },
];
