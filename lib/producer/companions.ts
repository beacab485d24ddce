import type { Entry } from './entry.ts';
import type { HotShard } from './hot-shards.ts';
import type { KeyInLane } from './keys-on-disk.ts';

/** A record on its way to the disk, while older ones of its key are in memory alone. */
export interface Leader extends KeyInLane {
  readonly shard: HotShard | undefined;
  /** Whether its key is counted apart from the other keys of its lane. */
  readonly isByName: boolean;
}

/**
 * Which records in memory go to the disk before the next ones that are written there: those of the same keys, so that the
 * log has each key in its order, and all that wait for the same hot shard.
 */
export class Companions {
  readonly #keys = new Set<string>();
  readonly #lanes = new Set<number>();
  readonly #shards = new Set<HotShard>();

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#lanes.size === 0;
  }

  add({ partitionKey, lane, shard, isByName }: Leader): void {
    if (isByName) this.#keys.add(partitionKey);
    else this.#lanes.add(lane);
    if (shard !== undefined) this.#shards.add(shard);
  }

  /** Whether all records of this key that are in memory are among the companions. */
  cover({ partitionKey, lane }: KeyInLane): boolean {
    return this.#keys.has(partitionKey) || this.#lanes.has(lane);
  }

  has({ partitionKey, lane, shard }: Entry): boolean {
    if (this.#keys.has(partitionKey) || this.#lanes.has(lane)) return true;
    return shard !== undefined && this.#shards.has(shard);
  }
}
