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
  /** Epoch of the evacuation it belongs to, where it belongs to one. */
  epoch: z.number().int().nonnegative().optional(),
  /** The cell group it is about; absent = all of them, or none. */
  group: z.string().optional(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type JournalEntry = Readonly<z.infer<typeof journalSchema>>;

export const JOURNAL_PARTITION = 'journal';
const TIME_DIGITS = 15;

/** Sorts by time; `id` tells entries of one millisecond apart and makes writing one twice write it once. */
export const journalKey = (atMs: number, id: string) => ({
  pk: JOURNAL_PARTITION,
  sk: `${String(atMs).padStart(TIME_DIGITS, '0')}#${id}`,
});

export const JOURNAL_MARK_PARTITION = 'journal-mark';
/**
 * Remembers when an entry that may be written again was first written. The journal is sorted by time, and a step that
 * is repeated after its function was killed repeats itself at another time: without this there would be two lines.
 */
export const journalMarkKey = (id: string) => ({ pk: JOURNAL_MARK_PARTITION, sk: id });
export const journalMarkSchema = z.object({ atMs: z.number().int().positive() });

/** What a drill leaves in the journal: `spillway status` and the standby's monitor look for the newest. */
export const DRILL = 'drill';

export interface DrillOutcome {
  /** When it ended, in epoch milliseconds. */
  readonly atMs: number;
  /** A person, or `schedule`. */
  readonly who: string;
  /** The scenario of a local drill, or the cell that was moved. */
  readonly subject: string;
  readonly ok: boolean;
  /** From the fault until every producer wrote to the standby; null = that never was, as in a drill that must hold. */
  readonly rtoMs: number | null;
  /** Acknowledged records that were not found; absent when nobody counted. */
  readonly lost?: number;
  /** Of the act that moved the cell, where the drill was one. */
  readonly epoch?: number;
  readonly group?: string;
}

/**
 * The line of a drill that has ended, well or not. To be written once, with `StateTable.journalOnce(entry, drillId(run))`,
 * whichever process survives to write it.
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
