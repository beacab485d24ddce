import type { Policy } from '../../lambda/core/policy.ts';
import type { NodeTrouble } from './noise.ts';
import type { Span } from './timeline.ts';

/** As in lambda/observer: an Events rule starts a run each minute; it lives for 90 s and stops ticking a while before. */
export const RUN_PERIOD_MS = 60_000;
const RUN_LIFE_MS = 90_000;
export const STORE_TIMEOUT_MS = 1_500;
const DEADLINE_MARGIN_MS = 500;

export interface TimesOptions {
  /** When the observer's first run begins. */
  readonly startMs: number;
  /** Epoch milliseconds of virtual time 0. */
  readonly epochMs: number;
  /** Its clock is this much ahead when nothing has happened to it. */
  readonly offsetMs: number;
  readonly trouble: NodeTrouble;
}

/** When one observer's runs begin and end, when it is away, and what its clock says. */
export class ObserverTimes {
  readonly startMs: number;
  readonly #options: TimesOptions;

  constructor(options: TimesOptions) {
    this.#options = options;
    this.startMs = options.startMs;
  }

  runStartsMs(n: number): number {
    return this.startMs + n * RUN_PERIOD_MS + (this.#options.trouble.lateRuns.get(n) ?? 0);
  }

  /** Number of the first run that is not due before this time. */
  runAfter(atMs: number): number {
    return Math.max(0, Math.ceil((atMs - this.startMs) / RUN_PERIOD_MS));
  }

  /** Up to when this run may begin rounds: the last must end before the function's deadline. */
  lastRoundStartsMs(run: number, policy: Policy): number {
    const tickCostMs = 2 * policy.probeTimeoutMs + 2 * STORE_TIMEOUT_MS + DEADLINE_MARGIN_MS;
    return this.runStartsMs(run) + RUN_LIFE_MS - tickCostMs;
  }

  get absences(): NodeTrouble['absences'] {
    return this.#options.trouble.absences;
  }

  isAway(atMs: number): boolean {
    return this.absences.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs < untilMs);
  }

  offsetAt(atMs: number): number {
    const { offsetMs, trouble } = this.#options;
    const { clockSteps } = trouble;
    for (let n = clockSteps.length - 1; n >= 0; n--) {
      const step = clockSteps[n];
      if (step !== undefined && step.atMs <= atMs) return offsetMs + step.offsetMs;
    }
    return offsetMs;
  }

  /** What the observer's clock says. */
  clockAt(atMs: number): number {
    return this.#options.epochMs + atMs + this.offsetAt(atMs);
  }

  /** When something happens to the observer itself. */
  get spans(): readonly Span[] {
    const { clockSteps, lateRuns } = this.#options.trouble;
    return [
      ...this.absences.map(({ fromMs, untilMs }) => ({ atMs: fromMs, untilMs })),
      ...clockSteps.map(({ atMs }) => ({ atMs, untilMs: atMs + 1 })),
      ...[...lateRuns.keys()].map((n) => ({
        atMs: this.startMs + n * RUN_PERIOD_MS,
        untilMs: this.runStartsMs(n) + 1,
      })),
    ];
  }
}
