import type { HotShard } from './hot-shards.ts';
import { comparePositions, type SpoolPosition } from './spool/position.ts';

/** Records of one key's lane, or of the lanes of one hot shard, that the reader has skipped. */
export interface Skip {
  /** Lane of the record that began the skip. */
  readonly lane: number;
  readonly shard: HotShard | undefined;
  /** Place before which the skip has no records. */
  at: SpoolPosition;
  /** Records that were skipped and not taken since. */
  records: number;
}

/**
 * Most keys and shards that are skipped at a time. At this number the reading waits until one of them is
 * done.
 */
const MAX_SKIPS = 1_024;

/** Remembers what the reading of a log has skipped, and from where each skip has to be read. */
export class Skips {
  /** Skipped records of each lane. */
  readonly #skipped: Int32Array;
  /** The slot of the lane's skip, while it has skipped records. */
  readonly #slotOf: Uint16Array;
  readonly #slots: (Skip | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #slotOfShard = new Map<HotShard, number>();
  #size = 0;

  constructor(lanes: number) {
    this.#skipped = new Int32Array(lanes);
    this.#slotOf = new Uint16Array(lanes);
  }

  get size(): number {
    return this.#size;
  }

  get hasSlot(): boolean {
    return this.#size < MAX_SKIPS;
  }

  has(lane: number): boolean {
    return (this.#skipped[lane] as number) > 0;
  }

  /** Adds one more record of a lane that already has skipped records. */
  addTo(lane: number): void {
    this.#skipped[lane] = (this.#skipped[lane] as number) + 1;
    this.#of(lane).records++;
  }

  /** Begins the skips of a lane that has none. False when there is no room for another skip. */
  begin({ lane, shard, at }: Pick<Skip, 'lane' | 'shard' | 'at'>): boolean {
    let slot = shard === undefined ? undefined : this.#slotOfShard.get(shard);
    if (slot === undefined) {
      if (!this.hasSlot) return false;
      slot = this.#freeSlots.pop() ?? this.#slots.length;
      this.#slots[slot] = { lane, shard, at, records: 0 };
      if (shard !== undefined) this.#slotOfShard.set(shard, slot);
      this.#size++;
    }
    this.#slotOf[lane] = slot;
    this.addTo(lane);
    return true;
  }

  /** The earliest place of the skips that qualify. */
  earliest(qualifies: (skip: Skip) => boolean): SpoolPosition | undefined {
    let earliest: SpoolPosition | undefined;
    for (const skip of this.#slots) {
      if (skip === undefined || (earliest !== undefined && comparePositions(earliest, skip.at) <= 0))
        continue;
      if (qualifies(skip)) earliest = skip.at;
    }
    return earliest;
  }

  /** Begins a pass from this place on. It may only take records of skips that have none before this place. */
  pass(from: SpoolPosition): Pass {
    const covered = new Set<Skip>();
    for (const skip of this.#slots) {
      if (skip !== undefined && comparePositions(skip.at, from) >= 0) covered.add(skip);
    }
    return new Pass(covered, { skips: this, of: (lane) => (this.has(lane) ? this.#of(lane) : undefined) });
  }

  took(lane: number): void {
    const skip = this.#of(lane);
    this.#skipped[lane] = (this.#skipped[lane] as number) - 1;
    skip.records--;
    if (skip.records > 0) return;
    const slot = this.#slotOf[lane] as number;
    this.#slots[slot] = undefined;
    this.#freeSlots.push(slot);
    if (skip.shard !== undefined) this.#slotOfShard.delete(skip.shard);
    this.#size--;
  }

  #of(lane: number): Skip {
    return this.#slots[this.#slotOf[lane] as number] as Skip;
  }
}

/**
 * One pass over skipped records. To keep the order, a lane of which one record found no room takes no later
 * record either.
 */
export class Pass {
  readonly #covered: Set<Skip>;
  readonly #skips: Skips;
  readonly #of: (lane: number) => Skip | undefined;
  readonly #refusedLanes = new Set<number>();
  /** Skips that can take nothing more in this pass. */
  readonly #closed = new Set<Skip>();
  /** Where each skip's first record without room was. */
  readonly #firstRefused = new Map<Skip, SpoolPosition>();

  constructor(
    covered: Set<Skip>,
    { skips, of }: { readonly skips: Skips; readonly of: (lane: number) => Skip | undefined },
  ) {
    this.#covered = covered;
    this.#skips = skips;
    this.#of = of;
  }

  /** Whether any skip may still take a record. */
  get isOpen(): boolean {
    return this.#closed.size < this.#covered.size;
  }

  covers(lane: number): boolean {
    const skip = this.#of(lane);
    return skip !== undefined && this.#covered.has(skip);
  }

  isRefused(lane: number): boolean {
    return this.#refusedLanes.has(lane);
  }

  /** Notes that there is no room for this record: its key's lane is full, or its shard takes no more. */
  refuse(lane: number, { at, by }: { readonly at: SpoolPosition; readonly by: 'key' | 'shard' }): void {
    this.#refusedLanes.add(lane);
    const skip = this.#of(lane) as Skip;
    if (by === 'shard' || skip.shard === undefined) this.#closed.add(skip);
    if (!this.#firstRefused.has(skip)) this.#firstRefused.set(skip, at);
  }

  took(lane: number): void {
    const skip = this.#of(lane) as Skip;
    this.#skips.took(lane);
    if (skip.records === 0) this.#covered.delete(skip);
  }

  /** Ends the pass at this place: records of a skip that were not refused before it are taken. */
  end(at: SpoolPosition): void {
    for (const skip of this.#covered) {
      const first = this.#firstRefused.get(skip);
      if (first !== undefined) skip.at = first;
      else if (comparePositions(skip.at, at) < 0) skip.at = at;
    }
  }
}
