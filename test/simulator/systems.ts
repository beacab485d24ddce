import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { type SimulatedSystem, systemOf } from '../../lib/simulator/system.ts';

/** A system with the defaults, but for what is given. */
export function systemWith(
  input: Pick<ConfigInput, 'regions' | 'policy' | 'delivery'> = {},
): SimulatedSystem {
  const rest = {
    name: 'simulated',
    zone: { id: 'Z0', name: 'simulated.example' },
    cells: [{ name: 'orders', stream: 'orders' }],
  };
  return systemOf(parseConfig({ ...rest, ...input }, 'test'));
}
