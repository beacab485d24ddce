import type { Fault } from '../scenario/schema.ts';

const none: readonly Fault[] = [];

/** Faults by time, for callers whose clock only goes forward. */
export class FaultTimeline {
  readonly #faults: readonly Fault[];
  /** Latest end among the faults up to each: where a search may stop. */
  readonly #endsMs: readonly number[];
  #cursor = 0;

  constructor(faults: readonly Fault[]) {
    this.#faults = faults.toSorted((a, b) => a.atMs - b.atMs);
    let latestMs = Number.NEGATIVE_INFINITY;
    this.#endsMs = this.#faults.map(({ untilMs }) => {
      latestMs = Math.max(latestMs, untilMs);
      return latestMs;
    });
  }

  /** Faults in force at this time. Times may go back by `SLACK_MS` from one question to the next, and no further. */
  activeAt(atMs: number): readonly Fault[] {
    this.#forward(atMs);
    let active: Fault[] | undefined;
    for (let n = this.#cursor; n < this.#faults.length; n++) {
      const fault = this.#faults[n];
      if (fault === undefined || fault.atMs > atMs) break;
      if (atMs < fault.untilMs) {
        active ??= [];
        active.push(fault);
      }
    }
    return active ?? none;
  }

  /** When a fault is next in force, from `atMs` on; `atMs` itself if one is. */
  nextMs(atMs: number): number {
    this.#forward(atMs);
    for (let n = this.#cursor; n < this.#faults.length; n++) {
      const fault = this.#faults[n];
      if (fault !== undefined && fault.untilMs > atMs) return Math.max(fault.atMs, atMs);
    }
    return Number.POSITIVE_INFINITY;
  }

  #forward(atMs: number): void {
    while ((this.#endsMs[this.#cursor] ?? Number.POSITIVE_INFINITY) <= atMs - SLACK_MS) this.#cursor++;
  }
}

/** Calls of one round are up to two time-outs apart, and one observer's round may begin before another's ended. */
const SLACK_MS = 60_000;
