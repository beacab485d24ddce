import { groupsOf } from '../../lib/settings/cells-file.ts';
import type { Capacities, Conductor } from './conductor.ts';
import { type RunState, scopeOf } from './run-state.ts';

/**
 * The survey's data for the cells that this run moves: a cell that stays holds nobody back. Empty when the
 * table does not answer: the data only tells how well the streams will take the traffic, and its absence
 * stops no run.
 */
export async function readCapacities({ input }: RunState, { state, cells }: Conductor): Promise<Capacities> {
  const groups = new Set(scopeOf(input, groupsOf(cells)));
  const names = new Set(cells.flatMap(({ cell, group }) => (groups.has(group) ? [cell] : [])));
  const all = await state.readCapacities().catch((): Capacities => []);
  return all.filter(({ cell }) => names.has(cell));
}
