import type { RecordFailure } from './errors.ts';
import { fullJitterMs, type RegionHealthOptions } from './region-health.ts';

/** A stream of thousands of shards; beyond this the oldest knowledge is let go of. */
const MAX_SHARDS = 10_000;
/** Kinesis names the shard in the message: "Rate exceeded for shard shardId-000000000001 in stream orders under …". */
const shardPattern = /shardId-\d{12}/;

/** A shard that refused nothing for this many longest pauses is forgotten: it may have been split, and never answer again. */
const FORGET_AFTER_PAUSES = 10;

type Options = Pick<RegionHealthOptions, 'retryBaseMs' | 'retryMaxMs' | 'random'> & {
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/**
 * Records that one shard refuses wait together, full jitter, longer each time it refuses; other shards go on. What another
 * shard accepts says nothing about this one: only a record of its own does.
 */
export class ShardBackoff {
  readonly #options: Options;
  readonly #refusals = new Map<string, number>();
  #lastRefusedMs = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** What failed entries of one answer are grouped by: the shard where it is known. */
  static shardOf(error: RecordFailure): string {
    return shardPattern.exec(error.message)?.[0] ?? '';
  }

  /** Whether any shard refused lately; while none did there is no need to call `accepted`. */
  get isActive(): boolean {
    if (this.#refusals.size === 0) return false;
    const idleMs = this.#options.now() - this.#lastRefusedMs;
    if (idleMs > FORGET_AFTER_PAUSES * this.#options.retryMaxMs) this.clear();
    return this.#refusals.size > 0;
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
    this.#lastRefusedMs = this.#options.now();
    return fullJitterMs(attempt, this.#options);
  }

  /** The shard took a record. */
  accepted(shard: string): void {
    this.#refusals.delete(shard);
  }

  /** A whole batch was accepted: failures that name no shard are over. */
  acceptedAll(): void {
    this.#refusals.delete('');
  }

  /** Nothing is known of any shard any more. */
  clear(): void {
    this.#refusals.clear();
  }
}
