import type { Entry, WrittenReceipt } from '../entry.ts';
import type { Lanes } from '../lanes.ts';
import type { OutgoingRecord } from '../record.ts';
import type { RegionalStream, Transport } from '../transport.ts';
import { BodyBuffers } from '../wire/body-buffers.ts';
import type { Aggregate } from './aggregate.ts';
import { KeysIgnoredError } from './errors.ts';
import { OpenAggregates } from './open-aggregates.ts';
import type { AggregateRules } from './rules.ts';
import type { ShardMap } from './shard-map.ts';
import { ShardMaps } from './shard-maps.ts';

/** An aggregate that landed in another shard than the shard map had said. */
interface Misplaced {
  readonly aggregate: Aggregate;
  readonly place: WrittenReceipt;
  readonly sinceMs: number;
}

/** Longest wait for a shard map that has the shard of an answer. Then records are sent again, which is safe, and may be needless. */
const JUDGE_WITHIN_MS = 3_000;

export interface AggregationOptions {
  readonly rules: AggregateRules;
  readonly lanes: Lanes;
  readonly ordered: boolean;
  readonly maxInFlight: number;
  readonly transport: Pick<Transport, 'listShards'>;
  /** False for a region whose stream is known to place records without regard to their keys. */
  readonly mayAggregate: (region: string | undefined) => boolean;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly hooks: AggregationHooks;
}

export interface AggregationHooks {
  /** The head of a lane that has lost its bytes while it waited; it must leave its lane. */
  readonly onBroken: (head: Entry) => void;
  /** The shard has all keys of the aggregate although another one was expected, as after a merge. */
  readonly onPlaced: (aggregate: Aggregate, place: WrittenReceipt) => void;
  /** The shard does not have all keys of the aggregate: the KCL will drop it. Its records are to be sent again. */
  readonly onMisplaced: (aggregate: Aggregate, place: WrittenReceipt) => void;
  /** Records may be grouped in another way now: there may be something to send. */
  readonly onChange: () => void;
  /** Shards cannot be asked for, so that records are aggregated by key; or keys are ignored, so that none are. */
  readonly onProblem: (problem: unknown) => void;
}

/** Bytes of request bodies' aggregates that are reused: for as many requests as may be in flight. */
const AGGREGATES_PER_REQUEST = 10;
/** A request has about so many bytes: large enough to cost little for each record, small enough to have several on their way. */
export const REQUEST_BYTES = AGGREGATES_PER_REQUEST * 50 * 1024;

/** Turns entries into aggregates for the stream that is written to now, and judges where they landed. */
export class Aggregation {
  readonly #options: AggregationOptions;
  readonly #open: OpenAggregates;
  readonly #maps: ShardMaps | undefined;
  readonly #buffers: BodyBuffers;
  #stream: RegionalStream | undefined;
  #epoch = 0;
  /** The stream does not place records by their keys. */
  #isContradicted = false;
  #isApart = false;
  /** These wait for the next shard map. */
  #misplaced: Misplaced[] = [];
  #judging: NodeJS.Timeout | undefined;

  constructor(options: AggregationOptions) {
    const { rules, lanes, ordered, random, now, hooks, transport, maxInFlight } = options;
    this.#options = options;
    this.#buffers = new BodyBuffers({ keep: AGGREGATES_PER_REQUEST * maxInFlight });
    this.#open = new OpenAggregates({ ...rules, lanes, ordered, random, now, onBroken: hooks.onBroken });
    if (rules.by === 'key') return;
    const list = transport.listShards?.bind(transport);
    this.#maps = new ShardMaps({
      list,
      random,
      onMap: (map) => this.#use(map),
      onProblem: hooks.onProblem,
    });
  }

  get ready(): number {
    return this.#open.ready;
  }
  get readyBytes(): number {
    return this.#open.readyBytes;
  }
  get isHurried(): boolean {
    return this.#open.isHurried;
  }
  get nextDueMs(): number | undefined {
    return this.#open.nextDueMs;
  }

  /** Everything goes to this stream from now on. What was not sent is formed again. */
  aim(stream: RegionalStream): void {
    this.#epoch++;
    this.#stream = stream;
    this.#isContradicted = false;
    for (const { aggregate, place } of this.#misplaced.splice(0)) {
      this.#options.hooks.onMisplaced(aggregate, place);
      this.#open.recycle(aggregate);
    }
    this.#maps?.aim(stream);
    this.#use(this.#maps?.current);
  }

  gather(): void {
    const { mayAggregate } = this.#options;
    const apart = this.#isContradicted || !mayAggregate(this.#stream?.region);
    // What was begun before that was known would be dropped by the KCL.
    if (apart && !this.#isApart) for (const head of this.#open.dissolve()) this.#options.lanes.retry(head);
    this.#isApart = apart;
    this.#open.gather({ apart });
  }
  follow(entry: Entry): void {
    this.#open.follow(entry);
  }
  closeDue(): void {
    this.#open.closeDue();
  }
  closeAll(): void {
    this.#open.closeAll();
  }

  /** Aggregates for one request. */
  take(mostRecords: number): Aggregate[] {
    const taken = this.#open.take({ records: mostRecords, bytes: REQUEST_BYTES });
    for (const aggregate of taken) aggregate.epoch = this.#epoch;
    return taken;
  }

  encode(aggregate: Aggregate): OutgoingRecord {
    return aggregate.encode(this.#buffers);
  }

  /** The service has answered for the aggregate. */
  answered(aggregate: Aggregate): void {
    aggregate.release(this.#buffers);
  }

  /** The stream is not there: if it is made again, its shards are others with the same names. */
  streamGone(): void {
    this.#regroup(undefined);
    this.#maps?.forget();
  }

  /** Call last for each request: these are needed no more, but for those that wait to be judged. */
  recycle(aggregates: readonly Aggregate[]): void {
    for (const aggregate of aggregates) if (!aggregate.isHeld) this.#open.recycle(aggregate);
  }

  /** Whether the aggregate is where it has to be. If not, a hook tells sooner or later what becomes of it. */
  accepts(aggregate: Aggregate, place: WrittenReceipt): boolean {
    const { kind, entries } = aggregate;
    if (kind.shardId === undefined || entries.length === 1 || kind.shardId === place.shardId) return true;
    if (aggregate.epoch !== this.#epoch) {
      // Shards of another stream may have the same names: its own map is gone.
      this.#options.hooks.onMisplaced(aggregate, place);
      return false;
    }
    if (kind.map?.has(place.shardId) === true) {
      this.#contradicted(aggregate, place);
      return false;
    }
    const maps = this.#maps as ShardMaps;
    const owns = maps.current?.owns(place.shardId, entries);
    if (owns === true) return true;
    if (owns === false) {
      this.#options.hooks.onMisplaced(aggregate, place);
      return false;
    }
    aggregate.isHeld = true;
    this.#misplaced.push({ aggregate, place, sinceMs: this.#options.now() });
    this.#judging ??= setTimeout(() => this.#use(maps.current), JUDGE_WITHIN_MS);
    // Until there is another map, records are grouped by key, which is right whatever the shards are.
    if (maps.current !== undefined) this.#regroup(undefined);
    maps.expire();
    return false;
  }

  /** The ranges of two shards that are in one map never overlap, so no stream that places by key gives such an answer. */
  #contradicted(aggregate: Aggregate, place: WrittenReceipt): void {
    const { hooks } = this.#options;
    if (!this.#isContradicted) {
      this.#isContradicted = true;
      hooks.onProblem(new KeysIgnoredError(place));
    }
    hooks.onMisplaced(aggregate, place);
  }

  /** Gives up what was not sent or is not where it has to be. Returns the heads. */
  dissolve(): Entry[] {
    const misplaced = this.#misplaced.splice(0);
    return [...this.#open.dissolve(), ...misplaced.flatMap(({ aggregate }) => [...aggregate.heads])];
  }

  *heads(): Generator<Entry> {
    yield* this.#open.heads();
    for (const { aggregate } of this.#misplaced) yield* aggregate.heads;
  }

  close(): void {
    clearTimeout(this.#judging);
    this.#maps?.close();
  }

  #use(map: ShardMap | undefined): void {
    this.#regroup(map);
    this.#judge(map);
    this.#options.hooks.onChange();
  }

  #judge(map: ShardMap | undefined): void {
    clearTimeout(this.#judging);
    this.#judging = undefined;
    const { hooks, now } = this.#options;
    const beforeMs = now() - JUDGE_WITHIN_MS + 1;
    let isStale = false;
    for (const one of this.#misplaced.splice(0)) {
      const { aggregate, place, sinceMs } = one;
      const owns = map?.owns(place.shardId, aggregate.entries);
      if (owns === true) hooks.onPlaced(aggregate, place);
      else if (owns === false || sinceMs <= beforeMs) hooks.onMisplaced(aggregate, place);
      else {
        isStale = true;
        this.#misplaced.push(one);
        continue;
      }
      this.#open.recycle(aggregate);
    }
    const [oldest] = this.#misplaced;
    if (oldest === undefined) return;
    const leftMs = Math.max(1, oldest.sinceMs + JUDGE_WITHIN_MS - now());
    this.#judging = setTimeout(() => this.#use(this.#maps?.current), leftMs);
    if (isStale && map !== undefined) {
      this.#regroup(undefined);
      this.#maps?.expire();
    }
  }

  #regroup(map: ShardMap | undefined): void {
    for (const head of this.#open.use(map)) this.#options.lanes.retry(head);
  }
}
