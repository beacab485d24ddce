import type { RecordFailure } from './errors.ts';
import { fullJitterMs, type RegionHealthOptions } from './region-health.ts';

/** Most shards remembered, enough for a stream of thousands; beyond this the oldest is forgotten. */
const MAX_SHARDS = 10_000;
/** Kinesis names the shard in the message: "Rate exceeded for shard shardId-000000000001 in stream orders under …". */
const shardPattern = /shardId-\d{12}/;

/**
 * A shard that refused nothing for this many of the longest pauses is forgotten: it may have been split, and
 * never answer again.
 */
const FORGET_AFTER_PAUSES = 10;

type Options = Pick<RegionHealthOptions, 'retryBaseMs' | 'retryMaxMs' | 'random'> & {
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/**
 * Pauses for records that one shard refuses. They wait together, with full jitter, and longer each time that
 * the shard refuses; other shards go on. Only an accepted record of the same shard ends its pauses.
 */
export class ShardBackoff {
  readonly #options: Options;
  readonly #refusals = new Map<string, number>();
  #lastRefusedMs = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The key by which failed entries of one answer are grouped: the shard where it is known. */
  static shardOf(error: RecordFailure): string {
    return shardPattern.exec(error.message)?.[0] ?? '';
  }

  /** Whether any shard refused lately; while none did, callers need not call `accepted`. */
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

  /** A whole batch was accepted: failures that named no shard are over. */
  acceptedAll(): void {
    this.#refusals.delete('');
  }

  /** Forgets all shards. */
  clear(): void {
    this.#refusals.clear();
  }
}
