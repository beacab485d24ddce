import pMap from 'p-map';
import { runName } from '../../lambda/core/conductor.ts';
import { FencedError } from '../state/errors.ts';
import type { StateTable, StoredSwitch } from '../state/state-table.ts';
import { journaled } from './apply-control.ts';
import { problemOf } from './reading.ts';

export interface DirectOptions {
  readonly table: Pick<StateTable, 'claimEpoch' | 'setSwitch' | 'readSwitches' | 'takeLease' | 'journal'>;
  readonly groups: readonly string[];
  /** True when the groups are all groups. */
  readonly everything: boolean;
  readonly owner: string;
  readonly reason: string;
  readonly atMs: number;
  /** One per command, so that repeating it is the same act. */
  readonly id: string;
}

export interface DirectEnd {
  readonly epoch: number;
  readonly latched: readonly string[];
  /** Groups that a newer act has set to the standby, which is as good. */
  readonly covered: readonly { readonly group: string; readonly by: string; readonly epoch: number }[];
  readonly failed: readonly { readonly group: string; readonly problem: string }[];
  readonly unjournaled?: string;
}

const PARALLEL = 32;

/**
 * Sets the switches to STANDBY without the conductor, as an emergency measure. It does what the conductor's
 * `latch` step does, under an epoch of its own. The lease gets that number too, so that a current run, above
 * all a failback, finds itself fenced at its next step. Nothing waits for the lease, and without it each
 * switch still fences itself. A switch that fails does not stop the others.
 */
export async function latchDirectly(options: DirectOptions): Promise<DirectEnd> {
  const { table, groups, everything, owner, reason, atMs, id } = options;
  const scope = everything ? undefined : groups;
  const epoch = await table.claimEpoch({
    claim: `operator:${id}`,
    who: owner,
    what: 'failover --direct',
    atMs,
    ...(scope === undefined ? {} : { groups: [...scope] }),
  });
  // The lease is released immediately: its number is the fence, and no run should wait for a command that has
  // ended.
  const fence = table
    .takeLease({ holder: runName(scope, epoch), epoch, untilMs: 0 }, { nowMs: atMs, overOlder: true })
    .catch(() => undefined);
  const latched: string[] = [];
  const failed: { group: string; problem: string }[] = [];
  const fenced: string[] = [];
  const latch = async (group: string): Promise<void> => {
    try {
      await table.setSwitch({ group, position: 'STANDBY', epoch, owner, reason, atMs });
      latched.push(group);
    } catch (error) {
      if (error instanceof FencedError) fenced.push(group);
      else failed.push({ group, problem: problemOf(error) });
    }
  };
  await pMap(groups, latch, { concurrency: PARALLEL });
  const newer = await byNewerActs(table, fenced);
  const covered = newer.flatMap(({ position, ...one }) => (position === 'STANDBY' ? [one] : []));
  for (const { group, position, by, epoch: theirs } of newer) {
    if (position === 'STANDBY') continue;
    failed.push({ group, problem: `${by} has set it to ${position} meanwhile, under epoch ${theirs}` });
  }
  const after = {
    position: 'STANDBY',
    latched: latched.length,
    ...(covered.length === 0 ? {} : { covered: covered.map(({ group }) => group) }),
    failed: failed.map(({ group }) => group),
  };
  const entry = { atMs, who: owner, what: 'failover --direct', why: reason, epoch, after };
  const [unjournaled] = await Promise.all([journaled(() => table.journal(entry, id)), fence]);
  return { epoch, latched, covered, failed, ...(unjournaled === undefined ? {} : { unjournaled }) };
}

/** The newer acts that have overtaken this one at these switches, and the positions they set. */
async function byNewerActs(table: Pick<StateTable, 'readSwitches'>, groups: readonly string[]) {
  if (groups.length === 0) return [];
  const switches = await table.readSwitches().catch((): readonly StoredSwitch[] => []);
  const byGroup = new Map(switches.map((one) => [one.group, one]));
  return groups.map((group) => {
    const { position = 'an unknown position', owner = 'somebody', epoch = 0 } = byGroup.get(group) ?? {};
    return { group, position, by: owner, epoch };
  });
}
