import type { Shard } from '@aws-sdk/client-kinesis';
import type { Lease } from '../consumers/lease-item.ts';
import type { ShardPosition } from './positions.ts';

export interface LeasePlaces {
  readonly of: (shardId: string) => ShardPosition;
  /**
   * Shards in which the leases do not say what was read: reading has not begun, and begins at a place that only the
   * application knows (`LATEST`, `AT_TIMESTAMP`).
   */
  readonly unbegun: readonly string[];
  /** Shards that were not read to their end, and are no longer kept: their last records have expired. */
  readonly gone: readonly string[];
}

/**
 * Where an application of the KCL stands, by its leases of one stream. `unbegun` is the place where nothing was checkpointed.
 *
 * A shard without a lease is finished if a shard that came of it has one: the KCL deletes the lease of a parent that is read to
 * its end, and an application that began later never reads the parent. Any other shard without a lease was not begun: the KCL
 * will make a lease for it, and begin at its oldest record.
 */
export function leasePlaces(
  leases: readonly Lease[],
  { shards, unbegun }: { readonly shards: readonly Shard[]; readonly unbegun: ShardPosition },
): LeasePlaces {
  const byShard = new Map(leases.map((lease) => [lease.shardId, lease]));
  const listed = new Set(shards.flatMap(({ ShardId }) => ShardId ?? []));
  const children = childrenOf(shards);
  const isFollowed = (shardId: string): boolean =>
    (children.get(shardId) ?? []).some((child) => byShard.has(child) || isFollowed(child));
  const of = (shardId: string): ShardPosition => {
    const checkpoint = byShard.get(shardId)?.checkpoint;
    if (checkpoint === undefined) return { kind: isFollowed(shardId) ? 'finished' : 'oldest' };
    switch (checkpoint.kind) {
      case 'record':
        return checkpoint;
      case 'SHARD_END':
        return { kind: 'finished' };
      case 'TRIM_HORIZON':
        return { kind: 'oldest' };
      case 'LATEST':
      case 'AT_TIMESTAMP':
        return unbegun;
      default:
        return checkpoint satisfies never;
    }
  };
  const begins = ({ checkpoint }: Lease): boolean =>
    checkpoint.kind === 'LATEST' || checkpoint.kind === 'AT_TIMESTAMP';
  const unread = ({ checkpoint, shardId }: Lease): boolean =>
    checkpoint.kind !== 'SHARD_END' && !listed.has(shardId);
  return {
    of,
    unbegun: leases
      .filter((lease) => begins(lease) && listed.has(lease.shardId))
      .map(({ shardId }) => shardId),
    gone: leases.filter(unread).map(({ shardId }) => shardId),
  };
}

/** Shards are made of earlier ones alone, so this has no cycles; a listing that says otherwise is cut at itself. */
function childrenOf(shards: readonly Shard[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { ShardId: child, ParentShardId, AdjacentParentShardId } of shards) {
    for (const parent of [ParentShardId, AdjacentParentShardId]) {
      if (child === undefined || parent === undefined || parent >= child) continue;
      children.set(parent, [...(children.get(parent) ?? []), child]);
    }
  }
  return children;
}
