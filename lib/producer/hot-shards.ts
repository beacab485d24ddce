import { hash } from 'node:crypto';

/** Bytes used of the 128-bit hash key: enough to tell shards apart, and exact in a number. */
const HASH_BYTES = 6;
const EXPLICIT_HASH_SHIFT = 80n;
/** A shard that has refused nothing for this long is no longer hot. */
const FORGET_AFTER_MS = 10_000;
/** Hot shards known at a time, of one stream; beyond this, each new one replaces an older one. */
const MAX_SHARDS = 1_000;
/**
 * The first pace: "A shard takes 1,000 records/s" (Kinesis Data Streams Developer Guide, "Quotas and
 * limits").
 */
const SHARD_RECORDS_PER_SECOND = 1_000;
const LEAST_PER_SECOND = 10;
/** Share asked of what a shard took in the second before it refused; the pace then rises slowly. */
const ASKED_SHARE = 0.9;
const DECREASE_EVERY_MS = 250;
const INCREASE_PER_SECOND = 0.2;
/** Seconds' worth of tokens that are kept while none is taken. */
const BURST_SECONDS = 0.1;

/**
 * The place of a record on the ring of hash keys, computed as Kinesis does: the MD5 of its partition key, or
 * the explicit hash key. Undefined where MD5 is not available (FIPS mode).
 */
export function hashPlaceOf(partitionKey: string, explicitHashKey: string | undefined): number | undefined {
  if (explicitHashKey !== undefined) return Number(BigInt(explicitHashKey) >> EXPLICIT_HASH_SHIFT);
  try {
    return hash('md5', partitionKey, 'buffer').readUIntBE(0, HASH_BYTES);
  } catch {
    return undefined;
  }
}

interface Held {
  readonly isSpooled: boolean;
}

/** A shard that refuses for its throughput. */
export class HotShard {
  readonly id: string;
  /** The lowest place that the shard was seen to own; `high` is the highest. */
  low: number;
  high: number;
  /** Records in memory that are known to belong to this shard: `live` are not on the disk. */
  live = 0;
  spooled = 0;
  lastRefusedMs: number;
  /** The pace of records from the disk. */
  #perSecond = SHARD_RECORDS_PER_SECOND * ASKED_SHARE;
  #tokens = 0;
  #tokensAtMs: number;
  #decreasedAtMs: number;
  #secondBeganMs: number;
  #taken = 0;
  #takenFromDisk = 0;
  #before: { readonly taken: number; readonly fromDisk: number } | undefined;

  constructor(id: string, { place, nowMs }: { readonly place: number; readonly nowMs: number }) {
    this.id = id;
    this.low = this.high = place;
    this.lastRefusedMs = this.#tokensAtMs = this.#decreasedAtMs = this.#secondBeganMs = nowMs;
  }

  hold({ isSpooled }: Held): void {
    if (isSpooled) this.spooled++;
    else this.live++;
  }

  release({ isSpooled }: Held): void {
    if (isSpooled) this.spooled--;
    else this.live--;
  }

  accepted(nowMs: number, isFromDisk: boolean): void {
    this.#turn(nowMs);
    this.#taken++;
    if (isFromDisk) this.#takenFromDisk++;
  }

  refused(nowMs: number): void {
    this.#turn(nowMs);
    this.lastRefusedMs = nowMs;
    if (nowMs - this.#decreasedAtMs < DECREASE_EVERY_MS) return;
    this.#decreasedAtMs = nowMs;
    if (this.#before === undefined) return;
    const { taken, fromDisk } = this.#before;
    const capacity = Math.max(taken, this.#taken);
    this.#perSecond = Math.max(LEAST_PER_SECOND, capacity * ASKED_SHARE - (taken - fromDisk));
  }

  /**
   * Takes a token for a record that comes from the disk. Records from the application need no token, so that
   * they find room in the shard beside a long backlog.
   */
  takeToken(nowMs: number): boolean {
    if (!this.hasToken(nowMs)) return false;
    this.#tokens--;
    return true;
  }

  hasToken(nowMs: number): boolean {
    const seconds = (nowMs - this.#tokensAtMs) / 1_000;
    this.#tokensAtMs = nowMs;
    this.#perSecond *= 1 + INCREASE_PER_SECOND * Math.min(seconds, 1);
    this.#tokens = Math.min(
      this.#tokens + seconds * this.#perSecond,
      Math.max(1, this.#perSecond * BURST_SECONDS),
    );
    return this.#tokens >= 1;
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#secondBeganMs;
    if (elapsedMs < 1_000) return;
    const seconds = elapsedMs / 1_000;
    this.#before = { taken: this.#taken / seconds, fromDisk: this.#takenFromDisk / seconds };
    this.#taken = 0;
    this.#takenFromDisk = 0;
    this.#secondBeganMs = nowMs;
  }
}

/**
 * The shards that refuse now, learnt from their answers: Kinesis names the shard that refused a record, so
 * the record's place on the ring belongs to that shard. A producer with no permission but to put thus learns
 * which of its keys share the shard, without reading a shard map. After a split or a merge, new places
 * contradict what was learnt, which is then forgotten.
 */
export class HotShards {
  readonly #byId = new Map<string, HotShard>();

  get size(): number {
    return this.#byId.size;
  }

  /** The shard refused a record at this place. */
  refused(id: string, { place, nowMs }: { readonly place: number; readonly nowMs: number }): HotShard {
    let shard = this.#byId.get(id);
    if (shard === undefined) {
      shard = new HotShard(id, { place, nowMs });
      if (this.#byId.size >= MAX_SHARDS) this.#forgetOne();
      this.#byId.set(id, shard);
    }
    shard.low = Math.min(shard.low, place);
    shard.high = Math.max(shard.high, place);
    for (const other of this.#byId.values()) {
      if (other !== shard && other.low <= shard.high && shard.low <= other.high) this.#byId.delete(other.id);
    }
    return shard;
  }

  accepted(
    id: string,
    { nowMs, isFromDisk }: { readonly nowMs: number; readonly isFromDisk: boolean },
  ): void {
    this.#byId.get(id)?.accepted(nowMs, isFromDisk);
  }

  /** The hot shard that owns this place, if any does. */
  at(place: number): HotShard | undefined {
    for (const shard of this.#byId.values()) if (shard.low <= place && place <= shard.high) return shard;
    return undefined;
  }

  /** Forgets shards that are no longer hot. Call now and then. */
  cool(nowMs: number): void {
    for (const { id, lastRefusedMs } of this.#byId.values()) {
      if (nowMs - lastRefusedMs > FORGET_AFTER_MS) this.#byId.delete(id);
    }
  }

  clear(): void {
    this.#byId.clear();
  }

  #forgetOne(): void {
    for (const id of this.#byId.keys()) {
      this.#byId.delete(id);
      return;
    }
  }
}
