import type { Delivery, Policy } from '../../lambda/core/policy.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { Cell, Config, Regions } from '../config/config.ts';
import { defaultMonitoring } from '../config/defaults.ts';
import type { ConfigProblem } from '../config/errors.ts';
import { relationProblems } from '../config/relations.ts';
import type { PolicyOverride } from '../scenario/policy.ts';
import { probedAs } from '../scenario/probes.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Producers } from '../scenario/sources.ts';
import type { NoisySystem } from './noise-table.ts';

/** What is simulated: a config without its names, but for those of its cells. */
export interface SimulatedSystem {
  readonly regions: Regions;
  readonly policy: Policy;
  readonly delivery: Delivery;
  readonly cells: readonly SimulatedCell[];
  /** Producers have a table to report to. */
  readonly beacons?: NonNullable<Config['beacons']>;
}

export type SimulatedCell = Pick<Cell, 'name' | 'group' | 'probe' | 'mode'>;

export const systemOf = ({ regions, policy, delivery, cells, beacons }: Config): SimulatedSystem => ({
  regions,
  policy,
  delivery,
  cells: cells.map(({ name, group, probe, mode }) => ({ name, group, probe, ...(mode && { mode }) })),
  ...(beacons && { beacons }),
});

/** Settings that a config could not hold together. */
export const systemProblems = (system: SimulatedSystem): readonly ConfigProblem[] =>
  relationProblems({
    ...system,
    name: 'simulated',
    zone: { id: 'Z0', name: 'simulated.example' },
    cells: [],
    healthCheckQuota: Number.POSITIVE_INFINITY,
    notify: {},
    monitoring: defaultMonitoring,
  });

/** A system under the settings of a scenario, for the runs with all its seeds: what follows from a policy is kept by object. */
const overridden = new WeakMap<
  PolicyOverride,
  { readonly base: SimulatedSystem; readonly played: SimulatedSystem }
>();

export function underScenario(base: SimulatedSystem, { policy }: Pick<Scenario, 'policy'>): SimulatedSystem {
  if (policy === undefined) return base;
  const known = overridden.get(policy);
  if (known?.base === base) return known.played;
  const played = { ...base, policy: { ...base.policy, ...policy } };
  overridden.set(policy, { base, played });
  return played;
}

/** The cells as an observer knows them. A scenario's fleets say when their streams may be probed. */
export const watchedCells = (
  { cells }: SimulatedSystem,
  producers: Producers | undefined,
): readonly WatchedCell[] =>
  probedAs(cells, producers === undefined ? {} : { producers }).map(({ name, group, probe, mode }) => ({
    cell: name,
    group,
    probe,
    ...(mode && { mode }),
  }));

export const noisy = ({ regions, cells }: SimulatedSystem): NoisySystem => ({
  regions,
  cells: cells.map(({ name }) => name),
});

/** The switches: each of them holds the cells of one group. */
export const groupsOfSystem = ({ cells }: Pick<SimulatedSystem, 'cells'>): readonly string[] => [
  ...new Set(cells.map(({ group }) => group)),
];
