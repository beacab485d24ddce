import type { Entry } from './entry.ts';

/**
 * After this many records were refused alone, with nothing else of their batch taken, the request itself is
 * doubted.
 */
const SINGLES_TO_DOUBT = 3;
/** Doubts in a row, each with a back-off. After these every record is sent alone, and refused for good. */
const MAX_DOUBTS = 5;

/** One refused batch whose bad records are being searched for. */
export interface Bisection {
  /** Parts that are queued or in flight. */
  parts: number;
  isAnyTaken: boolean;
  /** The search was given up: parts of it that are still in flight no longer belong to it. */
  isOver: boolean;
  /** Records that were refused alone while nothing of the batch was taken. */
  readonly held: Entry[];
}

export interface Part {
  readonly batch: readonly Entry[];
  readonly bisection: Bisection;
}

/** What follows from a refusal. */
export interface Verdict {
  /** Records that are refused for good. */
  readonly refused: readonly Entry[];
  /** Records to send again, like any other. */
  readonly again: readonly Entry[];
  /** The request failed for a reason other than its records. */
  readonly isDoubted: boolean;
}

/**
 * Finds the bad records of a refused batch, so that one bad record does not hold up the others. A record
 * refused alone is refused for good; a larger batch is halved, and the parts wait here until they may be
 * sent. Where the first single records are all refused, the likelier cause is what they have in common: the
 * stream, or something on the way to it. Then all of them go back and the region is left alone for a while, a
 * few times.
 */
export class Bisections {
  /** The last part is sent first, so that a bad record is soon alone. */
  readonly #queued: Part[] = [];
  readonly #open = new Set<Bisection>();
  #doubts = 0;

  get queued(): number {
    return this.#queued.length;
  }

  next(): Part | undefined {
    return this.#queued.pop();
  }

  /** A request was refused; `bisection` is set where the request was part of one. */
  refused(batch: readonly Entry[], bisection: Bisection | undefined): Verdict {
    if (bisection?.isOver === true) return { refused: [], again: batch, isDoubted: false };
    if (batch.length > 1) {
      this.#halve(batch, bisection ?? this.#opened());
      return { refused: [], again: [], isDoubted: false };
    }
    if (bisection === undefined) return { refused: batch, again: [], isDoubted: false };
    bisection.held.push(...batch);
    const refused = this.ended(bisection, { isTaken: false });
    if (bisection.isOver || bisection.isAnyTaken) return { refused, again: [], isDoubted: false };
    if (this.#doubts >= MAX_DOUBTS) return { refused: bisection.held.splice(0), again: [], isDoubted: false };
    const isDoubted = bisection.held.length >= SINGLES_TO_DOUBT;
    if (isDoubted) this.#doubts++;
    return { refused: [], again: isDoubted ? this.#abandon(bisection) : [], isDoubted };
  }

  /** A region took records, so requests in general work. */
  taken(): void {
    this.#doubts = 0;
  }

  /** A part was answered, or failed. Returns the records that are refused for good because of it. */
  ended(bisection: Bisection, { isTaken }: { readonly isTaken: boolean }): readonly Entry[] {
    if (isTaken) bisection.isAnyTaken = true;
    bisection.parts--;
    if (bisection.isOver) return [];
    if (bisection.parts === 0) {
      bisection.isOver = true;
      this.#open.delete(bisection);
    }
    return bisection.parts === 0 || bisection.isAnyTaken ? bisection.held.splice(0) : [];
  }

  /** Ends all bisections, and returns the records that are not in flight. */
  abandonAll(): Entry[] {
    this.#doubts = 0;
    return [...this.#open].flatMap((bisection) => this.#abandon(bisection));
  }

  /** The records that are not in flight. */
  *entries(): Generator<Entry> {
    for (const { batch } of this.#queued) yield* batch;
    for (const { held } of this.#open) yield* held;
  }

  #opened(): Bisection {
    const bisection: Bisection = { parts: 1, isAnyTaken: false, isOver: false, held: [] };
    this.#open.add(bisection);
    return bisection;
  }

  #halve(batch: readonly Entry[], bisection: Bisection): void {
    const half = Math.ceil(batch.length / 2);
    bisection.parts++;
    this.#queued.push({ batch: batch.slice(half), bisection }, { batch: batch.slice(0, half), bisection });
  }

  #abandon(bisection: Bisection): Entry[] {
    bisection.isOver = true;
    this.#open.delete(bisection);
    const parts = this.#queued.filter((part) => part.bisection === bisection);
    const others = this.#queued.filter((part) => part.bisection !== bisection);
    this.#queued.splice(0, Number.POSITIVE_INFINITY, ...others);
    return [...bisection.held.splice(0), ...parts.flatMap(({ batch }) => batch)];
  }
}
