import type { Entry, WrittenReceipt } from '../entry.ts';
import type { Lanes } from '../lanes.ts';
import type { OutgoingRecord } from '../record.ts';
import type { RegionalStream, Transport } from '../transport.ts';
import { BodyBuffers } from '../wire/body-buffers.ts';
import type { Aggregate } from './aggregate.ts';
import { OpenAggregates } from './open-aggregates.ts';
import type { AggregateRules } from './rules.ts';
import type { ShardMap } from './shard-map.ts';
import { ShardMaps } from './shard-maps.ts';

/** An aggregate that landed in another shard than the shard map had said. */
interface Misplaced {
  readonly aggregate: Aggregate;
  readonly place: WrittenReceipt;
}

export interface AggregationOptions {
  readonly rules: AggregateRules;
  readonly lanes: Lanes;
  readonly ordered: boolean;
  readonly maxInFlight: number;
  readonly transport: Pick<Transport, 'listShards'>;
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
  /** Shards cannot be asked for, so that records are aggregated by key. */
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
  #epoch = 0;
  /** These wait for the next shard map. */
  #misplaced: Misplaced[] = [];

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
  get nextDueMs(): number | undefined {
    return this.#open.nextDueMs;
  }

  /** Everything goes to this stream from now on. What was not sent is formed again. */
  aim(stream: RegionalStream): void {
    this.#epoch++;
    this.#maps?.aim(stream);
    this.#use(this.#maps?.current);
  }

  gather(): void {
    this.#open.gather();
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

  /** All its entries are done, or in their lanes again. */
  recycle(aggregate: Aggregate): void {
    this.#open.recycle(aggregate);
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
    const { current } = this.#maps as ShardMaps;
    if (current?.owns(place.shardId, entries) === true) return true;
    this.#misplaced.push({ aggregate, place });
    this.#maps?.expire();
    // Until there is another map, records are grouped by key, which is right whatever the shards are.
    if (current !== undefined) this.#regroup(undefined);
    return false;
  }

  /** Gives up what was not sent or is not where it has to be. Returns the heads. */
  dissolve(): Entry[] {
    const misplaced = this.#misplaced.splice(0);
    return [
      ...this.#open.dissolve(),
      ...misplaced.flatMap(({ aggregate }) => aggregate.runs.map(({ head }) => head)),
    ];
  }

  *heads(): Generator<Entry> {
    yield* this.#open.heads();
    for (const { aggregate } of this.#misplaced) for (const { head } of aggregate.runs) yield head;
  }

  close(): void {
    this.#maps?.close();
  }

  #use(map: ShardMap | undefined): void {
    this.#regroup(map);
    const { onPlaced, onMisplaced, onChange } = this.#options.hooks;
    for (const { aggregate, place } of this.#misplaced.splice(0)) {
      const owns = map?.owns(place.shardId, aggregate.entries);
      if (owns === true) onPlaced(aggregate, place);
      else onMisplaced(aggregate, place);
      if (map !== undefined && owns === undefined) this.#maps?.expire();
    }
    onChange();
  }

  #regroup(map: ShardMap | undefined): void {
    for (const head of this.#open.use(map)) this.#options.lanes.retry(head);
  }
}
