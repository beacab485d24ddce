import type { Config } from './config.ts';

/** Every group whose switch has a health check, once, sorted: those that cells follow, and those that stay. */
export const checkedGroups = ({
  cells,
  keepGroups = [],
}: Pick<Config, 'cells' | 'keepGroups'>): readonly string[] =>
  [...new Set([...cells.map(({ group }) => group), ...keepGroups])].toSorted();
