import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Repeatable random choices. What the scheduler does in between is not repeatable. */
export interface Dice {
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  oneOf<T>(choices: readonly T[]): T;
}

export function dice(seed: number): Dice {
  const generator = xoroshiro128plus(seed);
  const between = (least: number, most: number): number => uniformInt(generator, least, most);
  return { between, oneOf: (choices) => choices[between(0, choices.length - 1)] as (typeof choices)[number] };
}
