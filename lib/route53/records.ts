import { ZoneError } from './errors.ts';
import { isInZone, normaliseName, parentName } from './names.ts';

export const recordTypes = ['A', 'AAAA', 'CNAME', 'TXT', 'SOA', 'NS'] as const;
export type RecordType = (typeof recordTypes)[number];

export type Routing =
  | { readonly policy: 'simple' }
  | { readonly policy: 'weighted'; readonly weight: number }
  | { readonly policy: 'failover'; readonly role: 'PRIMARY' | 'SECONDARY' }
  /** A policy that Route 53 offers and this model does not: the name is answered with SERVFAIL. */
  | { readonly policy: 'unsupported'; readonly reason: string };

export type RecordData =
  /** Values in Route 53's own text form: TXT strings in quotes, names with or without a trailing dot. */
  | { readonly kind: 'values'; readonly ttlSeconds: number; readonly values: readonly string[] }
  /** An alias of a record set of the same type in the same zone. */
  | { readonly kind: 'alias'; readonly target: string; readonly evaluateTargetHealth: boolean };

export interface RecordSet {
  readonly name: string;
  readonly type: RecordType;
  readonly routing: Routing;
  readonly setIdentifier?: string;
  readonly healthCheckId?: string;
  readonly data: RecordData;
}

/** The record sets of one name and type, which share one routing policy. */
export type RecordGroup =
  | { readonly policy: 'simple'; readonly record: RecordSet }
  | { readonly policy: 'weighted'; readonly members: readonly WeightedMember[] }
  | { readonly policy: 'failover'; readonly primary?: RecordSet; readonly secondary?: RecordSet }
  | { readonly policy: 'unsupported'; readonly reason: string };

export interface WeightedMember {
  readonly weight: number;
  readonly record: RecordSet;
}

/** A hosted zone, indexed; made by `createZone` alone, which keeps alias chains finite. */
export interface Zone {
  readonly name: string;
  readonly groups: ReadonlyMap<string, RecordGroup>;
  /**
   * Every name that exists, including names between a record and the apex (the answer for these is "no
   * data").
   */
  readonly names: ReadonlySet<string>;
  readonly healthCheckIds: ReadonlySet<string>;
}

/** Longest chain of aliases; AWS states no limit, and the trees this is for have one link. */
const MAX_ALIAS_DEPTH = 8;

export const groupKey = (name: string, type: RecordType): string => `${name} ${type}`;

/**
 * Indexes the record sets of a zone.
 * @throws ZoneError if Route 53 would refuse them: mixed policies under one name and type, two records in one role,
 * an alias without a target, or an alias cycle.
 */
export function createZone(zoneName: string, recordSets: readonly RecordSet[]): Zone {
  const name = normaliseName(zoneName);
  const bySet = new Map<string, RecordSet[]>();
  const names = new Set([name]);
  for (const written of recordSets) {
    const record = normaliseRecord(written);
    if (!isInZone(record.name, name)) throw new ZoneError(`Record ${record.name} is not in zone ${name}.`);
    for (let each: string | undefined = record.name; each && each !== name; each = parentName(each))
      names.add(each);
    const key = groupKey(record.name, record.type);
    bySet.set(key, [...(bySet.get(key) ?? []), record]);
  }
  const groups = new Map([...bySet].map(([key, records]) => [key, toGroup(key, records)]));
  for (const key of groups.keys()) assertAliases({ groups, key, path: [] });
  const healthCheckIds = new Set(recordSets.flatMap((record) => record.healthCheckId ?? []));
  return { name, groups, names, healthCheckIds };
}

/** The records of a group, in no particular order. */
export function recordsOf(group: RecordGroup): readonly RecordSet[] {
  switch (group.policy) {
    case 'simple':
      return [group.record];
    case 'weighted':
      return group.members.map((member) => member.record);
    case 'failover':
      return [group.primary, group.secondary].filter((record) => record !== undefined);
    case 'unsupported':
      return [];
    default:
      return group satisfies never;
  }
}

function normaliseRecord(record: RecordSet): RecordSet {
  const { data } = record;
  return {
    ...record,
    name: normaliseName(record.name),
    data: data.kind === 'alias' ? { ...data, target: normaliseName(data.target) } : data,
  };
}

function toGroup(key: string, records: readonly RecordSet[]): RecordGroup {
  const first = records[0];
  if (first === undefined) throw new ZoneError(`No record under ${key}.`);
  for (const { routing } of records) if (routing.policy === 'unsupported') return routing;
  if (records.some((record) => record.routing.policy !== first.routing.policy)) {
    throw new ZoneError(`The records of ${key} mix routing policies; give all of them the same one.`);
  }
  if (first.routing.policy === 'weighted') return { policy: 'weighted', members: records.flatMap(toMember) };
  if (first.routing.policy === 'failover') return toFailover(key, records);
  if (records.length > 1) {
    throw new ZoneError(`${key} has ${records.length} simple records; a simple record stands alone.`);
  }
  return { policy: 'simple', record: first };
}

function toMember(record: RecordSet): readonly WeightedMember[] {
  return record.routing.policy === 'weighted' ? [{ weight: record.routing.weight, record }] : [];
}

function toFailover(key: string, records: readonly RecordSet[]): RecordGroup {
  const inRole = (role: 'PRIMARY' | 'SECONDARY') => {
    const found = records.filter(({ routing }) => routing.policy === 'failover' && routing.role === role);
    if (found.length > 1) throw new ZoneError(`${key} has ${found.length} ${role} records; keep one.`);
    return found[0];
  };
  const primary = inRole('PRIMARY');
  const secondary = inRole('SECONDARY');
  return { policy: 'failover', ...(primary && { primary }), ...(secondary && { secondary }) };
}

interface AliasWalk {
  readonly groups: ReadonlyMap<string, RecordGroup>;
  readonly key: string;
  readonly path: readonly string[];
}

/** Every alias has a target that this model knows, and every chain ends. */
function assertAliases({ groups, key, path }: AliasWalk): void {
  if (path.length > MAX_ALIAS_DEPTH) {
    const chain = [...path, key].join(' -> ');
    throw new ZoneError(`Aliases form a cycle or a chain longer than ${MAX_ALIAS_DEPTH}: ${chain}.`);
  }
  const group = groups.get(key);
  for (const record of group === undefined ? [] : recordsOf(group)) {
    if (record.data.kind !== 'alias') continue;
    const targetKey = groupKey(record.data.target, record.type);
    const target = groups.get(targetKey);
    if (target === undefined || target.policy === 'unsupported') {
      const why = target === undefined ? 'which does not exist in the zone' : target.reason;
      throw new ZoneError(
        `${key} is an alias of ${targetKey}, ${why}: point it at a record of the same type.`,
      );
    }
    assertAliases({ groups, key: targetKey, path: [...path, key] });
  }
}
