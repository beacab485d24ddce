import type { Config } from '../config/config.ts';
import { groupsOf } from '../settings/cells-file.ts';
import { UsageError } from './errors.ts';

export interface Selection {
  /** Cells that were asked for, and those that move with them because they share a switch. */
  readonly cells: readonly string[];
  readonly groups: readonly string[];
  /** Cells that nobody named, and that move all the same. */
  readonly carried: readonly string[];
  readonly everything: boolean;
}

const MAX_LISTED = 20;

export interface Wanted {
  /** Names of cells, or of groups of them. */
  readonly cells?: readonly string[];
  readonly all?: true;
}

/**
 * Selects what moves. A cell cannot move without the cells that share its switch, and the operator must see
 * that before the move.
 *
 * @throws UsageError
 */
export function select(config: Config, { cells, all }: Wanted): Selection {
  if ((cells === undefined) === (all === undefined)) {
    throw new UsageError('Say what to move: --all, or --cells with names separated by commas.');
  }
  const named = cells ?? config.cells.map(({ name }) => name);
  const isNamed = ({ name, group }: { readonly name: string; readonly group: string }): boolean =>
    named.includes(name) || named.includes(group);
  const unknown = named.filter(
    (name) => !config.cells.some((cell) => cell.name === name || cell.group === name),
  );
  if (unknown.length > 0) {
    const known = config.cells.map(({ name }) => name).slice(0, MAX_LISTED);
    throw new UsageError(`There is no cell ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  }
  const groups = groupsOf(config.cells).filter((group) =>
    config.cells.some((cell) => cell.group === group && (all || isNamed(cell))),
  );
  const moving = config.cells.filter(({ group }) => groups.includes(group));
  return {
    cells: moving.map(({ name }) => name),
    groups,
    carried: all ? [] : moving.filter((cell) => !isNamed(cell)).map(({ name }) => name),
    everything: groups.length === groupsOf(config.cells).length,
  };
}
