import type { ConfigProblem } from './errors.ts';

/** Things that may have one owner each: the first to claim a key has it. */
export class Claims {
  readonly #owners = new Map<string, string>();

  /** Takes `key` for `path`, or says who has it already. */
  take(key: string, path: string, fix: string): readonly ConfigProblem[] {
    const owner = this.#owners.get(key);
    if (owner === undefined) {
      this.#owners.set(key, path);
      return [];
    }
    return [{ path, problem: `is the same as ${owner}`, fix }];
  }
}
