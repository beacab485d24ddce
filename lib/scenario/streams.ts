import { nearest } from '../config/nearest.ts';
import { ScenarioError } from './errors.ts';
import type { Scenario } from './schema.ts';

/** How a scenario names Spillway's own stream of a region. */
export const CANARY = 'canary';

/** @throws ScenarioError when the scenario names a cell that the config does not have: what it says of that cell would have no effect. */
export function checkCells(scenario: Scenario, cells: readonly string[]): void {
  const known = [CANARY, ...cells];
  const named = [
    ...scenario.faults.flatMap(({ where }, n) =>
      (where.streams ?? []).map((name) => ({ name, known, path: `faults[${n}].where.streams` })),
    ),
    ...Object.keys(scenario.producers?.cells ?? {}).map((name) => ({
      name,
      known: cells,
      path: `producers.cells.${name}`,
    })),
    ...(scenario.lies ?? []).flatMap(({ cells: lying = [] }, n) =>
      lying.map((name) => ({ name, known: cells, path: `lies[${n}].cells` })),
    ),
    ...(scenario.expect.cells ?? []).map((name) => ({ name, known: cells, path: 'expect.cells' })),
  ];
  const problems = named
    .filter(({ name, known: some }) => !some.includes(name))
    .map(({ name, known: some, path }) => {
      const near = nearest(name, some);
      const fix =
        near === undefined ? `Write one of ${some.slice(0, 20).join(', ')}.` : `Did you mean ${near}?`;
      return { path, problem: `names ${name}, and the config has no such cell`, fix };
    });
  if (problems.length > 0) throw new ScenarioError(scenario.name, problems);
}
