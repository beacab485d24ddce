import { randomUUID } from 'node:crypto';
import type { StateTable } from '../state/state-table.ts';
import { type ControlAct, type ControlChange, type ControlContext, changeControl } from './control-change.ts';
import { problemOf } from './reading.ts';

export interface PlannedControl extends ControlChange {
  readonly act: ControlAct;
  readonly revision: number | undefined;
  /** As it was stored. */
  readonly item: unknown;
}

/**
 * Reads and decides, and writes nothing. If another write comes in between, the conditional write finds a
 * newer revision.
 */
export async function planControl(
  table: StateTable,
  act: ControlAct,
  context: ControlContext,
): Promise<PlannedControl> {
  const item = await table.readControlItem();
  return { ...changeControl(item, act, context), act, item, revision: revisionOf(item) };
}

/** Undefined also for an item that was written by hand. */
export const revisionOf = (item: Readonly<Record<string, unknown>> | undefined): number | undefined =>
  typeof item?.revision === 'number' ? item.revision : undefined;

export interface Author {
  readonly who: string;
  readonly why: string;
  readonly atMs: number;
}

/**
 * Writes the item, then the journal. Returns why the journal could not be written, if it could not: the act
 * stands anyway.
 */
export async function applyControl(
  table: StateTable,
  { act, before: read, after, revision, item }: PlannedControl,
  { who, why, atMs }: Author,
): Promise<string | undefined> {
  // An unreadable item is kept in the journal, where a person may still understand it.
  const before = read === 'unreadable' ? { unreadable: item } : read;
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
