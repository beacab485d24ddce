import type { Config } from '../../config/config.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { producersOf } from './callers.ts';

/** What a scenario expects to move; without a word about cells, everything. */
export interface Moving {
  readonly cells: readonly string[];
  /** Their switches. */
  readonly groups: readonly string[];
  /** Producers that write to these cells. */
  readonly producers: readonly string[];
}

/** The cell that the n-th producer writes to: they are spread over the first cells. */
export const cellOfProducer = ({ cells }: Config, n: number): Config['cells'][number] | undefined =>
  cells[n % cells.length];

export function movingIn(config: Config, { expect }: Pick<Scenario, 'expect'>): Moving {
  const cells = expect.cells ?? config.cells.map(({ name }) => name);
  const groups = config.cells.filter(({ name }) => cells.includes(name)).map(({ group }) => group);
  const producers = producersOf(config).flatMap(({ name }, n) => {
    const cell = cellOfProducer(config, n);
    return cell !== undefined && cells.includes(cell.name) ? [name] : [];
  });
  return { cells, groups: [...new Set(groups)], producers };
}
