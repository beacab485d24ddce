import { AggregateEncoder } from '../../aggregate/encoder.ts';
import { beginsLikeAggregate } from '../../aggregate/format.ts';
import { type Entry, isWhole } from '../entry.ts';
import { Fifo } from '../fifo.ts';
import type { Lanes } from '../lanes.ts';
import { Aggregate, type AggregateKind } from './aggregate.ts';
import { Grouping } from './grouping.ts';
import { KeyPlaces, NO_SLOT } from './key-places.ts';
import type { ShardMap } from './shard-map.ts';

export interface OpenAggregatesOptions {
  readonly lanes: Lanes;
  readonly ordered: boolean;
  /** Bytes of a Kinesis record, its key included, from which on it takes no more records. */
  readonly targetBytes: number;
  /** The most bytes of a Kinesis record, its key included. */
  readonly mostBytes: number;
  /** How long a record may wait for others. */
  readonly lingerMs: number;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The head of a lane that has lost its bytes while it waited; it must leave its lane. */
  readonly onBroken: (head: Entry) => void;
}

/** Busy shards fill an aggregate in this time; for a lane it is little beside a round trip. */
const HURRY_MS = 5;
/** Aggregates that are kept for the next records. */
const KEPT_AGGREGATES = 256;
/** Numbers of aggregates begin again after this one, when nobody remembers the first. */
const MOST_NUMBER = 2 ** 31 - 1;
const HASH_KEY_BITS = 128;
const RANDOM_BITS = 32;

/**
 * Gathers the ready heads of lanes, and the entries behind them, into aggregates. An entry in an aggregate stays where it is in
 * its lane, so that giving up an aggregate costs nothing: only its heads are told to be ready again.
 */
export class OpenAggregates {
  readonly #options: OpenAggregatesOptions;
  readonly #grouping: Grouping;
  /** By group; the oldest, which is due first, comes first. */
  readonly #open = new Map<string | number, Aggregate>();
  /** Those of them that have records waiting behind, and when they are to be closed. */
  readonly #hurried = new Map<Aggregate, number>();
  /** To be sent, oldest first. */
  readonly #ready = new Fifo<Aggregate>();
  /** By lane: aggregates that are closed to all other lanes, and wait to be sent. */
  readonly #extendable = new Map<number, Aggregate>();
  readonly #places = new KeyPlaces();
  readonly #free: Aggregate[] = [];
  #readyBytes = 0;
  #begunSoFar = 0;

  constructor(options: OpenAggregatesOptions) {
    this.#options = options;
    const { lanes, ordered } = options;
    this.#grouping = new Grouping({ lanes, ordered, places: this.#places });
  }

  /** Aggregates that wait to be sent. */
  get ready(): number {
    return this.#ready.length;
  }
  get readyBytes(): number {
    return this.#readyBytes;
  }
  /** When the next aggregate is to be closed; undefined while none is open. */
  get nextDueMs(): number | undefined {
    for (const { kind } of this.#open.values()) return kind.dueMs;
    return undefined;
  }

  /** Whether `closeDue` should be called soon, whatever `nextDueMs` says. */
  get isHurried(): boolean {
    return this.#hurried.size > 0;
  }

  /** Forms aggregates by this map from now on. Returns the heads of those that were not sent: they are to be ready again. */
  use(map: ShardMap | undefined): Entry[] {
    const heads = this.dissolve();
    this.#grouping.use(map);
    return heads;
  }

  /** Takes in all heads that are ready. `apart`: each becomes a record of its own. */
  gather({ apart }: { readonly apart: boolean }): void {
    const { lanes } = this.#options;
    while (lanes.ready > 0) {
      const heads = lanes.take({ records: lanes.ready, bytes: Number.POSITIVE_INFINITY });
      for (const head of heads) this.#takeIn(head, apart);
    }
  }

  /** This entry was added to its lane: it joins those before it, where all of them wait in one aggregate. */
  follow(entry: Entry): void {
    const { lane } = entry;
    const inLane = this.#options.lanes.lengthOf(lane);
    if (inLane < 2) return;
    const own = this.#extendable.get(lane) ?? this.#open.get(this.#grouping.of(entry).group);
    const head = own?.headIn(lane);
    if (own !== undefined && head !== undefined) {
      if (head.run === inLane - 1 && !this.#join(own, { head, entry })) this.#hurry(own);
      return;
    }
    // The lane waits in an aggregate that the entry may not join.
    for (const other of this.#open.values()) if (other.headIn(lane) !== undefined) this.#hurry(other);
  }

  /** Closes what has waited long enough. */
  closeDue(): void {
    const nowMs = this.#options.now();
    for (const aggregate of this.#open.values()) {
      if (aggregate.kind.dueMs > nowMs) break;
      this.#close(aggregate);
    }
    for (const [aggregate, dueMs] of this.#hurried) if (dueMs <= nowMs) this.#close(aggregate);
  }

  closeAll(): void {
    for (const aggregate of this.#open.values()) this.#close(aggregate);
  }

  /** Aggregates for one request, up to both limits, at least one if one is ready. None of them changes any more. */
  take({ records, bytes }: { readonly records: number; readonly bytes: number }): Aggregate[] {
    const taken: Aggregate[] = [];
    let takenBytes = 0;
    for (let next = this.#ready.peek(); next !== undefined; next = this.#ready.peek()) {
      const nextBytes = sizeOf(next);
      if (taken.length >= records || (taken.length > 0 && takenBytes + nextBytes > bytes)) break;
      this.#ready.shift();
      this.#readyBytes -= next.countedBytes;
      if (!this.#seal(next)) continue;
      takenBytes += nextBytes;
      taken.push(next);
    }
    return taken;
  }

  /** Nobody needs the aggregate any more. */
  recycle(aggregate: Aggregate): void {
    aggregate.clear();
    if (this.#free.length < KEPT_AGGREGATES) this.#free.push(aggregate);
  }

  /** Gives up all aggregates that were not sent, and returns the heads in them. */
  dissolve(): Entry[] {
    const heads = [...this.heads()];
    for (const aggregate of [...this.#open.values(), ...this.#ready.clear()]) {
      this.recycle(aggregate);
    }
    this.#open.clear();
    this.#hurried.clear();
    this.#extendable.clear();
    this.#readyBytes = 0;
    return heads;
  }

  *heads(): Generator<Entry> {
    for (const { heads } of this.#ready) yield* heads;
    for (const { heads } of this.#open.values()) yield* heads;
  }

  #takeIn(head: Entry, apart: boolean): void {
    const { lanes } = this.#options;
    const aggregate = apart || beginsLikeAggregate(head.data) ? this.#alone(head) : this.#with(head);
    aggregate.lead(head);
    if (aggregate.state === 'sealed') return;
    let entry = lanes.secondIn(head.lane);
    while (entry !== undefined && this.#join(aggregate, { head, entry })) entry = lanes.behind(entry);
    if (entry !== undefined) this.#hurry(aggregate);
  }

  /** The aggregate that the head is in now. */
  #with(head: Entry): Aggregate {
    const { group, shardId, map, needsHashKey } = this.#grouping.of(head);
    const open = this.#open.get(group);
    if (open !== undefined) {
      if (this.#add(open, head)) return open;
      this.#close(open);
    }
    const hashKey = needsHashKey ? this.#drawHashKey() : undefined;
    const dueMs = this.#options.now() + this.#options.lingerMs;
    const aggregate = this.#begun(head, { group, shardId, map, hashKey, dueMs });
    if (!this.#add(aggregate, head)) {
      this.recycle(aggregate);
      return this.#alone(head);
    }
    this.#open.set(group, aggregate);
    return aggregate;
  }

  /** For a record that cannot share: one that is too large, or that is an aggregate itself. */
  #alone(head: Entry): Aggregate {
    const kind = { group: '', shardId: undefined, map: undefined, hashKey: undefined, dueMs: 0 };
    const aggregate = this.#begun(head, kind);
    aggregate.hold(head);
    aggregate.state = 'sealed';
    this.#offer(aggregate);
    return aggregate;
  }

  /** Adds the entry that `#grouping` was last asked for. */
  #add(aggregate: Aggregate, entry: Entry): boolean {
    const { slot } = this.#grouping;
    const known = slot === NO_SLOT ? undefined : this.#places.indexIn(slot, aggregate.number);
    // Records of an explicit hash key are few, and those of one key alone have it in one place.
    const index = known ?? (slot === NO_SLOT ? aggregate.find(entry.partitionKey) : undefined);
    if (!aggregate.add(entry, index)) return false;
    if (slot !== NO_SLOT && known === undefined)
      this.#places.putInto(slot, { aggregate: aggregate.number, index: aggregate.lastKeyIndex });
    return true;
  }

  /** Whether the entry, which comes right behind those of its lane that the head leads, travels with them. */
  #join(aggregate: Aggregate, { head, entry }: { readonly head: Entry; readonly entry: Entry }): boolean {
    if (aggregate.state === 'sealed' || beginsLikeAggregate(entry.data) || !isWhole(entry)) return false;
    if (this.#grouping.of(entry).group !== aggregate.kind.group) return false;
    const isAlone = aggregate.heads.length === 1;
    if (aggregate.state === 'closed' && !isAlone) return false;
    if (!this.#add(aggregate, entry)) {
      if (aggregate.state === 'closed') return false;
      this.#close(aggregate);
      // A key that has so much waiting would otherwise be sent no faster than one target for each round trip.
      if (!isAlone || !this.#add(aggregate, entry)) return false;
    }
    head.run++;
    return true;
  }

  /** Records wait behind the aggregate that may not be in it: it does not wait for others for long, or each of them would. */
  #hurry(aggregate: Aggregate): void {
    if (aggregate.state !== 'open' || this.#hurried.has(aggregate)) return;
    this.#hurried.set(aggregate, this.#options.now() + Math.min(HURRY_MS, this.#options.lingerMs));
  }

  #close(aggregate: Aggregate): void {
    this.#open.delete(aggregate.kind.group);
    this.#hurried.delete(aggregate);
    aggregate.state = 'closed';
    if (aggregate.heads.length === 1 && this.#options.ordered) {
      aggregate.limit(this.#options.mostBytes);
      this.#extendable.set(aggregate.heads.at(0).lane, aggregate);
    }
    this.#offer(aggregate);
  }

  #offer(aggregate: Aggregate): void {
    this.#ready.push(aggregate);
    // Entries of a lane that has the aggregate to itself may still join, and are not counted.
    aggregate.countedBytes = sizeOf(aggregate);
    this.#readyBytes += aggregate.countedBytes;
  }

  /** False when an entry has lost its bytes: then its lane is tried again, without it. */
  #seal(aggregate: Aggregate): boolean {
    if (aggregate.heads.length === 1) this.#extendable.delete(aggregate.heads.at(0).lane);
    if (aggregate.state !== 'sealed' && aggregate.bytes > this.#options.targetBytes) aggregate.trim();
    aggregate.state = 'sealed';
    if (aggregate.isWhole) return true;
    const { lanes, onBroken } = this.#options;
    const heads = [...aggregate.heads];
    this.recycle(aggregate);
    for (const head of heads) {
      if (isWhole(head)) lanes.retry(head);
      else onBroken(head);
    }
    return false;
  }

  #begun(first: Entry, kind: AggregateKind): Aggregate {
    const { targetBytes } = this.#options;
    const aggregate = this.#free.pop() ?? new Aggregate(new AggregateEncoder({ maxBytes: targetBytes }));
    this.#begunSoFar = (this.#begunSoFar % MOST_NUMBER) + 1;
    aggregate.begin(first, { kind, number: this.#begunSoFar });
    aggregate.limit(targetBytes);
    return aggregate;
  }

  #drawHashKey(): string {
    let key = 0n;
    for (let bits = 0; bits < HASH_KEY_BITS; bits += RANDOM_BITS) {
      key = (key << BigInt(RANDOM_BITS)) | BigInt(Math.floor(this.#options.random() * 2 ** RANDOM_BITS));
    }
    return key.toString();
  }
}

const sizeOf = ({ entries, bytes }: Aggregate): number => (entries.length === 1 ? entries.at(0).size : bytes);
