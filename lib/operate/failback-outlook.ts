import { failbackPossibleFromMs } from '../../lambda/core/failback.ts';
import type { Config } from '../config/config.ts';
import type { StoredSwitch } from '../state/state-table.ts';
import { refusalsToFailBack } from './guards.ts';
import type { FailbackOutlook, HeldCells } from './status-document.ts';
import type { StoredReadings } from './stored-readings.ts';

/**
 * Pure: says when a failback is possible, by the guards of `failback` itself. Null: no switch of a cell is in
 * the standby, so nothing can fail back.
 */
export function failbackOutlook(config: Config, readings: StoredReadings): FailbackOutlook | null {
  const { switches } = readings.state;
  if (!switches.ok) {
    return { possibleFrom: null, because: [`the switches cannot be read: ${switches.problem}`], held: [] };
  }
  const held = heldCells(config, switches.value);
  if (held.length === 0) return null;
  const refusals = refusalsToFailBack(config, readings, { cells: held.flatMap(({ cells }) => cells) });
  const fromMs = failbackPossibleFromMs(refusals, readings.atMs);
  return {
    possibleFrom: fromMs === null ? null : new Date(fromMs).toISOString(),
    because: refusals.map(({ rule, reason }) => `${reason} (${rule})`),
    held,
  };
}

/**
 * The cells that switches hold in the standby, by act, the newest first. A switch whose cells were removed
 * holds nothing, and is a finding of its own.
 */
function heldCells(config: Config, switches: readonly StoredSwitch[]): readonly HeldCells[] {
  const acts = Map.groupBy(
    switches.flatMap(({ group, position, epoch, owner, reason, atMs }) => {
      const cells = config.cells.filter((cell) => cell.group === group).map(({ name }) => name);
      if (position !== 'STANDBY' || cells.length === 0) return [];
      return [{ cells, epoch, owner: owner ?? null, reason: reason ?? null, sinceMs: atMs ?? null }];
    }),
    ({ epoch }) => epoch,
  );
  return [...acts.values()]
    .flatMap((list) => {
      const [first] = list;
      return first === undefined ? [] : [{ ...first, cells: list.flatMap(({ cells }) => cells) }];
    })
    .toSorted((a, b) => b.epoch - a.epoch);
}
