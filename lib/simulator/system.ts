import type { Delivery, Policy } from '../../lambda/core/policy.ts';
import type { Cell, Config, Regions } from '../config/config.ts';
import { defaultMonitoring } from '../config/defaults.ts';
import type { ConfigProblem } from '../config/errors.ts';
import { relationProblems } from '../config/relations.ts';

/** What is simulated: a config without its names, but for those of its cells. */
export interface SimulatedSystem {
  readonly regions: Regions;
  readonly policy: Policy;
  readonly delivery: Delivery;
  readonly cells: readonly SimulatedCell[];
}

export type SimulatedCell = Pick<Cell, 'name' | 'group'>;

export const systemOf = ({ regions, policy, delivery, cells }: Config): SimulatedSystem => ({
  regions,
  policy,
  delivery,
  cells: cells.map(({ name, group }) => ({ name, group })),
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

/** The switches: each of them holds the cells of one group. */
export const groupsOfSystem = ({ cells }: Pick<SimulatedSystem, 'cells'>): readonly string[] => [
  ...new Set(cells.map(({ group }) => group)),
];
