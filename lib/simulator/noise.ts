import type { Fault } from '../scenario/schema.ts';

/** What befalls one observer beside its calls. */
export interface NodeTrouble {
  readonly absences: readonly { readonly fromMs: number; readonly untilMs: number }[];
  /** From `atMs` on the clock is this much ahead of what it was at the start. */
  readonly clockSteps: readonly { readonly atMs: number; readonly offsetMs: number }[];
  /** Delay of the n-th run. */
  readonly lateRuns: ReadonlyMap<number, number>;
  /** When the runs that are late were due. */
  readonly lateRunsMs: readonly number[];
}

export const noTrouble: NodeTrouble = { absences: [], clockSteps: [], lateRuns: new Map(), lateRunsMs: [] };

export interface Noise {
  readonly faults: readonly Fault[];
  readonly troubleOf: (index: number) => NodeTrouble;
  readonly baselineRate: number;
  /** Share of a checker's requests that fail, or that it reports as the one before. */
  readonly checkFailureRate: number;
  readonly checkStaleRate: number;
}

export const silence: Noise = {
  faults: [],
  troubleOf: () => noTrouble,
  baselineRate: 0,
  checkFailureRate: 0,
  checkStaleRate: 0,
};
