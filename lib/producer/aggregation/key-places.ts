import { hashPlaceOf } from '../hot-shards.ts';

/** Keys that are remembered. Each costs a reference and three numbers. */
const SLOTS = 2 ** 16;
/** In the place of a slot: its key has no place that could be remembered. */
export const NO_SLOT = -1;

/**
 * Remembers of the latest keys where they are on the ring of hash keys, and where in the aggregate that they were last put into: an MD5
 * costs several times as much as a look, and so does a map of keys for each aggregate. A key's slot is its lane, so that nobody can
 * choose keys that share one.
 */
export class KeyPlaces {
  readonly #keys = new Array<string | undefined>(SLOTS).fill(undefined);
  readonly #places = new Float64Array(SLOTS);
  readonly #aggregates = new Int32Array(SLOTS);
  readonly #indexes = new Int32Array(SLOTS);

  /** The slot of a key whose hash decides its shard. NO_SLOT where MD5 is not available. */
  slotOf(partitionKey: string, lane: number): number {
    const slot = lane & (SLOTS - 1);
    if (this.#keys[slot] === partitionKey) return slot;
    // Keys have two slots: with one, a seventh of ten thousand keys drives another one out, again and again.
    const other = slot ^ 1;
    if (this.#keys[other] === partitionKey) return other;
    const place = hashPlaceOf(partitionKey, undefined);
    if (place === undefined) return NO_SLOT;
    const free = this.#keys[slot] === undefined ? slot : other;
    this.#keys[free] = partitionKey;
    this.#places[free] = place;
    this.#aggregates[free] = 0;
    return free;
  }

  placeAt(slot: number): number {
    return this.#places[slot] as number;
  }

  /** Where the key is in this aggregate, whose number is not 0; undefined if it is not, or nobody remembers. */
  indexIn(slot: number, aggregate: number): number | undefined {
    return this.#aggregates[slot] === aggregate ? this.#indexes[slot] : undefined;
  }

  putInto(slot: number, { aggregate, index }: { readonly aggregate: number; readonly index: number }): void {
    this.#aggregates[slot] = aggregate;
    this.#indexes[slot] = index;
  }
}
