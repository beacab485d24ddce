import { proveRecordName, proveTargetName } from '../../lambda/core/names.ts';
import type { ExperimentName } from '../assumptions/experiments.ts';
import { hasBeacons, type Right } from './right.ts';
import type { Where } from './where.ts';

/** A right that experiments of `spillway prove` need, beside those of `status` and, for `move`, of `drill --aws`. */
export interface ProveRight extends Right {
  readonly experiments: readonly ExperimentName[];
}

const own = ({ config: { name, zone } }: Where): readonly string[] =>
  [proveRecordName, proveTargetName].map((nameOf) => nameOf(name, zone.name));

/** What the experiments call: docs/assumptions.md and the rights of the verb `prove` are made of it. */
export const proveRights: readonly ProveRight[] = [
  {
    experiments: ['deployment'],
    actions: ['lambda:GetFunctionUrlConfig'],
    on: 'vote functions',
    why: 'whether the check of each vote asks its present function URL',
  },
  {
    experiments: ['deployment'],
    actions: ['route53:GetHealthCheck'],
    on: 'health checks',
    why: 'the host that the check of each vote asks',
  },
  {
    experiments: ['deployment'],
    actions: ['logs:FilterLogEvents'],
    on: 'log of the guard',
    why: 'whether a query of the guard was refused',
  },
  {
    experiments: ['canary'],
    actions: ['kinesis:PutRecord', 'kinesis:GetShardIterator', 'kinesis:GetRecords'],
    on: 'canaries',
    why: 'puts records of its own, and reads them back',
  },
  {
    experiments: ['cbor'],
    actions: ['kinesis:PutRecords'],
    on: 'canaries',
    why: 'puts a record in CBOR',
  },
  {
    experiments: ['start-key'],
    actions: ['dynamodb:Scan'],
    on: 'beacon table',
    when: hasBeacons,
    why: 'one item, from a key that is not there',
  },
  {
    experiments: ['start-key'],
    actions: ['dynamodb:Scan'],
    on: 'state table',
    when: (where) => !hasBeacons(where),
    why: 'the same, where there is no table of beacons',
  },
  {
    experiments: ['metrics'],
    actions: ['cloudwatch:GetMetricData'],
    on: 'everything',
    why: 'how old the heartbeats of observers are; the action knows no resources',
  },
  {
    experiments: ['health-check'],
    actions: ['route53:ListHealthChecks', 'route53:CreateHealthCheck'],
    on: 'everything',
    why: 'its health check, and what an earlier run has left; the actions know no resources',
  },
  {
    experiments: ['health-check'],
    actions: [
      'route53:UpdateHealthCheck',
      'route53:DeleteHealthCheck',
      'route53:ChangeTagsForResource',
      'route53:GetHealthCheckStatus',
    ],
    on: 'health checks',
    why: 'changes, watches and deletes its health check, whose id Route 53 chooses',
  },
  {
    experiments: ['health-check'],
    actions: ['route53:ListResourceRecordSets'],
    on: 'hosted zone',
    why: 'whether its names are free, or have what an earlier run has left',
  },
  {
    experiments: ['health-check'],
    actions: ['route53:ChangeResourceRecordSets'],
    on: 'hosted zone',
    records: {
      said: 'TXT records `prove-NAME.ZONE` and `primary.prove-NAME.ZONE`',
      names: own,
      types: ['TXT'],
      changes: ['CREATE', 'DELETE'],
    },
    why: 'creates its own records, and deletes them',
  },
];
