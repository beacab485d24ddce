/** Records that came after a later one of their region, with nothing to show yet that another region has them. */
export interface LateRange {
  readonly region: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** When the last of them arrived, about. */
  readonly atMs: number;
}

/** A drain copies many in a row, which are one range. */
const MAX_RANGES = 16;

/** The late records of one key, in bounded memory. */
export class LateRecords {
  #ranges: LateRange[] = [];

  get count(): number {
    return this.#ranges.length;
  }

  /** Returns how many ranges had to be given up to make room: 0 or 1. */
  add({ region, epoch, sequence, atMs }: LateRecord): number {
    const at = this.#ranges.findIndex(
      (one) => one.region === region && one.epoch === epoch && one.to === sequence - 1,
    );
    const found = this.#ranges[at];
    if (found !== undefined) {
      this.#ranges[at] = { ...found, to: sequence, atMs: Math.max(found.atMs, atMs) };
      return 0;
    }
    this.#ranges.push({ region, epoch, from: sequence, to: sequence, atMs });
    return this.#trim();
  }

  /** Another region has this one, and had it before `atMs` + `clockSkewMs`: what was late is a copy of it. */
  explain({ region, epoch, sequence, atMs }: LateRecord, clockSkewMs: number): number {
    const at = this.#ranges.findIndex(
      (one) =>
        one.region !== region &&
        one.epoch === epoch &&
        one.from <= sequence &&
        sequence <= one.to &&
        atMs <= one.atMs + clockSkewMs,
    );
    const found = this.#ranges[at];
    if (found === undefined) return 0;
    const rest = [
      { ...found, to: sequence - 1 },
      { ...found, from: sequence + 1 },
    ].filter(({ from, to }) => from <= to);
    this.#ranges.splice(at, 1, ...rest);
    return this.#trim();
  }

  /** Removes and returns those that arrived until then. */
  take(untilMs: number): readonly LateRange[] {
    const due = this.#ranges.filter(({ atMs }) => atMs <= untilMs);
    if (due.length > 0) this.#ranges = this.#ranges.filter(({ atMs }) => atMs > untilMs);
    return due;
  }

  #trim(): number {
    if (this.#ranges.length <= MAX_RANGES) return 0;
    this.#ranges.shift();
    return 1;
  }
}

export interface LateRecord {
  readonly region: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly atMs: number;
}
