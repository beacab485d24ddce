import { type Beacon, isTrouble, MOST_REGIONS, tallyOf } from '../../../lambda/core/beacon-item.ts';
import { Tally } from './tally.ts';

/** What is counted of one stream, and when it is to be reported next. */
export class StreamReport {
  readonly stream: string;
  /** Monotonic milliseconds. */
  dueMs: number;
  /** When to look whether failures are trouble; infinity while there are none. */
  checkMs = Number.POSITIVE_INFINITY;
  /** Whether anything was put since the last beacon. */
  hasNews = false;
  /** Whether the last beacon reported trouble. */
  inTrouble = false;
  lagMs = 0;
  #sequence = 0;
  readonly #tallies = new Map<string, Tally>();

  constructor(stream: string, dueMs: number) {
    this.stream = stream;
    this.dueMs = dueMs;
  }

  tallyOf(region: string): Tally {
    let tally = this.#tallies.get(region);
    if (tally === undefined) {
      tally = new Tally();
      this.#tallies.set(region, tally);
    }
    return tally;
  }

  get wakeMs(): number {
    return Math.min(this.dueMs, this.checkMs);
  }

  /** What was lately put, by region; the region with the most attempts comes first where there are too many. */
  regions(nowMs: number): Beacon['regions'] {
    const found = [...this.#tallies].flatMap(([region, tally]) => {
      const counts = tally.window(nowMs);
      return counts === undefined ? [] : [[region, counts] as const];
    });
    const attempts = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
    return Object.fromEntries(
      found
        .toSorted(([, a], [, b]) => attempts(b) - attempts(a))
        .slice(0, MOST_REGIONS)
        .map(([region, counts]) => [region, tallyOf(counts)]),
    );
  }

  isInTrouble(nowMs: number): boolean {
    return isTrouble(this.regions(nowMs));
  }

  nextSequence(): number {
    return ++this.#sequence;
  }
}
