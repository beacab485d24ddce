import type { ExperimentName } from '../assumptions/experiments.ts';

/** A right that an experiment needs, beside those of `status` and, for `move`, of `drill --aws`. */
export interface ProveRight {
  readonly action: string;
  /** The resource: NAME is the deployment's name, ZONE the id of the hosted zone. `*`: the action knows no resource. */
  readonly on: string;
  readonly in: 'primary and standby' | 'standby' | 'observers' | 'Route 53';
}

/** What the experiments call, by experiment; docs/cli.md lists the same. */
export const proveRights = {
  deployment: [
    { action: 'dynamodb:Query', on: 'table/NAME-state', in: 'standby' },
    { action: 'lambda:GetFunctionUrlConfig', on: 'function:NAME-vote', in: 'observers' },
    { action: 'route53:GetHealthCheck', on: 'healthcheck/*', in: 'Route 53' },
    { action: 'logs:FilterLogEvents', on: 'log-group:/aws/lambda/NAME-guard', in: 'standby' },
  ],
  endpoints: [{ action: 'dynamodb:Query', on: 'table/NAME-state', in: 'standby' }],
  canary: [
    { action: 'kinesis:PutRecord', on: 'stream/NAME-canary', in: 'primary and standby' },
    { action: 'kinesis:GetShardIterator', on: 'stream/NAME-canary', in: 'primary and standby' },
    { action: 'kinesis:GetRecords', on: 'stream/NAME-canary', in: 'primary and standby' },
  ],
  cbor: [{ action: 'kinesis:PutRecords', on: 'stream/NAME-canary', in: 'primary and standby' }],
  'start-key': [
    // Of the table of beacons where there is one, else of the state table.
    { action: 'dynamodb:Scan', on: 'table/NAME-beacons', in: 'standby' },
    { action: 'dynamodb:Scan', on: 'table/NAME-state', in: 'standby' },
  ],
  metrics: [{ action: 'cloudwatch:GetMetricData', on: '*', in: 'primary and standby' }],
  resolver: [],
  votes: [{ action: 'dynamodb:GetItem', on: 'table/NAME-vote', in: 'observers' }],
  'health-check': [
    { action: 'dynamodb:Query', on: 'table/NAME-state', in: 'standby' },
    { action: 'route53:ListHealthChecks', on: '*', in: 'Route 53' },
    { action: 'route53:CreateHealthCheck', on: '*', in: 'Route 53' },
    { action: 'route53:UpdateHealthCheck', on: 'healthcheck/*', in: 'Route 53' },
    { action: 'route53:DeleteHealthCheck', on: 'healthcheck/*', in: 'Route 53' },
    { action: 'route53:ChangeTagsForResource', on: 'healthcheck/*', in: 'Route 53' },
    { action: 'route53:GetHealthCheckStatus', on: 'healthcheck/*', in: 'Route 53' },
    { action: 'route53:ListResourceRecordSets', on: 'hostedzone/ZONE', in: 'Route 53' },
    { action: 'route53:ChangeResourceRecordSets', on: 'hostedzone/ZONE', in: 'Route 53' },
  ],
  move: [],
} as const satisfies Readonly<Record<ExperimentName, readonly ProveRight[]>>;
