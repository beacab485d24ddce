import type { Scenario } from '../scenario/schema.ts';
import type { Seeded, Task } from './pool.ts';
import { runScenario } from './run.ts';
import type { SimulatedSystem } from './system.ts';
import type { NoiseLevel, SimulationResult, TraceEvent, YearsResult } from './types.ts';
import { runYears } from './years.ts';

// What the pool's workers do. Jobs are small: what many of them have in common is sent once.

export interface ScenarioVariant {
  readonly system: SimulatedSystem;
  readonly scenario: Scenario;
  readonly noise: NoiseLevel;
  readonly conductor: 'alive' | 'dead';
  readonly until: 'end' | 'decided';
}

export interface ScenarioJob extends Seeded {
  /** Index into the variants. */
  readonly variant: number;
}

type Trace = (line: TraceEvent) => void;

export const scenarioTask = {
  module: import.meta.url,
  name: 'runScenarioJob',
  run: runScenarioJob,
} satisfies Task<readonly ScenarioVariant[], ScenarioJob, SimulationResult>;

export function runScenarioJob(
  variants: readonly ScenarioVariant[],
  { variant, seed }: ScenarioJob,
  trace?: Trace,
): SimulationResult {
  return runScenario({ ...at(variants, variant), seed, ...(trace === undefined ? {} : { trace }) });
}

export interface YearsJob extends Seeded {
  /** Index into the systems. */
  readonly variant: number;
  readonly years: number;
}

export const yearsTask = {
  module: import.meta.url,
  name: 'runYearsJob',
  run: runYearsJob,
} satisfies Task<readonly SimulatedSystem[], YearsJob, YearsResult>;

export function runYearsJob(
  systems: readonly SimulatedSystem[],
  { variant, years, seed }: YearsJob,
  trace?: Trace,
): YearsResult {
  return runYears({ system: at(systems, variant), years, seed, ...(trace === undefined ? {} : { trace }) });
}

/** One job a year, each with a seed of its own, counted up from the first: `--years 1 --seeds N` repeats one. */
export function* yearsJobs(options: {
  readonly years: number;
  readonly seed: number;
  readonly variant?: number;
}): Generator<YearsJob> {
  const { years, seed, variant = 0 } = options;
  for (let year = 0; year < years; year++) yield { variant, years: 1, seed: seed + year };
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`There is no variant ${index}`);
  return item;
}
