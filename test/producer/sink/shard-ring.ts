import { hashKeyOf, LAST_HASH_KEY } from '../../../lib/aggregate/keys.ts';

export interface RingShard {
  readonly id: string;
  readonly first: bigint;
  readonly last: bigint;
  isOpen: boolean;
}

interface Keys {
  readonly partitionKey: string;
  readonly explicitHashKey?: string | undefined;
}

/** The shards of a stream that can be split and merged, as Kinesis does it: old ones close, and new ones get new names. */
export class ShardRing {
  readonly #shards: RingShard[] = [];

  constructor(count: number) {
    const width = (LAST_HASH_KEY + 1n) / BigInt(count);
    for (let n = 0; n < count; n++) {
      const last = n === count - 1 ? LAST_HASH_KEY : width * BigInt(n + 1) - 1n;
      this.#add(width * BigInt(n), last);
    }
  }

  get open(): readonly RingShard[] {
    return this.#shards.filter(({ isOpen }) => isOpen);
  }

  shardOf(keys: Keys): RingShard {
    const hashKey = hashKeyOf(keys);
    const found = this.open.find(({ first, last }) => first <= hashKey && hashKey <= last);
    if (found === undefined) throw new Error(`no shard has ${hashKey}`);
    return found;
  }

  split(shard: RingShard): void {
    const middle = (shard.first + shard.last) / 2n;
    shard.isOpen = false;
    this.#add(shard.first, middle);
    this.#add(middle + 1n, shard.last);
  }

  /** The shard and its neighbour above become one. */
  merge(shard: RingShard): void {
    const neighbour = this.open.find(({ first }) => first === shard.last + 1n);
    if (neighbour === undefined) throw new Error(`${shard.id} is the last shard`);
    shard.isOpen = neighbour.isOpen = false;
    this.#add(shard.first, neighbour.last);
  }

  /** `Shards` of ListShards, without a filter: closed ones are among them. */
  listed(): readonly object[] {
    return this.#shards.map(({ id, first, last, isOpen }) => ({
      ShardId: id,
      HashKeyRange: { StartingHashKey: `${first}`, EndingHashKey: `${last}` },
      SequenceNumberRange: { StartingSequenceNumber: '1', ...(!isOpen && { EndingSequenceNumber: '2' }) },
    }));
  }

  #add(first: bigint, last: bigint): void {
    const id = `shardId-${String(this.#shards.length).padStart(12, '0')}`;
    this.#shards.push({ id, first, last, isOpen: true });
  }
}
