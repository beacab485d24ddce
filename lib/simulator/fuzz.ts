import { observerRegions } from '../config/config.ts';
import {
  defaultDelivery,
  defaultPolicy,
  defaultRegions,
  defaultVotesToEvacuate,
} from '../config/defaults.ts';
import { randomScenario, runSeed } from './random-scenario.ts';
import { runScenario } from './run.ts';
import type { SimulatedSystem } from './system.ts';
import type { SimulatedCore, TraceEvent, Violation } from './types.ts';

export interface FuzzResult {
  readonly violations: readonly Violation[];
  /** The command that repeats this case. */
  readonly replay: string;
}

/** The deployed defaults, but for the times that make a vote's life longer than a random scenario. */
export const fuzzSystem: SimulatedSystem = {
  regions: defaultRegions,
  policy: {
    ...defaultPolicy,
    votesToEvacuate: defaultVotesToEvacuate(observerRegions(defaultRegions).length),
    recoveryMs: 2 * 60_000,
    cooldownMs: 5 * 60_000,
  },
  delivery: defaultDelivery,
  cells: ['orders', 'clicks'].map((name) => ({ name, group: name, probe: 'onSuspicion' })),
};

/** One random scenario against every invariant. The seed alone determines the scenario. */
export function fuzzOne(seed: number, core?: SimulatedCore, trace?: (line: TraceEvent) => void): FuzzResult {
  const { scenario, ...rest } = randomScenario(seed, fuzzSystem);
  const { violations } = runScenario({
    system: fuzzSystem,
    scenario,
    seed: runSeed(seed),
    ...rest,
    ...(core !== undefined && { core }),
    ...(trace !== undefined && { trace }),
  });
  return { violations, replay: `npm run fuzz -- --cases 1 --from ${seed} --trace` };
}
