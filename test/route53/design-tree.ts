import { type CalculatedCheck, checkerRegions, type EndpointCheck } from '../../lib/route53/health-check.ts';
import type { RecordSet } from '../../lib/route53/records.ts';

/** The records and checks that Spillway deploys for one cell, with three observers and two votes needed. */
export const zoneName = 'example.com';
export const signalName = 'signal.orders.example.com';
export const regionName = 'region.example.com';
export const serviceName = 'api.orders.example.com';
export const primarySignal = '"v=1; region=us-east-1; stream=orders"';
export const standbySignal = '"v=1; region=us-west-2; stream=orders"';
export const voteIds = ['vote-us-west-2', 'vote-us-east-2', 'vote-eu-west-1'] as const;

export function endpointCheck(id: string, changes: Partial<EndpointCheck> = {}): EndpointCheck {
  return {
    id,
    kind: 'endpoint',
    type: 'HTTPS_STR_MATCH',
    searchString: 'vote=EVACUATE',
    fqdn: `${id}.example.net`,
    port: 443,
    resourcePath: '/vote',
    inverted: true,
    disabled: false,
    requestIntervalSeconds: 10,
    failureThreshold: 1,
    regions: checkerRegions,
    enableSni: true,
    ...changes,
  } as EndpointCheck;
}

export function calculatedCheck(id: string, changes: Partial<CalculatedCheck> = {}): CalculatedCheck {
  return { id, kind: 'calculated', children: [], inverted: false, disabled: false, ...changes };
}

/** N = 3, K = 2: unhealthy when two of the three votes are, so N-K+1 = 2 must be healthy. */
export const quorum = calculatedCheck('quorum', { children: voteIds, healthThreshold: 2 });
export const switchCheck = endpointCheck('switch-orders', {
  searchString: 'switch=STANDBY',
  resourcePath: '/cells/orders',
  failureThreshold: 3,
});
export const designChecks = [...voteIds.map((id) => endpointCheck(id)), quorum, switchCheck];

const values = (...texts: readonly string[]): RecordSet['data'] => ({
  kind: 'values',
  ttlSeconds: 5,
  values: texts,
});

/** One name of the tree: PRIMARY needs the quorum and the switch, SECONDARY needs nothing. */
function followsSwitch(
  name: string,
  type: 'TXT' | 'CNAME',
  targets: { readonly primary: string; readonly standby: string },
): readonly RecordSet[] {
  return [
    {
      name,
      type,
      routing: { policy: 'failover', role: 'PRIMARY' },
      setIdentifier: 'primary',
      healthCheckId: quorum.id,
      data: { kind: 'alias', target: `primary.${name}`, evaluateTargetHealth: true },
    },
    {
      name,
      type,
      routing: { policy: 'failover', role: 'SECONDARY' },
      setIdentifier: 'secondary',
      data: values(targets.standby),
    },
    {
      name: `primary.${name}`,
      type,
      routing: { policy: 'weighted', weight: 1 },
      setIdentifier: 'primary',
      healthCheckId: switchCheck.id,
      data: values(targets.primary),
    },
  ];
}

export const designRecords: readonly RecordSet[] = [
  ...followsSwitch(signalName, 'TXT', { primary: primarySignal, standby: standbySignal }),
  ...followsSwitch(serviceName, 'CNAME', {
    primary: 'lb.us-east-1.example.net',
    standby: 'lb.us-west-2.example.net',
  }),
  {
    name: regionName,
    type: 'TXT',
    routing: { policy: 'failover', role: 'PRIMARY' },
    setIdentifier: 'primary',
    healthCheckId: quorum.id,
    data: values('"v=1; region=us-east-1"'),
  },
  {
    name: regionName,
    type: 'TXT',
    routing: { policy: 'failover', role: 'SECONDARY' },
    setIdentifier: 'secondary',
    data: values('"v=1; region=us-west-2"'),
  },
  {
    name: zoneName,
    type: 'SOA',
    routing: { policy: 'simple' },
    data: {
      kind: 'values',
      ttlSeconds: 900,
      values: ['ns-1.awsdns-00.com. hostmaster.example.com. 1 7200 900 1209600 60'],
    },
  },
];
