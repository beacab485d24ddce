import type { ResourceChange, ResourceChangeKind } from './template.ts';

/**
 * What the change of a resource does to traffic. `none`: nothing. `waits`: nothing, because what is new has
 * data before anything follows it. `answers`: DNS answers change as the config asks, within the same region.
 */
export const trafficEffects = ['none', 'waits', 'answers'] as const;
export type TrafficEffect = (typeof trafficEffects)[number];

interface EffectRow {
  /** A type of resource, or the beginning of one, with a full stop or colon at its end. */
  readonly type: string;
  readonly kinds: readonly ResourceChangeKind[];
  /** The row is for a change of one of these properties alone. Absent: for every change. */
  readonly properties?: readonly string[];
  readonly traffic: TrafficEffect;
  readonly means: string;
}

const any: readonly ResourceChangeKind[] = ['added', 'changed', 'removed'];

/** The first row that fits is the effect; the last row fits everything. */
export const effectRows: readonly EffectRow[] = [
  {
    type: 'AWS::Route53::HealthCheck',
    kinds: ['added'],
    traffic: 'waits',
    means: 'a new check: the deployment waits until it has data, before anything refers to it',
  },
  {
    type: 'AWS::Route53::HealthCheck',
    kinds: ['removed'],
    traffic: 'none',
    means: 'a check goes after everything that referred to it, or with its cell',
  },
  {
    type: 'AWS::Route53::HealthCheck',
    kinds: ['changed'],
    traffic: 'waits',
    means: 'the check asks otherwise, or is replaced by one that has data before anything refers to it',
  },
  {
    type: 'AWS::Route53::RecordSet',
    kinds: ['added'],
    traffic: 'answers',
    means: 'a name answers that had no answer',
  },
  {
    type: 'AWS::Route53::RecordSet',
    kinds: ['removed'],
    traffic: 'answers',
    means: 'a name stops answering',
  },
  {
    type: 'AWS::Route53::RecordSet',
    kinds: ['changed'],
    properties: ['TTL'],
    traffic: 'none',
    means: 'the same answer, kept for another time',
  },
  {
    type: 'AWS::Route53::RecordSet',
    kinds: ['changed'],
    properties: ['HealthCheckId'],
    traffic: 'waits',
    means: 'the name follows another check, once that has data',
  },
  {
    type: 'AWS::Route53::RecordSet',
    kinds: ['changed'],
    traffic: 'answers',
    means: 'the answer changes as the config asks',
  },
  {
    type: 'Custom::SpillwayDeploymentGuard',
    kinds: any,
    traffic: 'waits',
    means: 'the guard looks before anything that traffic follows is changed',
  },
  {
    type: 'AWS::Lambda::Function',
    kinds: ['added'],
    traffic: 'none',
    means: 'a new function',
  },
  {
    type: 'AWS::Lambda::Function',
    kinds: ['changed'],
    traffic: 'none',
    means: 'other code or settings, in place: calls go on',
  },
  {
    type: 'AWS::Lambda::Function',
    kinds: ['removed'],
    traffic: 'none',
    means: 'a function goes',
  },
  {
    type: 'AWS::Lambda::Url',
    kinds: any,
    traffic: 'none',
    means: 'another host: checks ask it once it answers',
  },
  {
    type: 'AWS::Kinesis::Stream',
    kinds: ['removed'],
    traffic: 'none',
    means: 'the stream stays, with its records, and is no longer Spillway’s',
  },
  { type: 'AWS::Kinesis::', kinds: any, traffic: 'none', means: 'streams' },
  { type: 'AWS::DynamoDB::', kinds: any, traffic: 'none', means: 'tables, which keep their items' },
  { type: 'AWS::IAM::', kinds: any, traffic: 'none', means: 'rights of the functions' },
  {
    type: 'AWS::StepFunctions::',
    kinds: any,
    traffic: 'none',
    means: 'runs that have begun end as they began; later ones are new',
  },
  { type: 'AWS::CloudWatch::', kinds: any, traffic: 'none', means: 'alarms and the dashboard' },
  { type: '', kinds: any, traffic: 'none', means: 'nothing that traffic depends on' },
];

/** What this change does to traffic, by the table. */
export function effectOf({ type, kind, properties }: ResourceChange): Pick<EffectRow, 'traffic' | 'means'> {
  const row = effectRows.find(
    (each) =>
      type.startsWith(each.type) &&
      each.kinds.includes(kind) &&
      (each.properties === undefined ||
        (properties.length > 0 && properties.every((name) => each.properties?.includes(name)))),
  );
  // The last row fits everything.
  return row ?? { traffic: 'none', means: '' };
}

/**
 * Types whose change leaves an observer as it is: it neither runs other code nor sees, stores or says anything
 * else.
 */
const besideObservers: readonly string[] = [
  'AWS::CloudWatch::',
  'AWS::SNS::',
  'AWS::Logs::',
  'AWS::Kinesis::',
  'AWS::CDK::Metadata',
];

export const changesObserver = ({ type }: ResourceChange): boolean =>
  !besideObservers.some((beginning) => type.startsWith(beginning));
