import { hashPlaceOf } from '../hot-shards.ts';

/** Keys whose place is remembered. Each costs a reference and a number. */
const SLOTS = 2 ** 16;

/**
 * The places of keys on the ring of hash keys, of which the latest are remembered: an MD5 costs several times as much as a
 * look. A key's slot is its lane, so that nobody can choose keys that share one.
 */
export class KeyPlaces {
  readonly #keys = new Array<string | undefined>(SLOTS).fill(undefined);
  readonly #places = new Float64Array(SLOTS);

  /** Undefined where MD5 is not available. */
  placeOf(
    {
      partitionKey,
      explicitHashKey,
    }: { readonly partitionKey: string; readonly explicitHashKey?: string | undefined },
    lane: number,
  ): number | undefined {
    if (explicitHashKey !== undefined) return hashPlaceOf(partitionKey, explicitHashKey);
    const slot = lane & (SLOTS - 1);
    if (this.#keys[slot] === partitionKey) return this.#places[slot];
    const place = hashPlaceOf(partitionKey, undefined);
    if (place === undefined) return undefined;
    this.#keys[slot] = partitionKey;
    this.#places[slot] = place;
    return place;
  }
}
