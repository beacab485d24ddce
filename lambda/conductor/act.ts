import { FencedError } from '../../lib/state/errors.ts';
import type { SwitchChange } from '../../lib/state/state-table.ts';
import { LEASE_MS } from '../core/conductor.ts';
import type { Position } from '../core/switch.ts';
import type { Conductor } from './conductor.ts';
import type { RunState } from './run-state.ts';

/** Most writes in progress. An on-demand table takes 4,000 writes a second from the start. */
const CONCURRENT_WRITES = 25;

/** Takes or keeps the lease. Every step begins with this, so that a run that has lost its lease finds out. */
export async function holdLease(state: RunState, { state: table, nowMs }: Conductor): Promise<void> {
  const now = nowMs();
  await table.takeLease(
    { holder: state.run, epoch: state.input.epoch, untilMs: now + LEASE_MS },
    { nowMs: now, overOlder: state.input.action === 'evacuate' },
  );
}

export interface JournalLine {
  readonly step: string;
  readonly what: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** One line per step of a run, however often the step is repeated. */
export function journalStep(
  state: RunState,
  line: JournalLine,
  { state: table, nowMs }: Conductor,
): Promise<number> {
  const { epoch, owner, reason, groups } = state.input;
  const only = groups?.length === 1 ? groups[0] : undefined;
  return table.journalOnce(
    {
      atMs: nowMs(),
      who: `conductor for ${owner}`,
      what: line.what,
      why: reason,
      epoch,
      ...(only === undefined ? {} : { group: only }),
      ...(line.before === undefined ? {} : { before: line.before }),
      ...(line.after === undefined ? {} : { after: line.after }),
    },
    `${state.run}#${line.step}`,
  );
}

export interface SetResult {
  readonly set: readonly string[];
  /** Groups that a newer act has set; they are left as that act wants them. */
  readonly overruled: readonly string[];
}

/**
 * Sets many switches, each by its own conditional write. A switch that a newer act has set is not a failure.
 */
export async function setSwitches(
  groups: readonly string[],
  position: Position,
  { state, conductor }: { readonly state: RunState; readonly conductor: Conductor },
): Promise<SetResult> {
  const { epoch, owner, reason } = state.input;
  const set: string[] = [];
  const overruled: string[] = [];
  const queue = groups.values();
  const worker = async (): Promise<void> => {
    // All workers share one iterator: each takes the next group.
    for (const group of queue) {
      const change: SwitchChange = { group, position, epoch, owner, reason, atMs: conductor.nowMs() };
      try {
        await conductor.state.setSwitch(change);
        set.push(group);
      } catch (error) {
        if (!(error instanceof FencedError)) throw error;
        overruled.push(group);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_WRITES, groups.length) }, worker));
  return { set, overruled };
}
