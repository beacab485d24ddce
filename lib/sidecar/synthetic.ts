import { hashKeyOf } from '../aggregate/keys.ts';
import type { IncomingRecord } from './put-request.ts';

/** Twenty nines: Kinesis' own numbers have 56 digits and begin with 49 [inferred from those seen]. */
const PREFIX = '9'.repeat(20);
const MS_DIGITS = 15;
const COUNT_DIGITS = 25;

/** Whether a sequence number was made here, for a record that was not in a stream yet when it was answered. */
export const isSynthetic = (sequenceNumber: string): boolean =>
  sequenceNumber.length === PREFIX.length + MS_DIGITS + COUNT_DIGITS && sequenceNumber.startsWith(PREFIX);

/**
 * Sequence numbers for records that are on this machine's disk: each is greater than all before it, also those of an earlier
 * process of this machine, and greater than all of Kinesis' own, as it has 60 digits.
 */
export class SyntheticNumbers {
  readonly #nowMs: () => number;
  #lastMs = 0;
  #count = 0;
  #head = '';

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  next(): string {
    const nowMs = Math.floor(this.#nowMs());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#count = 0;
      this.#head = PREFIX + String(nowMs).padStart(MS_DIGITS, '0');
    }
    return this.#head + String(this.#count++).padStart(COUNT_DIGITS, '0');
  }
}

interface Shard {
  readonly id: string;
  readonly from: bigint;
  readonly to: bigint;
}

const FIRST_SHARD = 'shardId-000000000000';
/** More open shards than this are not kept: the answer is then the first shard. */
const MAX_SHARDS = 20_000;

/**
 * The shards as a client was last told them. The KPL sends a record again when it is answered with another shard than the one
 * that it expects from ListShards, so a record on the disk is answered with that shard.
 */
export class ToldShards {
  #shards: Shard[] = [];

  /** `first`: of the first page. */
  learn(shards: readonly unknown[], { first }: { readonly first: boolean }): void {
    if (first) this.#shards = [];
    const open = shards.flatMap(openShard);
    if (this.#shards.length + open.length <= MAX_SHARDS) this.#shards.push(...open);
  }

  shardOf(record: Pick<IncomingRecord, 'partitionKey' | 'explicitHashKey'>): string {
    if (this.#shards.length === 0) return FIRST_SHARD;
    const { partitionKey, explicitHashKey } = record;
    const place = hashKeyOf({ partitionKey, ...(explicitHashKey === undefined ? {} : { explicitHashKey }) });
    return this.#shards.find(({ from, to }) => from <= place && place <= to)?.id ?? FIRST_SHARD;
  }
}

interface ListedShard {
  readonly ShardId?: unknown;
  readonly HashKeyRange?: { readonly StartingHashKey?: unknown; readonly EndingHashKey?: unknown };
  readonly SequenceNumberRange?: { readonly EndingSequenceNumber?: unknown };
}

function openShard(listed: unknown): Shard[] {
  const { ShardId, HashKeyRange, SequenceNumberRange } = Object(listed) as ListedShard;
  const { StartingHashKey: from, EndingHashKey: to } = HashKeyRange ?? {};
  if (typeof ShardId !== 'string' || typeof from !== 'string' || typeof to !== 'string') return [];
  if (typeof SequenceNumberRange?.EndingSequenceNumber === 'string') return [];
  if (!/^\d{1,39}$/.test(from) || !/^\d{1,39}$/.test(to)) return [];
  return [{ id: ShardId, from: BigInt(from), to: BigInt(to) }];
}
