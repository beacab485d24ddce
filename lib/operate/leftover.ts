import type { StateTable, StoredSwitch } from '../state/state-table.ts';
import { journaled } from './apply-control.ts';
import { problemOf } from './reading.ts';

/** The command that releases leftover switches; `status` and `doctor` show it. */
export const RELEASE_LEFTOVERS = 'spillway failback --removed --reason "…"';

/**
 * Pure: finds switches in STANDBY whose group has no cells, because the cells were removed while evacuated.
 * Such a switch moves nothing; but a group that is added under its name begins in the standby.
 */
export function leftoverSwitches(
  cells: readonly { readonly group: string }[],
  switches: readonly StoredSwitch[],
): readonly StoredSwitch[] {
  const groups = new Set(cells.map(({ group }) => group));
  return switches.filter(({ group, position }) => position === 'STANDBY' && !groups.has(group));
}

export interface ReleaseOptions {
  readonly table: StateTable;
  readonly leftovers: readonly StoredSwitch[];
  readonly owner: string;
  readonly reason: string;
  readonly atMs: number;
  readonly id: string;
}

export interface ReleaseEnd {
  readonly released: readonly string[];
  readonly failed: readonly { readonly group: string; readonly problem: string }[];
  readonly unjournaled?: string;
}

/**
 * Sets each leftover switch back to PRIMARY, under the epoch that had set it: no new act begins, which would
 * fence an act under way, and a switch that a newer act has set meanwhile is left alone.
 */
export async function releaseLeftovers(options: ReleaseOptions): Promise<ReleaseEnd> {
  const { table, leftovers, owner, reason, atMs, id } = options;
  const released: string[] = [];
  const failed: { group: string; problem: string }[] = [];
  for (const { group, epoch } of leftovers) {
    try {
      await table.setSwitch({ group, position: 'PRIMARY', epoch, owner, reason, atMs });
      released.push(group);
    } catch (error) {
      failed.push({ group, problem: problemOf(error) });
    }
  }
  const after = { position: 'PRIMARY', released, failed: failed.map(({ group }) => group) };
  const entry = { atMs, who: owner, what: 'failback --removed', why: reason, before: leftovers, after };
  const unjournaled = await journaled(() => table.journal(entry, id));
  return { released, failed, ...(unjournaled === undefined ? {} : { unjournaled }) };
}
