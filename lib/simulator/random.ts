import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * Two kinds of chance, both from one seed. A stream is drawn in order, and every purpose has its own, so that one
 * part's draws do not shift another's. A die is addressed: the n-th check of a checker has its luck whether or not the
 * checks before it were computed, which is what lets a quiet stretch be skipped exactly.
 */
export function stream(seed: number): () => number {
  // Hashed first: a generator of linear steps takes long to tell neighbouring seeds apart.
  const generator = xoroshiro128plus(hash(seed, 0));
  for (let n = 0; n < 20; n++) uniformFloat64(generator);
  return () => uniformFloat64(generator);
}

/** The mixing of MurmurHash3 (A. Appleby), over words instead of bytes; pure-rand has no random access. */
export function hash(seed: number, a: number, b = 0, c = 0): number {
  let h = mixed(mixed(mixed(seed | 0, a), b), c);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mixed(h: number, word: number): number {
  const k = Math.imul(word | 0, 0xcc9e2d51);
  const turned = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}

/** A hash as a number in [0, 1). */
export const uniform = (hashed: number): number => hashed / 2 ** 32;

/** A seed of its own for a named purpose. */
export function seedFor(seed: number, purpose: string, index = 0): number {
  let h = seed | 0;
  for (let n = 0; n < purpose.length; n++) h = mixed(h, purpose.charCodeAt(n));
  return hash(h, index);
}

/** Dice that are set to an address and then drawn from, as often as needed. One per user: they hold their place. */
export class Dice {
  #address = 0;
  #drawn = 0;
  readonly next = (): number => uniform(hash(this.#address, this.#drawn++));

  at(seed: number, a: number, b = 0, c = 0): this {
    this.#address = hash(seed, a, b, c);
    this.#drawn = 0;
    return this;
  }
}

/** Whole milliseconds from `from` to `to`. */
export const between = (share: number, from: number, to: number): number =>
  Math.round(from + share * (to - from));

/** Waiting time of a process without memory, with this mean. */
export const exponential = (share: number, mean: number): number => -Math.log(1 - share) * mean;
