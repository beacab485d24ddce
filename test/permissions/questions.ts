import {
  type Bound,
  boundKeys,
  hasManyValues,
  type Requirement,
} from '../../lib/permissions/requirements.ts';
import type { Asked } from './judge.ts';

/** A call that IAM is asked about, and whether a role should be allowed it. */
export interface Question extends Asked {
  readonly bounds: Readonly<Partial<Record<Bound, string>>>;
}

/** What a pattern of the tables stands for in a call. */
const instance = (arn: string): string => {
  if (arn === '*') return arn;
  return arn.includes(':log-group:') ? arn.replace(/\*$/, 'log-stream:one') : arn.replaceAll('*', 'one');
};
const matches = (pattern: string, arn: string): boolean =>
  new RegExp(`^${pattern.split('*').map(RegExp.escape).join('.*')}$`).test(arn);

/** Values that nobody is to be allowed. */
const strange: Readonly<Record<Bound, string>> = {
  partition: 'nobody',
  namespace: 'Nobody',
  via: 's3.us-east-1.amazonaws.com',
  recordName: 'orders.example.com',
  recordType: 'A',
  recordChange: 'UPSERT',
};
/** Which values of a bound a resource can meet; a strange one is always asked about. */
const makesSense: Readonly<Record<Bound, (resource: string, value: string) => boolean>> = {
  // Only the state table and that of the beacons have items of several owners.
  partition: (resource) => /-(state|beacons)$/.test(resource),
  namespace: () => true,
  // A key is used by the services of its own region.
  via: (resource, value) => value.includes(`.${resource.split(':')[3]}.`),
  recordName: () => true,
  recordType: () => true,
  recordChange: () => true,
};
/** Of each kind of resource, one in another region and one of another name. */
const elsewhere = (arn: string): readonly string[] => {
  if (arn === '*') return [];
  const [, , service = '', region = '', account = ''] = arn.split(':');
  const other = region === 'ap-south-1' ? 'eu-north-1' : 'ap-south-1';
  if (arn.includes(':hostedzone/')) return ['arn:aws:route53:::hostedzone/ZNOBODY'];
  if (service === 'kms') return [arn.replace(/key\/.*/, 'key/nobody')];
  if (service === 'kinesis') return [arn.replace(region, other), arn.replace(/stream\/.*/, 'stream/nobody')];
  if (service === 'dynamodb')
    return [arn.replace(region, other), arn.replace(/table\/[^/]*/, 'table/nobody')];
  return region === '' || account === '' ? [] : [arn.replace(`:${region}:`, `:${other}:`)];
};

const isBounded = (action: string, bound: Bound): boolean => {
  switch (bound) {
    case 'partition':
      return /^dynamodb:(Get|Put|Update|Delete)Item$|^dynamodb:Query$/.test(action);
    case 'namespace':
      return action === 'cloudwatch:PutMetricData';
    case 'via':
      return action.startsWith('kms:');
    case 'recordName':
    case 'recordType':
    case 'recordChange':
      return action === 'route53:ChangeResourceRecordSets';
    default:
      return bound satisfies never;
  }
};

/**
 * Everything that any of these roles is asked about: each action of any role, on each resource of any role and on some of
 * nobody, within each bound and outside. What a role may not do is as much a part of it as what it may.
 */
export function questionsOf(requirements: readonly Requirement[]): readonly Question[] {
  const actions = new Set(requirements.flatMap((one) => one.actions));
  return [...actions].flatMap((action) => {
    const resources = resourcesFor(action, requirements);
    const bounded = (Object.keys(boundKeys) as Bound[]).filter((each) => isBounded(action, each));
    return resources.flatMap((resource) =>
      combinations(bounded, (bound) => [
        ...valuesFor(bound, requirements).filter((value) => makesSense[bound](resource, value)),
        strange[bound],
      ]).map((bounds) => ({ action, resource, bounds, ...contextOf(bounds) })),
    );
  });
}

type Bounds = Question['bounds'];

/** One value of each bound, in every combination. */
const combinations = (
  bounded: readonly Bound[],
  valuesOf: (bound: Bound) => readonly string[],
): readonly Bounds[] =>
  bounded.reduce<readonly Bounds[]>(
    (all, bound) => all.flatMap((bounds) => valuesOf(bound).map((value) => ({ ...bounds, [bound]: value }))),
    [{}],
  );

function contextOf(bounds: Bounds): Pick<Question, 'context'> {
  const entries = Object.entries(bounds) as [Bound, string][];
  if (entries.length === 0) return {};
  const values = entries.map(([bound, value]) => [boundKeys[bound], hasManyValues(bound) ? [value] : value]);
  return { context: Object.fromEntries(values) };
}

/** The resources that may be asked about: those of the same kind, whoever's they are. */
function resourcesFor(action: string, requirements: readonly Requirement[]): readonly string[] {
  const same = requirements.filter(({ actions }) => actions.some((one) => kindOf(one) === kindOf(action)));
  const named = [...new Set(same.flatMap(({ resources }) => resources))].filter((arn) => fits(action, arn));
  return [...new Set([...named.map(instance), ...named.flatMap(elsewhere).map(instance)])];
}
const kindOf = (action: string): string => action.split(':')[0] ?? '';

/** Actions that know no resources are asked about everything, others never. */
function fits(action: string, arn: string): boolean {
  if (arn === '*') return withoutResources.test(action);
  if (withoutResources.test(action)) return false;
  if (kindOf(action) === 'route53')
    return arn.includes(healthChecks.test(action) ? ':healthcheck/' : ':hostedzone/');
  if (action === 'states:StartExecution') return arn.includes(':stateMachine:');
  if (action === 'states:RedriveExecution') return arn.includes(':execution:');
  if (action.startsWith('states:')) return arn.includes(':execution:');
  if (action === 'dynamodb:Scan' || action === 'dynamodb:Query') return true;
  return !arn.includes('/index/');
}
const healthChecks = /HealthCheck|ChangeTagsForResource/;
const withoutResources =
  /^(cloudwatch(?!:DescribeAlarms)|xray|cognito-idp|sqs):|^route53:(GetAccountLimit|ListHealthChecks|CreateHealthCheck)$|^logs:(?!CreateLogStream|PutLogEvents)|^lambda:(GetAccountSettings|ListEventSourceMappings)$/;

function valuesFor(bound: Bound, requirements: readonly Requirement[]): readonly string[] {
  return [...new Set(requirements.flatMap(({ bounds }) => bounds[bound] ?? []))];
}

/** Whether these requirements ask for the call. */
export const isAsked = (
  requirements: readonly Requirement[],
  { action, resource, bounds }: Question,
): boolean =>
  requirements.some(
    (one) =>
      one.actions.includes(action) &&
      one.resources.some((pattern) => matches(pattern, resource)) &&
      Object.entries(one.bounds).every(([bound, values]) => {
        const value = bounds[bound as Bound];
        return value !== undefined && values.includes(value);
      }),
  );
