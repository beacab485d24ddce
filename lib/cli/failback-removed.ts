import { leftoverSwitches, releaseLeftovers } from '../operate/leftover.ts';
import { named } from '../operate/named.ts';
import { stateTable } from '../operate/state.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Acting } from './change.ts';
import type { Outcome } from './verb.ts';

const TABLE_TIMEOUT_MS = 3_000;

/**
 * `spillway failback --removed`: releases the switches that removed cells have left behind. No traffic
 * follows these switches, so there is nothing for the conductor to stage and watch. The guards of a failback
 * apply all the same: with a config that is older than the deployment, a live cell would look like a removed
 * one.
 */
export async function failbackRemoved(acting: Acting, forced: readonly string[]): Promise<Outcome> {
  const { target, clients, owner, reason, nowMs, id } = acting;
  const table = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
  const leftovers = leftoverSwitches(target.config.cells, await table.readSwitches());
  const names = leftovers.map(({ group }) => group);
  if (leftovers.length === 0 && !acting.dry) {
    return {
      exit: exitCodes.done,
      document: { ok: true, verb: 'failback', released: [], failed: [] },
      screen: 'failback: no removed cell has left a switch in the standby.',
    };
  }
  await acting.consent(
    [
      `${leftovers.length} switches of groups that are not in the config: ${named(names)}`,
      'Make sure that the config is the deployed one: a live cell that the config lacks would return to the primary.',
      ...forced,
    ].join('\n'),
  );
  const end = await releaseLeftovers({ table, leftovers, owner, reason, atMs: nowMs, id });
  const ok = end.failed.length === 0;
  return {
    exit: ok ? exitCodes.done : exitCodes.failed,
    document: { ok, verb: 'failback', ...end },
    screen: [
      `failback: ${end.released.length} switches of removed cells released.`,
      ...end.failed.map(({ group, problem }) => `  ${group}: ${problem}`),
      ...(end.unjournaled === undefined ? [] : [`The journal could not be written: ${end.unjournaled}.`]),
    ].join('\n'),
  };
}
