import { straysOf, unmetExpectations } from '../scenario/expectation.ts';
import { onsetMs } from '../scenario/onset.ts';
import type { Scenario } from '../scenario/schema.ts';
import { type Percentiles, percentiles } from './statistics.ts';
import type { SimulationResult } from './types.ts';

/** The most failures kept; further failures are counted. */
const MAX_FAILURES = 5;
const MAX_FAILED_SEEDS = 100;

/** The result of many runs of one scenario: the last line of `spillway simulate --json`, in this order. */
export interface ScenarioSummary {
  readonly scenario: string;
  readonly runs: number;
  /** The verdict of the majority; of a tie, the more severe one. */
  readonly verdict: 'failover' | 'hold';
  /** Runs with that verdict. */
  readonly agreeing: number;
  /** The commonest among those runs. */
  readonly diagnosis: string;
  /** Over the runs in which it happened; null when it never did. */
  readonly decideMs: Percentiles;
  readonly flipMs: Percentiles;
  readonly flips: { readonly max: number };
  readonly violations: number;
  readonly expected: 'failover' | 'hold';
  /** True when every run met the scenario's expectations and the invariants. */
  readonly ok: boolean;
  readonly rtoMs: Percentiles;
  /** Runs in which DNS answered with the primary again. */
  readonly returned: number;
  /** The first few, each with its seed. */
  readonly failures: readonly string[];
  /** The first hundred. */
  readonly failedSeeds: readonly number[];
  readonly failed: number;
  /** Where each cell was at the end of most of those runs. */
  readonly cells: SimulationResult['cells'];
}

/** Everything in which one run fell short of its scenario's expectations and of the invariants. */
export function shortfalls(result: SimulationResult, scenario: Scenario): readonly string[] {
  const { expect } = scenario;
  const strays = straysOf({ places: result.cells, moving: expect.cells, from: 'primary', to: 'standby' });
  const outcome = { ...result, strays, cut: false, firstFaultMs: onsetMs(scenario) };
  return [
    ...unmetExpectations(expect, outcome),
    ...result.violations.map(({ invariant, detail, atMs }) => `${invariant} at ${atMs} ms: ${detail}`),
  ];
}

/** Takes the runs one by one, so that a million of them need not be kept. */
export class ScenarioTally {
  readonly #scenario: Scenario;
  readonly #diagnoses = { failover: new Map<string, number>(), hold: new Map<string, number>() };
  readonly #verdicts = { failover: 0, hold: 0 };
  readonly #times: Record<'decideMs' | 'flipMs' | 'rtoMs', number[]> = {
    decideMs: [],
    flipMs: [],
    rtoMs: [],
  };
  readonly #failures: string[] = [];
  readonly #failedSeeds: number[] = [];
  readonly #cells = { failover: new Map<string, number>(), hold: new Map<string, number>() };
  #failed = 0;
  #flips = 0;
  #returned = 0;
  #violations = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  add(result: SimulationResult): void {
    const { verdict, diagnosis } = result;
    const cells = JSON.stringify(result.cells);
    this.#cells[verdict].set(cells, (this.#cells[verdict].get(cells) ?? 0) + 1);
    this.#verdicts[verdict]++;
    this.#diagnoses[verdict].set(diagnosis, (this.#diagnoses[verdict].get(diagnosis) ?? 0) + 1);
    for (const name of ['decideMs', 'flipMs', 'rtoMs'] as const) {
      const ms = result[name];
      if (ms !== null) this.#times[name].push(ms);
    }
    this.#flips = Math.max(this.#flips, result.flips);
    if (result.returnMs !== null) this.#returned++;
    this.#violations += result.violations.length;
    this.#note(result.seed, shortfalls(result, this.#scenario));
  }

  #note(seed: number, failures: readonly string[]): void {
    if (failures.length === 0) return;
    this.#failed++;
    if (this.#failedSeeds.length < MAX_FAILED_SEEDS) this.#failedSeeds.push(seed);
    const room = MAX_FAILURES - this.#failures.length;
    this.#failures.push(...failures.slice(0, room).map((failure) => `seed ${seed}: ${failure}`));
  }

  get runs(): number {
    return this.#verdicts.failover + this.#verdicts.hold;
  }

  summary(): ScenarioSummary {
    const verdict = this.#verdicts.failover >= this.#verdicts.hold ? 'failover' : 'hold';
    return {
      scenario: this.#scenario.name,
      runs: this.runs,
      verdict,
      agreeing: this.#verdicts[verdict],
      diagnosis: commonest(this.#diagnoses[verdict]) ?? 'Healthy',
      decideMs: percentiles(this.#times.decideMs),
      flipMs: percentiles(this.#times.flipMs),
      flips: { max: this.#flips },
      violations: this.#violations,
      expected: this.#scenario.expect.verdict,
      ok: this.#failed === 0,
      rtoMs: percentiles(this.#times.rtoMs),
      returned: this.#returned,
      failures: this.#failures,
      failedSeeds: this.#failedSeeds,
      failed: this.#failed,
      cells: JSON.parse(commonest(this.#cells[verdict]) ?? '{}') as SimulationResult['cells'],
    };
  }
}

const commonest = (counts: ReadonlyMap<string, number>): string | undefined =>
  [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
