import type { StateTable } from '../../lambda/state/state-table.ts';
import { journaled } from './apply-control.ts';
import { problemOf } from './reading.ts';

export interface DirectOptions {
  readonly table: StateTable;
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
 * its own, so a conductor that wakes up later finds itself fenced. One switch that fails stops none of the others.
 */
export async function latchDirectly(options: DirectOptions): Promise<DirectEnd> {
  const { table, groups, owner, reason, atMs, id } = options;
  const epoch = await table.claimEpoch({
    claim: `operator:${id}`,
    who: owner,
    what: 'failover --direct',
    atMs,
  });
  const latched: string[] = [];
  const failed: { group: string; problem: string }[] = [];
  const waiting = [...groups];
  const worker = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      try {
        await table.setSwitch({ group, position: 'STANDBY', epoch, owner, reason, atMs });
        latched.push(group);
      } catch (error) {
        failed.push({ group, problem: problemOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, groups.length) }, worker));
  const after = { position: 'STANDBY', latched: latched.length, failed: failed.map(({ group }) => group) };
  const entry = { atMs, who: owner, what: 'failover --direct', why: reason, epoch, after };
  const unjournaled = await journaled(() => table.journal(entry, id));
  return { epoch, latched, failed, ...(unjournaled === undefined ? {} : { unjournaled }) };
}
