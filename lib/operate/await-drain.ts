import { setTimeout as sleep } from 'node:timers/promises';
import { undrainedCells } from '../../lambda/core/failback.ts';
import type { Config } from '../config/config.ts';
import type { StateTable } from '../state/state-table.ts';
import { InterruptedError, RefusedError } from './errors.ts';
import { named } from './named.ts';
import { problemOf } from './reading.ts';

export interface AwaitDrainOptions {
  readonly table: Pick<StateTable, 'readDrained' | 'readSwitches'>;
  readonly cells: Config['cells'];
  readonly groups: readonly string[];
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly pollMs?: number;
}

const POLL_MS = 5_000;

/**
 * Waits until the records that the evacuation stranded in the primary are marked as read (`spillway drained`)
 * for every cell of the groups, as the conductor's own guard will see it.
 *
 * @throws RefusedError when the wait times out before that; InterruptedError. In both cases nothing was
 * changed.
 */
export async function awaitDrain(options: AwaitDrainOptions): Promise<void> {
  const { waitMs, signal, say, pollMs = POLL_MS } = options;
  const startedMs = performance.now();
  for (;;) {
    const waiting = await waitingFor(options);
    if (waiting === undefined) return;
    const leftMs = waitMs - (performance.now() - startedMs);
    if (signal.aborted) throw new InterruptedError('Interrupted. Nothing has been done.');
    if (leftMs <= 0) throw refused(waiting);
    say(waiting);
    await sleep(Math.min(pollMs, leftMs), undefined, { signal }).catch(() => {});
  }
}

/** A sentence; undefined when there is nothing to wait for. */
async function waitingFor({ table, cells, groups }: AwaitDrainOptions): Promise<string | undefined> {
  try {
    const [drained, switches] = await Promise.all([table.readDrained(), table.readSwitches()]);
    const left = undrainedCells({
      cells: cells.map(({ name: cell, group }) => ({ cell, group })),
      groups,
      drained,
      switches,
    });
    if (left.length === 0) return undefined;
    return `records stranded in the primary are not marked as read for ${named(left)}`;
  } catch (error) {
    return `the marks cannot be read: ${problemOf(error)}`;
  }
}

const refused = (reason: string): RefusedError =>
  new RefusedError(
    [{ rule: 'drained', reason }],
    'When they have been read: spillway drained --cells NAMES --reason "…"',
  );
