import { hash } from 'node:crypto';

/** Of the 128 bits that choose a shard: enough to tell shards apart, and exact in a number. */
const HASH_BYTES = 6;
const EXPLICIT_HASH_SHIFT = 80n;
/** A shard that has refused nothing for so long takes what it is asked. */
const FORGET_AFTER_MS = 10_000;
/** Of one stream at a time; beyond, a shard is let go for each that comes. */
const MAX_SHARDS = 1_000;
/** "A shard takes 1,000 records/s" (Kinesis Data Streams Developer Guide, "Quotas and limits"): where the pace begins. */
const SHARD_RECORDS_PER_SECOND = 1_000;
const LEAST_PER_SECOND = 10;
/** What a shard took in the second before it refused is what it takes; so much of that is asked, and then slowly more. */
const ASKED_SHARE = 0.9;
const DECREASE_EVERY_MS = 250;
const INCREASE_PER_SECOND = 0.2;
/** Tokens that are kept while nobody takes them, in seconds. */
const BURST_SECONDS = 0.1;

/**
 * The place of a record on the ring of hash keys, as Kinesis finds it: the MD5 of its partition key, or the explicit
 * hash key. Undefined where MD5 is not to be had (FIPS mode).
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
  /** Between the lowest and the highest place that it was seen to own. */
  low: number;
  high: number;
  /** Records in memory that are known to be its own: those that the disk does not have, and those that it has. */
  live = 0;
  spooled = 0;
  lastRefusedMs: number;
  /** Of records from the disk. */
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
   * Takes a token for a record that comes from the disk. Records that come from the application need none, so that they
   * find room in the shard beside a long backlog.
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
 * The shards that refuse now, by what their answers teach: Kinesis names the shard that refused a record, and the
 * record's place is then known to be the shard's. So a producer that may only put learns which of its keys share the
 * shard, without asking for a map. After a split or a merge places contradict what was learnt, which is then forgotten.
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

  /** Call now and then. */
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
