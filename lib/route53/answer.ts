import { isInZone, normaliseName, parentName } from './names.ts';
import {
  groupKey,
  type RecordGroup,
  type RecordSet,
  type RecordType,
  recordsOf,
  recordTypes,
  type WeightedMember,
  type Zone,
} from './records.ts';

/**
 * How Route 53 answers a query from the records of a zone and the health of its checks. Sources (Developer Guide):
 * "How Amazon Route 53 chooses records when health checking is configured", "How health checks work in complex
 * Amazon Route 53 configurations"; and "ResourceRecordSet" (API Reference).
 */

export interface Conditions {
  isHealthy(healthCheckId: string): boolean;
  /** A number in [0,1); asked for only where weights leave a choice. */
  random(): number;
}

export interface AnsweredRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttlSeconds: number;
  readonly values: readonly string[];
}

export interface DnsAnswer {
  /** NOERROR without records: the name exists, but not with this type. SERVFAIL: an unsupported record. */
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED' | 'SERVFAIL';
  readonly records: readonly AnsweredRecord[];
}

export interface DnsQuery {
  readonly name: string;
  /** Any DNS type; a type that no record here can have is answered with "no data". */
  readonly type: string;
}

const MAX_CNAME_CHAIN = 8;
const refused: DnsAnswer = { rcode: 'REFUSED', records: [] };
const serverFailure: DnsAnswer = { rcode: 'SERVFAIL', records: [] };

/** Answers one query, following CNAME records as long as they stay in the zone. */
export function answer(zone: Zone, query: DnsQuery, conditions: Conditions): DnsAnswer {
  const records: AnsweredRecord[] = [];
  let name = normaliseName(query.name);
  if (!isInZone(name, zone.name)) return refused;
  for (let hop = 0; hop < MAX_CNAME_CHAIN; hop += 1) {
    const owner = ownerOf(zone, name);
    if (owner === undefined) return { rcode: 'NXDOMAIN', records };
    const found = lookUp(zone, owner, query.type);
    if (found === undefined) return { rcode: 'NOERROR', records };
    const chosen = resolve(zone, found.group, conditions);
    if (chosen?.data.kind !== 'values') return serverFailure;
    records.push({ name, type: found.type, ttlSeconds: chosen.data.ttlSeconds, values: chosen.data.values });
    const next = found.type === 'CNAME' && query.type !== 'CNAME' ? chosen.data.values[0] : undefined;
    if (next === undefined) return { rcode: 'NOERROR', records };
    name = normaliseName(next);
    if (!isInZone(name, zone.name)) return { rcode: 'NOERROR', records };
  }
  return serverFailure;
}

/** The name whose records answer for `name`: itself, or the wildcard under its closest existing parent (RFC 4592). */
function ownerOf(zone: Zone, name: string): string | undefined {
  if (zone.names.has(name)) return name;
  let parent = parentName(name);
  while (parent !== undefined && !zone.names.has(parent)) parent = parentName(parent);
  const wildcard = `*.${parent}`;
  return zone.names.has(wildcard) ? wildcard : undefined;
}

function lookUp(zone: Zone, name: string, type: string) {
  for (const candidate of [recordTypes.find((known) => known === type), 'CNAME' as const]) {
    const group = candidate && zone.groups.get(groupKey(name, candidate));
    if (group) return { type: candidate, group };
  }
  return undefined;
}

/** The record with values that answers for a group: aliases are followed, so the TTL is the target's. */
function resolve(zone: Zone, group: RecordGroup, conditions: Conditions): RecordSet | undefined {
  const record = choose(zone, group, conditions);
  if (record?.data.kind !== 'alias') return record;
  const target = zone.groups.get(groupKey(record.data.target, record.type));
  return target && resolve(zone, target, conditions);
}

function choose(zone: Zone, group: RecordGroup, conditions: Conditions): RecordSet | undefined {
  const healthy = (record: RecordSet) => isRecordHealthy(zone, record, conditions);
  switch (group.policy) {
    case 'simple':
      return group.record;
    case 'weighted':
      return chooseWeighted(group.members, healthy, conditions);
    case 'failover': {
      const { primary, secondary } = group;
      // With both unhealthy "Route 53 considers all records healthy", and then the primary comes first.
      if (primary === undefined) return secondary;
      return healthy(primary) || secondary === undefined || !healthy(secondary) ? primary : secondary;
    }
    case 'unsupported':
      return undefined;
    default:
      return group satisfies never;
  }
}

function chooseWeighted(
  members: readonly WeightedMember[],
  healthy: (record: RecordSet) => boolean,
  conditions: Conditions,
): RecordSet | undefined {
  const healthyMembers = members.filter((member) => healthy(member.record));
  const eligible = healthyMembers.length > 0 ? healthyMembers : members;
  // Members of weight zero count only when no other member is eligible, and then with equal probability.
  const weighty = eligible.filter((member) => member.weight > 0);
  const candidates = weighty.length > 0 ? weighty : eligible.map(({ record }) => ({ record, weight: 1 }));
  const total = candidates.reduce((sum, member) => sum + member.weight, 0);
  let remaining = candidates.length > 1 ? conditions.random() * total : 0;
  for (const member of candidates) {
    remaining -= member.weight;
    if (remaining < 0) return member.record;
  }
  return candidates.at(-1)?.record;
}

/**
 * Whether a record may be chosen. A record without a health check always may. An alias that evaluates its target
 * needs a healthy record there **and** its own check, if it has one. A simple record's own check has no effect.
 */
function isRecordHealthy(zone: Zone, record: RecordSet, conditions: Conditions): boolean {
  const { healthCheckId, routing, data } = record;
  if (healthCheckId !== undefined && routing.policy !== 'simple' && !conditions.isHealthy(healthCheckId))
    return false;
  if (data.kind !== 'alias' || !data.evaluateTargetHealth) return true;
  const target = zone.groups.get(groupKey(data.target, record.type));
  return target !== undefined && recordsOf(target).some((each) => isRecordHealthy(zone, each, conditions));
}
