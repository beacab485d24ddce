import type { ConfigProblem } from '../../lib/config/errors.ts';
import { ConfigError } from '../../lib/config/errors.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { CellInput, ConfigInput } from '../../lib/config/schema.ts';

/** The least a user must write. */
export const leastInput = {
  name: 'shop',
  zone: { id: 'Z0123456789', name: 'shop.example.com' },
  cells: [{ name: 'orders', stream: 'orders' }],
} as const satisfies ConfigInput;

export const withCells = (...cells: CellInput[]): ConfigInput => ({ ...leastInput, cells });

/** The problems that `input` is refused for; none when it is accepted. */
export function problemsOf(input: unknown): readonly ConfigProblem[] {
  try {
    parseConfig(input, 'spillway.config.json');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
