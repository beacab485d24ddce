import pMap from 'p-map';
import { runName } from '../../lambda/core/conductor.ts';
import type { StateTable } from '../../lambda/state/state-table.ts';
import { journaled } from './apply-control.ts';
import { problemOf } from './reading.ts';

export interface DirectOptions {
  readonly table: Pick<StateTable, 'claimEpoch' | 'setSwitch' | 'takeLease' | 'journal'>;
  readonly groups: readonly string[];
  readonly owner: string;
  readonly reason: string;
  readonly atMs: number;
  /** One per command, so that repeating it is the same act. */
  readonly id: string;
}

export interface DirectEnd {
  readonly epoch: number;
  readonly latched: readonly string[];
  readonly failed: readonly { readonly group: string; readonly problem: string }[];
  readonly unjournaled?: string;
}

const PARALLEL = 32;

/**
 * Break glass: sets the switches to STANDBY without the conductor. It is what its `latch` step does, under an epoch of
 * its own. The lease gets that number too, so that a run under way, a failback above all, finds itself fenced at its next
 * step; nothing waits for that, and without it each switch is still fenced by itself. One switch that fails stops none of
 * the others.
 */
export async function latchDirectly(options: DirectOptions): Promise<DirectEnd> {
  const { table, groups, owner, reason, atMs, id } = options;
  const epoch = await table.claimEpoch({
    claim: `operator:${id}`,
    who: owner,
    what: 'failover --direct',
    atMs,
  });
  // Free at once: the number is the fence, and nobody is to wait for a command that has ended.
  const fence = table
    .takeLease({ holder: runName(groups, epoch), epoch, untilMs: 0 }, { nowMs: atMs, overOlder: true })
    .catch(() => undefined);
  const latched: string[] = [];
  const failed: { group: string; problem: string }[] = [];
  const latch = async (group: string): Promise<void> => {
    try {
      await table.setSwitch({ group, position: 'STANDBY', epoch, owner, reason, atMs });
      latched.push(group);
    } catch (error) {
      failed.push({ group, problem: problemOf(error) });
    }
  };
  await pMap(groups, latch, { concurrency: PARALLEL });
  const after = { position: 'STANDBY', latched: latched.length, failed: failed.map(({ group }) => group) };
  const entry = { atMs, who: owner, what: 'failover --direct', why: reason, epoch, after };
  const [unjournaled] = await Promise.all([journaled(() => table.journal(entry, id)), fence]);
  return { epoch, latched, failed, ...(unjournaled === undefined ? {} : { unjournaled }) };
}
