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

/**
 * Remembers when an entry that may be written again was first written. The journal is sorted by time, and a step that
 * is repeated after its function was killed repeats itself at another time: without this there would be two lines.
 */
export const journalMarkKey = (id: string) => ({ pk: 'journal-mark', sk: id });
export const journalMarkSchema = z.object({ atMs: z.number().int().positive() });
