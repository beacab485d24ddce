import type { RecordFailure } from './errors.ts';
import { fullJitterMs, type RegionHealthOptions } from './region-health.ts';

/** A stream of thousands of shards; beyond this the oldest knowledge is let go of. */
const MAX_SHARDS = 10_000;
/** Kinesis names the shard in the message: "Rate exceeded for shard shardId-000000000001 in stream orders under …". */
const shardPattern = /shardId-\d{12}/;

/** Records that one shard refuses wait together, full jitter, longer each time it refuses; other shards go on. */
export class ShardBackoff {
  readonly #options: Pick<RegionHealthOptions, 'retryBaseMs' | 'retryMaxMs' | 'random'>;
  readonly #refusals = new Map<string, number>();

  constructor(options: Pick<RegionHealthOptions, 'retryBaseMs' | 'retryMaxMs' | 'random'>) {
    this.#options = options;
  }

  /** What failed entries of one answer are grouped by: the shard where it is known. */
  static shardOf(error: RecordFailure): string {
    return shardPattern.exec(error.message)?.[0] ?? '';
  }

  /** The pause before this shard's records are sent again. Call once per answer and shard. */
  refused(shard: string): number {
    const attempt = this.#refusals.get(shard) ?? 0;
    if (this.#refusals.size >= MAX_SHARDS && !this.#refusals.has(shard)) {
      for (const oldest of this.#refusals.keys()) {
        this.#refusals.delete(oldest);
        break;
      }
    }
    this.#refusals.set(shard, attempt + 1);
    return fullJitterMs(attempt, this.#options);
  }

  /** Nothing is refused any more. */
  accepted(): void {
    if (this.#refusals.size > 0) this.#refusals.clear();
  }
}
