export interface Span {
  readonly atMs: number;
  readonly untilMs: number;
}

/** Calls of one round are up to two time-outs apart, and one observer's round may begin before another's ended. */
const SLACK_MS = 60_000;

/** Spans of time, for askers whose clock only goes forward, or back by a minute at most. */
export class Timeline<T extends Span> {
  readonly spans: readonly T[];
  readonly #none: readonly T[] = [];
  /** Latest end among the spans up to each: where a search may begin. */
  readonly #endsMs: readonly number[];
  #cursor = 0;
  /** No span holds from the first of these times up to the second: most askers ask within it. */
  #clear = { fromMs: 0, untilMs: 0 };

  constructor(spans: readonly T[]) {
    this.spans = spans.toSorted((a, b) => a.atMs - b.atMs);
    let latestMs = Number.NEGATIVE_INFINITY;
    this.#endsMs = this.spans.map(({ untilMs }) => {
      latestMs = Math.max(latestMs, untilMs);
      return latestMs;
    });
  }

  /** Spans that hold at this time. */
  activeAt(atMs: number): readonly T[] {
    if (atMs >= this.#clear.fromMs && atMs < this.#clear.untilMs) return this.#none;
    this.#forward(atMs);
    let active: T[] | undefined;
    let n = this.#cursor;
    for (; n < this.spans.length; n++) {
      const span = this.spans[n];
      if (span === undefined || span.atMs > atMs) break;
      if (atMs >= span.untilMs) continue;
      active ??= [];
      active.push(span);
    }
    if (active !== undefined) return active;
    this.#clear = { fromMs: atMs, untilMs: this.spans[n]?.atMs ?? Number.POSITIVE_INFINITY };
    return this.#none;
  }

  /** Whether none holds at any time from `fromMs` to `toMs`. */
  isClear(fromMs: number, toMs: number): boolean {
    return this.activeAt(fromMs).length === 0 && toMs < this.#clear.untilMs;
  }

  /** Spans that hold at any time from `fromMs` to `atMs`, for askers whose clock goes any way. */
  heldFrom(fromMs: number, atMs: number): readonly T[] {
    let [low, high] = [0, this.spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#endsMs[middle] ?? 0) <= fromMs) low = middle + 1;
      else high = middle;
    }
    let held: T[] | undefined;
    for (let n = low; n < this.spans.length; n++) {
      const span = this.spans[n];
      if (span === undefined || span.atMs > atMs) break;
      if (fromMs >= span.untilMs) continue;
      held ??= [];
      held.push(span);
    }
    return held ?? this.#none;
  }

  /** When one holds next, from `atMs` on; `atMs` itself if one does. */
  nextMs(atMs: number): number {
    this.#forward(atMs);
    for (let n = this.#cursor; n < this.spans.length; n++) {
      const span = this.spans[n];
      if (span !== undefined && span.untilMs > atMs) return Math.max(span.atMs, atMs);
    }
    return Number.POSITIVE_INFINITY;
  }

  #forward(atMs: number): void {
    while ((this.#endsMs[this.#cursor] ?? Number.POSITIVE_INFINITY) <= atMs - SLACK_MS) this.#cursor++;
  }
}
