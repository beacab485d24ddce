import type { Entry } from './entry.ts';

/** Records refused alone, with nothing else of their batch taken, after which it is the request that is doubted. */
const SINGLES_TO_DOUBT = 3;
/** Doubts in a row, each with a back-off; after these every record is asked for alone, and refused for good. */
const MAX_DOUBTS = 5;

/** One refused batch, of which the bad records are looked for. */
export interface Bisection {
  /** Parts that are queued or in flight. */
  parts: number;
  isAnyTaken: boolean;
  /** Given up: what of it is still in flight is no part of it any more. */
  isOver: boolean;
  /** Records that were refused alone while nothing was taken. */
  readonly held: Entry[];
}

export interface Part {
  readonly batch: readonly Entry[];
  readonly bisection: Bisection;
}

/** What a refusal comes to. */
export interface Verdict {
  /** Refused for good. */
  readonly refused: readonly Entry[];
  /** To be sent again, like any other. */
  readonly again: readonly Entry[];
  /** The request failed, and not for its records. */
  readonly isDoubted: boolean;
}

/**
 * One bad record must not hold up the others: alone it is refused for good, in company the batch is halved, and the parts
 * wait here until they may be sent. Where the first records that are alone are all refused, it is more likely what they
 * have in common: the stream, or something on the way to it. Then all of them go back and the region is let alone for a
 * while, a few times.
 */
export class Bisections {
  /** The last is next: a record is soon alone. */
  readonly #queued: Part[] = [];
  readonly #open = new Set<Bisection>();
  #doubts = 0;

  get queued(): number {
    return this.#queued.length;
  }

  next(): Part | undefined {
    return this.#queued.pop();
  }

  /** A request was refused; `bisection` where it was a part of one. */
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

  /** A region took records: what was doubted is well. */
  taken(): void {
    this.#doubts = 0;
  }

  /** A part was answered, or failed. Returns what is thereby refused for good. */
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

  /** Ends all, and gives back what is not in flight. */
  abandonAll(): Entry[] {
    this.#doubts = 0;
    return [...this.#open].flatMap((bisection) => this.#abandon(bisection));
  }

  /** What is not in flight. */
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
