import type { ProbeMode } from '../../lambda/core/watched-cells.ts';
import type { Scenario } from './schema.ts';
import { fleetOf } from './sources.ts';

/** The cells, probed as the scenario says; without a word of it, as the config says. */
export function probedAs<Cell extends { readonly name: string; readonly probe: ProbeMode }>(
  cells: readonly Cell[],
  { producers }: Pick<Scenario, 'producers'>,
): readonly Cell[] {
  if (producers === undefined) return cells;
  return cells.map((cell) => ({ ...cell, probe: fleetOf(producers, cell.name).probe }));
}

/** Whether any fleet of the scenario sends beacons. */
export const reports = ({ producers }: Pick<Scenario, 'producers'>): boolean =>
  producers !== undefined && [producers, ...Object.values(producers.cells)].some(({ beacons }) => beacons);
