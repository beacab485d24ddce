import { hashKeyOf, LAST_HASH_KEY } from '../../aggregate/keys.ts';

/** An open shard and the hash keys that belong to it, both ends included. */
export interface ShardRange {
  readonly id: string;
  readonly first: bigint;
  readonly last: bigint;
}

export interface Keys {
  readonly partitionKey: string;
  readonly explicitHashKey?: string | undefined;
}

/** Places are the first 48 bits of a hash key, exact in a number. */
const PLACE_SHIFT = 80n;

/**
 * Which open shard a record goes to. A shard's range never changes: a split or a merge closes it and opens others. So a record
 * that was put to the shard that the map names is in that shard's range for certain, however old the map is.
 */
export class ShardMap {
  readonly #shards: readonly ShardRange[];
  /** The places where shards begin, ascending. */
  readonly #starts: Float64Array;
  readonly #indexes: ReadonlyMap<string, number>;

  private constructor(shards: readonly ShardRange[]) {
    this.#shards = shards;
    this.#starts = Float64Array.from(shards, ({ first }) => Number(first >> PLACE_SHIFT));
    this.#indexes = new Map(shards.map(({ id }, index) => [id, index]));
  }

  /** Undefined unless the shards have every hash key exactly once: a list made during a split or a merge may not. */
  static of(shards: readonly ShardRange[]): ShardMap | undefined {
    const sorted = shards.toSorted((a, b) => (a.first < b.first ? -1 : 1));
    let next = 0n;
    for (const { first, last } of sorted) {
      if (first !== next || last < first) return undefined;
      next = last + 1n;
    }
    return next === LAST_HASH_KEY + 1n ? new ShardMap(sorted) : undefined;
  }

  get size(): number {
    return this.#shards.length;
  }

  has(shardId: string): boolean {
    return this.#indexes.has(shardId);
  }

  /** Whether both have the same shards. A stream that was deleted and made again has the same names with other ranges. */
  equals(other: ShardMap): boolean {
    return (
      this.size === other.size &&
      this.#shards.every(
        ({ id, first }, n) => id === other.#shards[n]?.id && first === other.#shards[n]?.first,
      )
    );
  }

  /** The number of the shard that owns these keys; `place` is their `hashPlaceOf`. */
  indexOf(keys: Keys, place: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] as number) <= place) low = middle;
      else high = middle - 1;
    }
    if (starts[low] !== place) return low;
    // The 48 bits do not decide. Explicit hash keys are often the ends of shards, so this is not rare for those.
    const hashKey = hashKeyOf(keys);
    while (low > 0 && hashKey < (this.#shards[low] as ShardRange).first) low--;
    return low;
  }

  idOf(index: number): string {
    return (this.#shards[index] as ShardRange).id;
  }

  /** Whether all these keys belong to the shard; undefined for a shard that the map does not have. */
  owns(shardId: string, records: Iterable<Keys>): boolean | undefined {
    const index = this.#indexes.get(shardId);
    if (index === undefined) return undefined;
    const { first, last } = this.#shards[index] as ShardRange;
    for (const keys of records) {
      const hashKey = hashKeyOf(keys);
      if (hashKey < first || hashKey > last) return false;
    }
    return true;
  }
}
