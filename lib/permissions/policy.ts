import { hasForeignStream } from '../config/config.ts';
import { LEAST_SHARED_LETTERS, pairOf } from '../config/probed-cells.ts';
import { sharedBeginning, streamRoles } from '../config/stream-names.ts';
import { consumerRights } from './consumer.ts';
import { PolicyError } from './errors.ts';
import { type OperatorVerb, rightsOfVerbs, usualVerbs } from './operator.ts';
import { beaconRights, producerRights } from './producer.ts';
import { type Bound, boundKeys, hasManyValues, type Requirement, requirementsOf } from './requirements.ts';
import type { Right } from './right.ts';
import type { Where } from './where.ts';

/** Whom a policy is for. */
export const audiences = ['producer', 'consumer', 'operator'] as const;
export type Audience = (typeof audiences)[number];

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}
export interface PolicyStatement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Characters without white space, as IAM counts them ("IAM and AWS STS quotas"). */
export const policyLimits = { managed: 6_144, role: 10_240 } as const;

export function rightsFor(audience: Audience, verbs: readonly OperatorVerb[] = usualVerbs): readonly Right[] {
  switch (audience) {
    case 'producer':
      return [...producerRights, ...beaconRights];
    case 'consumer':
      return consumerRights;
    case 'operator':
      return rightsOfVerbs(verbs);
    default:
      return audience satisfies never;
  }
}

/** The policy that allows these rights and nothing else. */
export function policyOf(rights: readonly Right[], where: Where): PolicyDocument {
  checkPatterns(where);
  return { Version: '2012-10-17', Statement: merged(requirementsOf(rights, where)).map(statementOf) };
}

export const charactersOf = (policy: PolicyDocument): number => JSON.stringify(policy).length;

/** A pattern of a few letters would name streams of others. @throws PolicyError */
export function checkPatterns({ config, patterns }: Where): void {
  if (patterns !== true) return;
  const own = config.cells.filter((cell) => !hasForeignStream(cell));
  if (own.length === 0) return;
  for (const role of streamRoles) {
    const beginning = sharedBeginning(own.map(pairOf), role);
    if (beginning.length >= LEAST_SHARED_LETTERS) continue;
    throw new PolicyError(
      `The names of the streams in ${config.regions[role]} share ${beginning.length} letters at their beginning, and a pattern of fewer than ${LEAST_SHARED_LETTERS} would name streams of others. Name cells with --cell instead.`,
    );
  }
}

/** Requirements on the same things, within the same bounds, as one. */
function merged(requirements: readonly Requirement[]): readonly Requirement[] {
  const same = Map.groupBy(requirements, ({ resources, bounds }) => JSON.stringify([resources, bounds]));
  const byPlace = [...same.values()].map((group) => withActions(group));
  const alike = Map.groupBy(byPlace, ({ actions, bounds }) => JSON.stringify([actions, bounds]));
  const byActions = [...alike.values()].map((group) => withResources(group));
  // Items of one table: the same action under several partition keys.
  const sameAction = Map.groupBy(byActions, ({ actions, resources, bounds }) =>
    // Those that are bounded in several ways stay apart: together they would allow every combination.
    JSON.stringify([actions, resources, Object.keys(bounds).length > 1 ? bounds : Object.keys(bounds)]),
  );
  return [...sameAction.values()].map((group) => withBounds(group));
}

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)].toSorted();
type Group = readonly Requirement[];
const first = (group: Group): Requirement => group[0] as Requirement;
const withActions = (group: Group): Requirement => ({
  ...first(group),
  actions: distinct(group.flatMap(({ actions }) => actions)),
});
const withResources = (group: Group): Requirement => ({
  ...first(group),
  resources: [...new Set(group.flatMap(({ resources }) => resources))],
});
function withBounds(group: Group): Requirement {
  const bounds = Object.keys(first(group).bounds) as Bound[];
  return {
    ...first(group),
    bounds: Object.fromEntries(
      bounds.map((bound) => [bound, distinct(group.flatMap((one) => one.bounds[bound] ?? []))]),
    ),
  };
}

/** A request may name several items or records, of which each has to be one of these. */
const operatorOf = (bound: Bound): string =>
  hasManyValues(bound) ? 'ForAllValues:StringEquals' : 'StringEquals';

function statementOf({ actions, resources, bounds }: Requirement): PolicyStatement {
  const byOperator = Map.groupBy(Object.entries(bounds) as [Bound, readonly string[]][], ([bound]) =>
    operatorOf(bound),
  );
  const conditions = [...byOperator].map(([operator, some]) => [
    operator,
    Object.fromEntries(some.map(([bound, values]) => [boundKeys[bound], values])),
  ]);
  return {
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(conditions.length === 0 ? {} : { Condition: Object.fromEntries(conditions) }),
  };
}
