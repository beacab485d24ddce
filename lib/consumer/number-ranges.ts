/** Numbers that were seen, the first and the last included. */
interface Range {
  from: number;
  to: number;
  /** When `from` arrived, about: what is missing below it was written before. */
  atMs: number;
  /** Nothing is missing right below: the producer says so, or the gap was told. */
  closed: boolean;
}

/** Numbers that were not seen, between or below such that were. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  /** When the number above it arrived, about. */
  readonly atMs: number;
}

export interface SeenNumber {
  readonly sequence: number;
  readonly first: boolean;
  readonly atMs: number;
}

/** Gaps that are remembered; the lowest are given up first. */
const MAX_RANGES = 9;

/** Which numbers of one epoch were seen, in bounded memory. */
export class NumberRanges {
  readonly epoch: number;
  /** From below, with a gap between each two. */
  readonly #ranges: Range[] = [];

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  get lowest(): number {
    return this.#ranges[0]?.from ?? 0;
  }

  get highest(): number {
    return this.#ranges.at(-1)?.to ?? 0;
  }

  has(sequence: number): boolean {
    return this.#ranges.some(({ from, to }) => from <= sequence && sequence <= to);
  }

  /** Returns how many holes had to be given up to make room: 0 or 1. */
  add({ sequence, first, atMs }: SeenNumber): number {
    const above = this.#ranges.findIndex(({ from }) => from > sequence);
    const at = above === -1 ? this.#ranges.length : above;
    const [below, next] = [this.#ranges[at - 1], this.#ranges[at]];
    const joinsBelow = below !== undefined && below.to === sequence - 1;
    const joinsNext = next !== undefined && next.from === sequence + 1;
    if (joinsBelow && joinsNext) {
      below.to = next.to;
      this.#ranges.splice(at, 1);
    } else if (joinsBelow) below.to = sequence;
    else if (joinsNext) Object.assign(next, { from: sequence, atMs, closed: first });
    else this.#ranges.splice(at, 0, { from: sequence, to: sequence, atMs, closed: first });
    if (this.#ranges.length <= MAX_RANGES) return 0;
    const [lowest, second] = this.#ranges.splice(0, 2) as [Range, Range];
    this.#ranges.unshift({ ...lowest, to: second.to });
    return second.closed ? 0 : 1;
  }

  /** The hole right below a number, if there is one. */
  holeBelow(sequence: number, isAfterAnother: boolean): Hole | undefined {
    const at = this.#ranges.findIndex(({ from }) => from === sequence);
    return at === -1 ? undefined : this.#holeUnder(at, isAfterAnother);
  }

  /** @param isAfterAnother An earlier epoch of the key was seen, so that this one is known from its first number on. */
  holes(isAfterAnother: boolean): readonly Hole[] {
    return this.#ranges.flatMap((_, at) => this.#holeUnder(at, isAfterAnother) ?? []);
  }

  /** Removes and returns the holes below numbers that arrived until then. */
  close(untilMs: number, isAfterAnother: boolean): readonly Hole[] {
    const due = this.holes(isAfterAnother).filter(({ atMs }) => atMs <= untilMs);
    for (const range of this.#ranges) if (due.some(({ to }) => to === range.from - 1)) range.closed = true;
    return due;
  }

  #holeUnder(at: number, isAfterAnother: boolean): Hole | undefined {
    const range = this.#ranges[at] as Range;
    const below = this.#ranges[at - 1]?.to ?? (isAfterAnother ? 0 : range.from - 1);
    if (range.closed || below === range.from - 1) return undefined;
    return { from: below + 1, to: range.from - 1, atMs: range.atMs };
  }
}
