import type { Entry } from './entry.ts';

/** Records refused alone, with nothing else of their batch taken, after which it is the request that is doubted. */
const SINGLES_TO_DOUBT = 3;
/** Doubts in a row, each with a back-off; after these every record is asked for alone, and refused for good. */
const MAX_DOUBTS = 5;

/** One refused batch, of which the bad records are looked for. */
export interface Inquest {
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
  readonly inquest: Inquest;
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
export class Inquests {
  /** The last is next: a record is soon alone. */
  readonly #queued: Part[] = [];
  readonly #open = new Set<Inquest>();
  #doubts = 0;

  get queued(): number {
    return this.#queued.length;
  }

  next(): Part | undefined {
    return this.#queued.pop();
  }

  /** A request was refused; `inquest` where it was a part of one. */
  refused(batch: readonly Entry[], inquest: Inquest | undefined): Verdict {
    if (inquest?.isOver === true) return { refused: [], again: batch, isDoubted: false };
    if (batch.length > 1) {
      this.#halve(batch, inquest ?? this.#opened());
      return { refused: [], again: [], isDoubted: false };
    }
    if (inquest === undefined) return { refused: batch, again: [], isDoubted: false };
    inquest.held.push(...batch);
    const refused = this.ended(inquest, { isTaken: false });
    if (inquest.isOver || inquest.isAnyTaken) return { refused, again: [], isDoubted: false };
    if (this.#doubts >= MAX_DOUBTS) return { refused: inquest.held.splice(0), again: [], isDoubted: false };
    const isDoubted = inquest.held.length >= SINGLES_TO_DOUBT;
    if (isDoubted) this.#doubts++;
    return { refused: [], again: isDoubted ? this.#abandon(inquest) : [], isDoubted };
  }

  /** A region took records: what was doubted is well. */
  taken(): void {
    this.#doubts = 0;
  }

  /** A part was answered, or failed. Returns what is thereby refused for good. */
  ended(inquest: Inquest, { isTaken }: { readonly isTaken: boolean }): readonly Entry[] {
    if (isTaken) inquest.isAnyTaken = true;
    inquest.parts--;
    if (inquest.isOver) return [];
    if (inquest.parts === 0) {
      inquest.isOver = true;
      this.#open.delete(inquest);
    }
    return inquest.parts === 0 || inquest.isAnyTaken ? inquest.held.splice(0) : [];
  }

  /** Ends all, and gives back what is not in flight. */
  abandonAll(): Entry[] {
    this.#doubts = 0;
    return [...this.#open].flatMap((inquest) => this.#abandon(inquest));
  }

  /** What is not in flight. */
  *entries(): Generator<Entry> {
    for (const { batch } of this.#queued) yield* batch;
    for (const { held } of this.#open) yield* held;
  }

  #opened(): Inquest {
    const inquest: Inquest = { parts: 1, isAnyTaken: false, isOver: false, held: [] };
    this.#open.add(inquest);
    return inquest;
  }

  #halve(batch: readonly Entry[], inquest: Inquest): void {
    const half = Math.ceil(batch.length / 2);
    inquest.parts++;
    this.#queued.push({ batch: batch.slice(half), inquest }, { batch: batch.slice(0, half), inquest });
  }

  #abandon(inquest: Inquest): Entry[] {
    inquest.isOver = true;
    this.#open.delete(inquest);
    const parts = this.#queued.filter((part) => part.inquest === inquest);
    const others = this.#queued.filter((part) => part.inquest !== inquest);
    this.#queued.splice(0, Number.POSITIVE_INFINITY, ...others);
    return [...inquest.held.splice(0), ...parts.flatMap(({ batch }) => batch)];
  }
}
