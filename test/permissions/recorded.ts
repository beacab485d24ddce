import type { Call } from '../../lib/aws/call-log.ts';
import { serviceOf } from '../../lib/operate/audit-rules.ts';
import type { Bound, Requirement } from '../../lib/permissions/requirements.ts';

/** A recorded call as IAM would be asked about it. */
export interface AskedCall {
  readonly action: string;
  readonly region: string;
  /** Absent: the request names none, like the iterator of GetRecords. */
  readonly resource?: string;
  readonly bounds: Readonly<Partial<Record<Bound, string>>>;
}

/** IAM's names of services, where they differ from those of the record. */
const prefixes: Readonly<Record<string, string>> = {
  cloudwatchlogs: 'logs',
  eventbridge: 'events',
  cognito: 'cognito-idp',
};
/** Operations that need no permission ("Actions, resources, and condition keys for AWS Security Token Service"). */
const free = new Set(['sts:GetCallerIdentity']);

export function askedOf(call: Omit<Call, 'who'>, account: string): AskedCall | undefined {
  const service = serviceOf(call);
  const prefix = prefixes[service] ?? service;
  const action = `${prefix}:${call.operation}`;
  if (free.has(action)) return undefined;
  const { region, resource, partition, namespace } = call;
  return {
    action,
    region,
    ...(resource === undefined ? {} : { resource: arnOf(prefix, { region, account, resource }) }),
    bounds: {
      ...(partition === undefined ? {} : { partition }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

function arnOf(
  prefix: string,
  {
    region,
    account,
    resource,
  }: { readonly region: string; readonly account: string; readonly resource: string },
): string {
  if (prefix === 'route53') return `arn:aws:route53:::${resource}`;
  return `arn:aws:${prefix}:${region}:${account}:${resource}${prefix === 'logs' ? ':log-stream:one' : ''}`;
}

const matches = (pattern: string, arn: string): boolean =>
  pattern === '*' || new RegExp(`^${pattern.split('*').map(RegExp.escape).join('.*')}$`).test(arn);
const regionOf = (arn: string): string => arn.split(':')[3] ?? '';

/** Whether a requirement is about this call. What a request does not name is not compared. */
export const isAbout = (requirement: Requirement, { action, region, resource, bounds }: AskedCall): boolean =>
  requirement.actions.includes(action) &&
  requirement.resources.some((pattern) =>
    resource === undefined
      ? pattern === '*' || regionOf(pattern) === '' || regionOf(pattern) === region
      : matches(pattern, resource),
  ) &&
  Object.entries(requirement.bounds).every(([bound, values]) => {
    const value = bounds[bound as Bound];
    return value !== undefined && values.includes(value);
  });

export const inWords = ({ action, region, resource, bounds }: AskedCall): string =>
  [action, 'on', resource ?? `something in ${region}`, ...Object.values(bounds)].join(' ');
