import { hash } from 'node:crypto';

interface Keys {
  readonly partitionKey: string;
  readonly explicitHashKey?: string | undefined;
}

const HASH_KEYS = 2n ** 128n;
/** Keys whose shard is kept: MD5 for each record would be what a benchmark measures. */
const MAX_KEPT = 100_000;
const ACCOUNT = '123456789012';

/** The shards of a stream that share the hash keys evenly, as Kinesis makes them. */
export class ShardMap {
  readonly #count: number;
  readonly #kept = new Map<string, number>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Number of the shard that takes a record. */
  shardOf({ partitionKey, explicitHashKey }: Keys): number {
    if (explicitHashKey !== undefined) return this.#shardAt(BigInt(explicitHashKey));
    const known = this.#kept.get(partitionKey);
    if (known !== undefined) return known;
    const shard = this.#shardAt(BigInt(`0x${hash('md5', partitionKey, 'hex')}`));
    if (this.#kept.size < MAX_KEPT) this.#kept.set(partitionKey, shard);
    return shard;
  }

  /** The answer of ListShards, in one page. */
  shards() {
    const Shards = Array.from({ length: this.#count }, (_, shard) => ({
      ShardId: `shardId-${String(shard).padStart(12, '0')}`,
      HashKeyRange: {
        StartingHashKey: String(this.#start(shard)),
        EndingHashKey: String(this.#start(shard + 1) - 1n),
      },
      SequenceNumberRange: { StartingSequenceNumber: `496712466675672286432834301501870870322${shard}` },
    }));
    return { Shards };
  }

  /** The answer of DescribeStreamSummary. */
  summary(stream: string) {
    return {
      StreamDescriptionSummary: {
        StreamName: stream,
        StreamARN: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/${stream}`,
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: 'PROVISIONED' },
        RetentionPeriodHours: 24,
        StreamCreationTimestamp: 1_700_000_000,
        EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
        EncryptionType: 'NONE',
        OpenShardCount: this.#count,
        ConsumerCount: 0,
      },
    };
  }

  #start(shard: number): bigint {
    return (HASH_KEYS * BigInt(shard)) / BigInt(this.#count);
  }

  #shardAt(hashKey: bigint): number {
    let shard = Number((hashKey * BigInt(this.#count)) / HASH_KEYS);
    while (shard + 1 < this.#count && hashKey >= this.#start(shard + 1)) shard++;
    while (hashKey < this.#start(shard)) shard--;
    return shard;
  }
}
