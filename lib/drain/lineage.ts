import type { Shard } from '@aws-sdk/client-kinesis';

export interface LineageRun {
  readonly shards: readonly Shard[];
  /** Most shards at once. */
  readonly width: number;
  readonly work: (shardId: string) => Promise<void>;
  /** Is called at the first failure; work under way is expected to end soon after. */
  readonly onFailure: () => void;
}

/**
 * Works through shards, each after the shards that it was split or merged from, because a key's older records
 * are in the parent. Rejects with the first failure, after all work has ended.
 */
export async function parentsFirst({ shards, width, work, onFailure }: LineageRun): Promise<void> {
  const waiting = new Map(
    shards.flatMap((shard) => (shard.ShardId === undefined ? [] : [[shard.ShardId, shard]])),
  );
  const unfinished = new Set(waiting.keys());
  const running = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  // A parent that is not listed has expired, with all its records.
  const isReady = ({ ParentShardId, AdjacentParentShardId }: Shard): boolean =>
    ![ParentShardId, AdjacentParentShardId].some((parent) => parent !== undefined && unfinished.has(parent));
  const start = (shardId: string): void => {
    waiting.delete(shardId);
    const run = work(shardId)
      .then(() => void unfinished.delete(shardId))
      .catch((error: unknown) => {
        failures.push(error);
        if (failures.length === 1) onFailure();
      })
      .finally(() => running.delete(shardId));
    running.set(shardId, run);
  };
  const startReady = (): void => {
    for (const [shardId, shard] of waiting) {
      if (failures.length > 0 || running.size >= width) return;
      if (isReady(shard)) start(shardId);
    }
  };
  for (startReady(); running.size > 0; startReady()) await Promise.race(running.values());
  if (failures.length > 0) throw failures[0];
}
