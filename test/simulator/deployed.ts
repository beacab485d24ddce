import { observerRegions } from '../../lib/config/config.ts';
import {
  defaultDelivery,
  defaultPolicy,
  defaultRegions,
  defaultVotesToEvacuate,
} from '../../lib/config/defaults.ts';
import type { Fault, Scenario } from '../../lib/scenario/schema.ts';
import type { SimulatedSystem } from '../../lib/simulator/system.ts';

/** What is deployed by default. */
export const deployed: SimulatedSystem = {
  regions: defaultRegions,
  policy: {
    ...defaultPolicy,
    votesToEvacuate: defaultVotesToEvacuate(observerRegions(defaultRegions).length),
  },
  delivery: defaultDelivery,
  cells: ['orders', 'clicks'].map((name) => ({ name, group: name, probe: 'onSuspicion' })),
};

export const MINUTE_MS = 60_000;

export const fault = (changes: Partial<Fault>): Fault => ({
  atMs: 0,
  untilMs: Number.MAX_SAFE_INTEGER,
  where: { region: 'primary', service: 'kinesis' },
  effect: { kind: 'error', status: 500, code: 'InternalFailure' },
  rate: 1,
  ...changes,
});

export const scenarioOf = (durationMs: number, faults: readonly Fault[]): Scenario => ({
  name: 'made-up',
  title: 'Made up',
  durationMs,
  faults,
  expect: { verdict: 'hold' },
});
