import { hashKeyOf } from '../aggregate/keys.ts';
import type { IncomingRecord } from './put-request.ts';

interface Shard {
  readonly id: string;
  readonly to: bigint;
}

interface Page {
  /** Of the region that listed the shards. */
  readonly region: string;
  readonly first: boolean;
}

const FIRST_SHARD = 'shardId-000000000000';
/** More open shards than this are not kept: the answer is then the first shard. */
const MAX_SHARDS = 20_000;

/**
 * The shards as clients were last told them by ListShards. Clients like the KPL expect a record in one of these, and send it again
 * when the answer names another. So a record that is on the disk, or in another region than the one that listed the shards, is
 * answered with the shard of this list.
 */
export class ToldShards {
  #region: string | undefined;
  #shards: Shard[] = [];
  #sorted = true;

  learn(shards: readonly unknown[], { region, first }: Page): void {
    if (first) {
      this.#shards = [];
      this.#region = region;
    }
    const open = shards.flatMap(openShard);
    if (region !== this.#region || this.#shards.length + open.length > MAX_SHARDS) return;
    this.#shards.push(...open);
    this.#sorted = false;
  }

  /** Whether clients were told the shards of another region. */
  areNotOf(region: string): boolean {
    return this.#region !== undefined && this.#region !== region;
  }

  shardOf({
    partitionKey,
    explicitHashKey,
  }: Pick<IncomingRecord, 'partitionKey' | 'explicitHashKey'>): string {
    if (this.#shards.length === 0) return FIRST_SHARD;
    if (!this.#sorted) this.#shards.sort((a, b) => (a.to < b.to ? -1 : 1));
    this.#sorted = true;
    const place = hashKeyOf({ partitionKey, ...(explicitHashKey === undefined ? {} : { explicitHashKey }) });
    let from = 0;
    let to = this.#shards.length - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#shards[middle] as Shard).to < place) from = middle + 1;
      else to = middle;
    }
    return (this.#shards[from] as Shard).id;
  }
}

/** Kinesis API Reference, Shard. */
const shardId = /^[a-zA-Z0-9_.-]{1,128}$/;

interface ListedShard {
  readonly ShardId?: unknown;
  readonly HashKeyRange?: { readonly EndingHashKey?: unknown };
  readonly SequenceNumberRange?: { readonly EndingSequenceNumber?: unknown };
}

function openShard(listed: unknown): Shard[] {
  const { ShardId, HashKeyRange, SequenceNumberRange } = Object(listed) as ListedShard;
  const to = HashKeyRange?.EndingHashKey;
  if (
    typeof ShardId !== 'string' ||
    !shardId.test(ShardId) ||
    typeof to !== 'string' ||
    !/^\d{1,39}$/.test(to)
  )
    return [];
  return typeof SequenceNumberRange?.EndingSequenceNumber === 'string'
    ? []
    : [{ id: ShardId, to: BigInt(to) }];
}
