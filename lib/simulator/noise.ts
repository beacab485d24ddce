import { observerRegions } from '../config/config.ts';
import type { Fault } from '../scenario/schema.ts';
import type { Lie } from '../scenario/sources.ts';
import {
  BASELINE_RATE,
  CHECK_FAILURE_RATE,
  CHECK_STALE_RATE,
  faultSources,
  lyingSources,
  type NoisySystem,
  observerSources,
} from './noise-table.ts';
import { between, exponential, seedFor, stream } from './random.ts';

/** What happens to one observer apart from its calls. */
export interface NodeTrouble {
  readonly absences: readonly { readonly fromMs: number; readonly untilMs: number }[];
  /** From `atMs` on the clock is this much ahead of what it was at the start. */
  readonly clockSteps: readonly { readonly atMs: number; readonly offsetMs: number }[];
  /** Delay of the n-th run. */
  readonly lateRuns: ReadonlyMap<number, number>;
}

export const noTrouble: NodeTrouble = { absences: [], clockSteps: [], lateRuns: new Map() };

export interface Noise {
  readonly faults: readonly Fault[];
  readonly lies: readonly Lie[];
  readonly troubleOf: (index: number) => NodeTrouble;
  readonly baselineRate: number;
  /** Share of a checker's requests that fail, or that it reports as the one before. */
  readonly checkFailureRate: number;
  readonly checkStaleRate: number;
}

export const silence: Noise = {
  faults: [],
  lies: [],
  troubleOf: () => noTrouble,
  baselineRate: 0,
  checkFailureRate: 0,
  checkStaleRate: 0,
};

export interface NoiseOptions extends NoisySystem {
  readonly seed: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Draws the noise of a whole run: each source in each place is a renewal process with a stream of its own. */
export function usualNoise(options: NoiseOptions): Noise {
  const { regions, seed } = options;
  const faults = faultSources.flatMap((source) =>
    source.places(options).flatMap((where, index) => {
      const random = stream(seedFor(seed, source.name, index));
      return occurrences(options, source.everyMs, random, (atMs) => {
        const { forMs, ...fault } = source.draw(where, random);
        return { fault: { ...fault, atMs, untilMs: atMs + forMs }, endMs: atMs + forMs };
      }).map(({ fault }) => fault);
    }),
  );
  const troubles = observerRegions(regions).map((_, index) => troubleOf(options, index));
  return {
    faults,
    lies: options.cells.flatMap((cell, index) => liesOf(options, cell, index)),
    troubleOf: (index) => troubles[index] ?? noTrouble,
    baselineRate: BASELINE_RATE,
    checkFailureRate: CHECK_FAILURE_RATE,
    checkStaleRate: CHECK_STALE_RATE,
  };
}

function liesOf(options: NoiseOptions, cell: string, index: number): readonly Lie[] {
  const { everyMs, forMs, share } = lyingSources;
  const random = stream(seedFor(options.seed, 'lie', index));
  return occurrences(options, everyMs, random, (atMs) => ({
    atMs,
    endMs: atMs + between(random(), forMs.from, forMs.to),
  })).map(({ atMs, endMs }) => ({ atMs, untilMs: endMs, cells: [cell], share, says: 'failing' }));
}

/** No run has more than this many occurrences of one source in one place. */
const MAX_OCCURRENCES = 100_000;

function occurrences<T extends { readonly endMs: number }>(
  { fromMs, untilMs }: NoiseOptions,
  everyMs: number,
  random: () => number,
  make: (atMs: number) => T,
): readonly T[] {
  const found: T[] = [];
  let atMs = fromMs;
  while (found.length < MAX_OCCURRENCES) {
    atMs = Math.round(atMs + exponential(random(), everyMs));
    if (atMs >= untilMs) return found;
    const one = make(atMs);
    found.push(one);
    // The next begins after this one: two states, not a sum of them.
    atMs = one.endMs;
  }
  return found;
}

function troubleOf(options: NoiseOptions, index: number): NodeTrouble {
  const { absence, coldStart, clockStep } = observerSources;
  const draws = (name: string): (() => number) => stream(seedFor(options.seed, name, index));
  const forAbsence = draws('absence');
  const forClock = draws('clock');
  const forRuns = draws('cold-start');
  const absences = occurrences(options, absence.everyMs, forAbsence, (fromMs) => {
    const untilMs = fromMs + between(forAbsence(), absence.forMs.from, absence.forMs.to);
    return { fromMs, untilMs, endMs: untilMs };
  });
  const clockSteps = occurrences(options, clockStep.everyMs, forClock, (atMs) => {
    const sign = forClock() < 0.5 ? -1 : 1;
    // Small steps are the usual ones: even on a logarithmic scale.
    const { from, to } = clockStep.byMs;
    const offsetMs = sign * Math.round(from * (to / from) ** forClock());
    return { atMs, offsetMs, endMs: atMs + between(forClock(), clockStep.forMs.from, clockStep.forMs.to) };
  }).flatMap(({ atMs, offsetMs, endMs }) => [
    { atMs, offsetMs },
    { atMs: endMs, offsetMs: 0 },
  ]);
  const late = occurrences(options, coldStart.everyMs, forRuns, (atMs) => ({
    run: Math.floor((atMs - options.fromMs) / RUN_PERIOD_MS),
    byMs: between(forRuns(), coldStart.byMs.from, coldStart.byMs.to),
    endMs: atMs + RUN_PERIOD_MS,
  }));
  return { absences, clockSteps, lateRuns: new Map(late.map(({ run, byMs }) => [run, byMs])) };
}

/** As in observer-node.ts: runs are numbered by the minute. */
const RUN_PERIOD_MS = 60_000;
