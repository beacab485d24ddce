import { leftoverSwitches, RELEASE_LEFTOVERS } from '../leftover.ts';
import { named } from '../named.ts';
import { stateTable } from '../state.ts';
import { type Check, ill, well } from './check.ts';

const CHECK = 'switches';
const TIMEOUT_MS = 5_000;

/**
 * Checks for switches of removed cells: a cell that is added under an old name must not find the switch of
 * the removed cell.
 */
export const leftover: Check = {
  check: CHECK,
  purpose: 'no removed cell has left a switch in the standby',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config }) => {
    const left = leftoverSwitches(config.cells, await stateTable(config, clients, TIMEOUT_MS).readSwitches());
    if (left.length === 0) return [well(CHECK, 'no removed cell has left a switch')];
    const names = named(left.map(({ group }) => group));
    return [
      ill(
        CHECK,
        `${names}: not in the config, and the switch says STANDBY; a group added under that name would begin in the standby`,
        `Release what was removed: ${RELEASE_LEFTOVERS}`,
      ),
    ];
  },
};
