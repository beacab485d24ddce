import { z } from 'zod';

/** One line of the journal: who did what, why, and what it was before and after. Append-only. */
export const journalSchema = z.object({
  /** Epoch milliseconds. */
  atMs: z.number().int().positive(),
  /** A person, or a part of Spillway: `conductor`, `observer us-west-2`. */
  who: z.string().min(1),
  /** The action: `latch`, `pause`, `failback`… */
  what: z.string().min(1),
  why: z.string().min(1),
  /** Epoch of the evacuation that the entry belongs to, if any. */
  epoch: z.number().int().nonnegative().optional(),
  /** The cell group that the entry is about; absent = all groups, or none. */
  group: z.string().optional(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type JournalEntry = Readonly<z.infer<typeof journalSchema>>;

export const JOURNAL_PARTITION = 'journal';
const TIME_DIGITS = 15;

/**
 * Key that sorts by time. `id` distinguishes entries of one millisecond, and makes a repeated write overwrite
 * the first.
 */
export const journalKey = (atMs: number, id: string) => ({
  pk: JOURNAL_PARTITION,
  sk: `${String(atMs).padStart(TIME_DIGITS, '0')}#${id}`,
});

export const JOURNAL_MARK_PARTITION = 'journal-mark';
/**
 * Key that remembers when a repeatable entry was first written. The journal is sorted by time, and a step
 * that is repeated after its function was killed runs at another time: without this key there would be two
 * lines.
 */
export const journalMarkKey = (id: string) => ({ pk: JOURNAL_MARK_PARTITION, sk: id });
export const journalMarkSchema = z.object({ atMs: z.number().int().positive() });

/** Action of a drill's journal entry; `spillway status` and the standby's monitor look for the newest one. */
export const DRILL = 'drill';

export interface DrillOutcome {
  /** When it ended, in epoch milliseconds. */
  readonly atMs: number;
  /** A person, or `schedule`. */
  readonly who: string;
  /** The scenario of a local drill, or the cell that was moved. */
  readonly subject: string;
  readonly ok: boolean;
  /**
   * From the fault until every producer wrote to the standby; null = that never happened, as in a drill that
   * must hold.
   */
  readonly rtoMs: number | null;
  /** Acknowledged records that were not found; absent when nobody counted. */
  readonly lost?: number;
  /** Epoch of the act that moved the cell, where the drill was one. */
  readonly epoch?: number;
  readonly group?: string;
}

/**
 * The journal entry of a drill that has ended, successful or not. Write it once, with
 * `StateTable.journalOnce(entry, drillId(run))`, in whichever process survives to write it.
 */
export function drillEntry({ atMs, who, epoch, group, ...outcome }: DrillOutcome): JournalEntry {
  const { subject, ok, rtoMs, lost } = outcome;
  const facts = [movedText(ok, rtoMs), ...(lost === undefined ? [] : [`${lost} lost`])];
  return {
    atMs,
    who,
    what: DRILL,
    why: `${subject} ${ok ? 'passed' : 'failed'}: ${facts.join(', ')}`,
    ...(epoch === undefined ? {} : { epoch }),
    ...(group === undefined ? {} : { group }),
    after: outcome,
  };
}

function movedText(ok: boolean, rtoMs: number | null): string {
  if (rtoMs !== null) return `RTO ${(rtoMs / 1_000).toFixed(1)} s`;
  return ok ? 'traffic stayed, as it should' : 'traffic never settled in the standby';
}

/** Id of a drill's line: one per drill, however often it is written. */
export const drillId = (run: string): string => `drill#${run}`;
