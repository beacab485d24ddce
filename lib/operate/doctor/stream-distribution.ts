import { byKeyCommand, type Distribution } from '../../../lambda/core/distribution.ts';
import type { Role } from '../../../lambda/core/role.ts';
import { type Finding, hint, ill } from './check.ts';

const CHECK = 'streams';

interface Placing {
  readonly distribution: Distribution;
}

export interface DistributionPair {
  readonly cell: string;
  readonly regions: Readonly<Record<Role, string>>;
  /** A text says why there is no such stream. */
  readonly primary: Placing | string;
  readonly standby: Placing | string;
}

/**
 * Pure. Streams that keep no key together: a fault where the other region does, because a move would begin or end the order of keys;
 * else the owner's decision, which producers have to know of.
 */
export function distributionFindings({ cell, regions, ...facts }: DistributionPair): readonly Finding[] {
  const managed = (['primary', 'standby'] as const).filter((role) => {
    const known = facts[role];
    return typeof known !== 'string' && known.distribution === 'serviceManaged';
  });
  const [first, second] = managed;
  if (first === undefined) return [];
  if (second !== undefined) {
    return [
      hint(
        CHECK,
        `${cell}: its streams have service-managed distribution (RecordDistributionStrategy AUTO) and keep no key together: consumers get no order per key, and may get records without a key`,
        "See to it that its producers have order: 'none' and do not aggregate: a FailoverProducer that is to keep order refuses there.",
      ),
    ];
  }
  if (first === 'primary') {
    return [
      ill(
        CHECK,
        `${cell}: its stream in ${regions.primary} has service-managed distribution and keeps no key together, the one in ${regions.standby} does: records without a key would be refused after a failover, and cannot be drained there`,
        `${byKeyCommand(regions.primary)}; or, if consumers need no order, the same with AUTO for ${regions.standby} (on-demand streams only)`,
      ),
    ];
  }
  return [
    ill(
      CHECK,
      `${cell}: its stream in ${regions.primary} keeps keys together, the one in ${regions.standby} has service-managed distribution and does not: after a failover there would be no order per key, and the KCL would drop aggregates in silence`,
      byKeyCommand(regions.standby),
    ),
  ];
}
