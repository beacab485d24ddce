import TinyQueue from 'tinyqueue';

/**
 * Order of what happens in the same millisecond, so that it does not depend on who was scheduled first: the world
 * outside, then a new run (which takes the round that is due from the old one), then rounds, then who watches them.
 */
export const ranks = {
  world: 0,
  takeover: 1,
  roundEnd: 2,
  round: 3,
  check: 4,
  dns: 5,
  conductor: 6,
  producer: 7,
} as const;
export type Rank = (typeof ranks)[keyof typeof ranks];

interface Due {
  readonly atMs: number;
  readonly rank: Rank;
  /** Number of the observer, checker or producer: the last tie-break. */
  readonly index: number;
  readonly run: () => void;
}

export interface Schedule {
  readonly rank: Rank;
  readonly index?: number;
  readonly run: () => void;
}

/** Virtual time: what is due, in order. */
export class Agenda {
  readonly #queue = new TinyQueue<Due>([], (a, b) => a.atMs - b.atMs || a.rank - b.rank || a.index - b.index);
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What is due in the past happens now. */
  at(atMs: number, { rank, index = 0, run }: Schedule): void {
    this.#queue.push({ atMs: Math.max(atMs, this.#nowMs), rank, index, run });
  }

  /** Runs everything up to, but not including, `endMs`, as long as `go` says so. */
  runUntil(endMs: number, afterEach: () => boolean): void {
    for (;;) {
      const due = this.#queue.peek();
      if (due === undefined || due.atMs >= endMs) {
        this.#nowMs = endMs;
        return;
      }
      this.#queue.pop();
      this.#nowMs = due.atMs;
      due.run();
      if (!afterEach()) return;
    }
  }
}
