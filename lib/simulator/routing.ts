import { SWITCH_FAILURES, VOTE_FAILURES } from '../../lambda/core/deployment.ts';
import {
  evacuateMarker,
  regionRecordName,
  signalRecordName,
  standbyMarker,
  switchPath,
  votePath,
} from '../../lambda/core/names.ts';
import { formatSignal } from '../../lambda/core/signal.ts';
import { observerRegions } from '../config/config.ts';
import { checkerRegions, type EndpointCheck, type HealthCheck } from '../route53/health-check.ts';
import { createZone, type RecordSet, type Zone } from '../route53/records.ts';
import { groupsOfSystem, type SimulatedSystem } from './system.ts';

// The tree of lib/constructs/failover-tree.ts and the checks of lib/constructs/health-checks.ts, as the model of
// Route 53 takes them. Not synthesised: a synthesis takes seconds, and a simulation milliseconds.

const zoneName = 'example.com';
export const regionName = regionRecordName('spillway', zoneName);
export const signalName = (cell: string): string => signalRecordName(cell, zoneName);
export const switchCheckId = (group: string): string => `switch-${group}`;
export const voteCheckId = (region: string): string => `vote-${region}`;
const quorumId = 'quorum';

export interface Routing {
  readonly checks: readonly HealthCheck[];
  readonly endpoints: readonly EndpointCheck[];
  readonly zone: Zone;
}

export function routingOf(system: SimulatedSystem): Routing {
  const { regions, policy, delivery, cells } = system;
  const votes = observerRegions(regions).map((region) =>
    markerCheck(delivery.healthCheckIntervalSeconds, {
      id: voteCheckId(region),
      resourcePath: votePath,
      searchString: evacuateMarker,
      failureThreshold: VOTE_FAILURES,
    }),
  );
  const switches = groupsOfSystem(system).map((group) =>
    markerCheck(delivery.healthCheckIntervalSeconds, {
      id: switchCheckId(group),
      resourcePath: switchPath(group),
      searchString: standbyMarker,
      failureThreshold: SWITCH_FAILURES,
    }),
  );
  const quorum: HealthCheck = {
    id: quorumId,
    kind: 'calculated',
    inverted: false,
    disabled: false,
    children: votes.map(({ id }) => id),
    healthThreshold: votes.length - policy.votesToEvacuate + 1,
  };
  const ttlSeconds = delivery.dnsTtlSeconds;
  const records = [
    ...cells.flatMap(({ name, group }) =>
      tree({
        name: signalName(name),
        ttlSeconds,
        primary: signalTo(regions.primary, name),
        standby: signalTo(regions.standby, name),
        switchId: switchCheckId(group),
      }),
    ),
    ...tree({
      name: regionName,
      ttlSeconds,
      primary: signalTo(regions.primary),
      standby: signalTo(regions.standby),
    }),
  ];
  return {
    checks: [...votes, ...switches, quorum],
    endpoints: [...votes, ...switches],
    zone: createZone(zoneName, records),
  };
}

const signalTo = (region: string, stream?: string): string =>
  `"${formatSignal({ region, ...(stream && { stream }) })}"`;

function markerCheck(
  requestIntervalSeconds: 10 | 30,
  own: Pick<EndpointCheck, 'id' | 'resourcePath' | 'failureThreshold'> & { readonly searchString: string },
): EndpointCheck {
  return {
    ...own,
    kind: 'endpoint',
    type: 'HTTPS_STR_MATCH',
    fqdn: `${own.id}.example.net`,
    port: 443,
    inverted: true,
    disabled: false,
    requestIntervalSeconds,
    regions: checkerRegions,
    enableSni: true,
  };
}

interface TreeOptions {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly primary: string;
  readonly standby: string;
  /** The check of the switch that it follows beside the quorum; absent: the quorum alone. */
  readonly switchId?: string;
}

function tree({ name, ttlSeconds, primary, standby, switchId }: TreeOptions): readonly RecordSet[] {
  const values = (text: string): RecordSet['data'] => ({ kind: 'values', ttlSeconds, values: [text] });
  const head = {
    name,
    type: 'TXT',
    routing: { policy: 'failover', role: 'PRIMARY' },
    setIdentifier: 'primary',
    healthCheckId: quorumId,
  } as const;
  const target = `primary.${name}`;
  const secondary: RecordSet = {
    name,
    type: 'TXT',
    routing: { policy: 'failover', role: 'SECONDARY' },
    setIdentifier: 'standby',
    data: values(standby),
  };
  if (switchId === undefined) return [{ ...head, data: values(primary) }, secondary];
  return [
    { ...head, data: { kind: 'alias', target, evaluateTargetHealth: true } },
    secondary,
    {
      name: target,
      type: 'TXT',
      routing: { policy: 'weighted', weight: 1 },
      setIdentifier: 'only',
      healthCheckId: switchId,
      data: values(primary),
    },
  ];
}
