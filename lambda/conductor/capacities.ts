import { groupsOf } from '../../lib/settings/cells-file.ts';
import type { Capacities, Conductor } from './conductor.ts';
import { type RunState, scopeOf } from './run-state.ts';

/**
 * What the survey knows of the cells that this run moves: a cell that stays where it is holds nobody back. Nothing, when
 * the table does not answer: it tells how well traffic will be taken, and not to know that stops no run.
 */
export async function readCapacities({ input }: RunState, { state, cells }: Conductor): Promise<Capacities> {
  const groups = new Set(scopeOf(input, groupsOf(cells)));
  const names = new Set(cells.flatMap(({ cell, group }) => (groups.has(group) ? [cell] : [])));
  const all = await state.readCapacities().catch((): Capacities => []);
  return all.filter(({ cell }) => names.has(cell));
}
