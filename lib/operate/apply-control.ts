import { randomUUID } from 'node:crypto';
import type { StateTable } from '../../lambda/state/state-table.ts';
import { type ControlAct, type ControlChange, type ControlContext, changeControl } from './control-change.ts';
import { problemOf } from './reading.ts';

export interface PlannedControl extends ControlChange {
  readonly act: ControlAct;
  readonly revision: number | undefined;
}

/**
 * Reads and decides, and writes nothing. The revision is read before the item: if somebody writes in between, the
 * conditional write finds a newer revision and is refused, instead of undoing theirs.
 */
export async function planControl(
  table: StateTable,
  act: ControlAct,
  context: ControlContext,
): Promise<PlannedControl> {
  const revision = await table.controlRevision();
  const before = await table.readControl();
  return { ...changeControl(before, act, context), act, revision };
}

export interface Author {
  readonly who: string;
  readonly why: string;
  readonly atMs: number;
}

/** Writes the item, then the journal. Returns why the journal could not be written, if so: the act stands all the same. */
export async function applyControl(
  table: StateTable,
  { act, before, after, revision }: PlannedControl,
  { who, why, atMs }: Author,
): Promise<string | undefined> {
  await table.writeControl(after, revision);
  return journaled(() => table.journal({ atMs, who, what: act.kind, why, before, after }, randomUUID()));
}

export async function journaled(write: () => Promise<void>): Promise<string | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}
