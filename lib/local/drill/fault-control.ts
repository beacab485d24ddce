import { isActive } from '../../scenario/faults.ts';
import type { Fault, Scenario } from '../../scenario/schema.ts';
import type { FaultProxy } from '../proxy/fault-proxy.ts';
import type { DrillEvent } from './events.ts';
import { describeFault } from './schedule.ts';

export interface FaultLine {
  readonly text: string;
  readonly sinceMs: number;
  /** When the fault ends by itself. */
  readonly untilMs: number;
}

export interface FaultsNow {
  readonly inForce: readonly FaultLine[];
  /** Faults of the scenario that are still to come. */
  readonly toCome: readonly FaultLine[];
}

export interface FaultsEnded {
  readonly atMs: number;
  /** Faults that were in force and have been ended. */
  readonly ended: readonly FaultLine[];
  /** Faults that were still to come and have been cancelled. */
  readonly cancelled: readonly FaultLine[];
}

export interface FaultsBegun extends FaultsNow {
  readonly atMs: number;
}

export interface FaultControlOptions {
  readonly proxy: Pick<FaultProxy, 'play' | 'clear'>;
  readonly scenario: Scenario;
  /** When the scenario's t = 0 was, if it is being played. */
  readonly playingSinceMs: number | undefined;
  readonly now: () => number;
  readonly onEvent: (event: DrillEvent) => void;
}

/** Gives a person control of a scenario's faults: they follow the scenario until they are ended. */
export class FaultControl {
  readonly #options: FaultControlOptions;
  #playingSinceMs: number | undefined;
  /** Up to this time of the scenario, beginnings and ends have been reported. */
  #toldMs: number;

  constructor(options: FaultControlOptions) {
    this.#options = options;
    this.#playingSinceMs = options.playingSinceMs;
    this.#toldMs = this.#elapsedMs();
  }

  now(): FaultsNow {
    const elapsedMs = this.#elapsedMs();
    const faults = this.#playingSinceMs === undefined ? [] : this.#options.scenario.faults;
    return {
      inForce: faults.filter((fault) => isActive(fault, elapsedMs)).map((fault) => this.#line(fault)),
      toCome: faults
        .filter(({ atMs }) => atMs > elapsedMs)
        .toSorted((a, b) => a.atMs - b.atMs)
        .map((fault) => this.#line(fault)),
    };
  }

  /** Ends the faults in force, and cancels those still to come. */
  end(by: string): FaultsEnded {
    this.tell();
    const { inForce, toCome } = this.now();
    this.#options.proxy.clear();
    this.#playingSinceMs = undefined;
    const atMs = this.#options.now();
    const faults = `${inForce.length} in force, ${toCome.length} to come`;
    this.#options.onEvent({ kind: 'note', atMs, text: `the faults end, by ${by} (${faults})` });
    return { atMs, ended: inForce, cancelled: toCome };
  }

  /** Plays the scenario from its beginning, whatever has been played before. */
  begin(by: string): FaultsBegun {
    const { proxy, scenario, onEvent, now } = this.#options;
    const atMs = now();
    proxy.play(scenario);
    this.#playingSinceMs = atMs;
    this.#toldMs = Number.NEGATIVE_INFINITY;
    onEvent({ kind: 'note', atMs, text: `the faults begin, by ${by}` });
    this.tell();
    return { atMs, ...this.now() };
  }

  /** Reports the faults that have begun or ended by themselves since the last call. */
  tell(): void {
    const since = this.#playingSinceMs;
    if (since === undefined) return;
    const elapsedMs = this.#elapsedMs();
    const passed = (atMs: number): boolean => atMs > this.#toldMs && atMs <= elapsedMs;
    for (const fault of this.#options.scenario.faults) {
      const text = describeFault(fault);
      if (passed(fault.atMs)) this.#options.onEvent({ kind: 'fault', atMs: since + fault.atMs, text });
      if (!passed(fault.untilMs)) continue;
      this.#options.onEvent({ kind: 'note', atMs: since + fault.untilMs, text: `ends by itself: ${text}` });
    }
    this.#toldMs = elapsedMs;
  }

  #elapsedMs(): number {
    return this.#options.now() - (this.#playingSinceMs ?? this.#options.now());
  }

  #line(fault: Fault): FaultLine {
    const since = this.#playingSinceMs ?? 0;
    return { text: describeFault(fault), sinceMs: since + fault.atMs, untilMs: since + fault.untilMs };
  }
}
