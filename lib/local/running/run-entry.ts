import { z } from 'zod';

/**
 * A run that is `drilling` is measured, and disturbs others that are measured; any other run is idle, or
 * waits to be measured.
 */
export const activities = ['waiting', 'drilling', 'kept', 'localstack'] as const;

export type Activity = (typeof activities)[number];

/**
 * A text without control characters: it is shown on a terminal, and any user of the machine may have written
 * it.
 */
const shown = z.string().regex(/^\P{Cc}*$/u);
export const entrySchema = z.object({
  activity: z.enum(activities),
  pid: z.int().positive(),
  birth: shown.max(200),
  user: shown.max(200),
  sinceMs: z.int().nonnegative(),
  /** The scenario of a drill, the address of a LocalStack. */
  what: shown.max(500),
  /** Absent until the run has a folder. */
  runDirectory: shown.max(4_096).optional(),
});
/** The entry of a drill, a kept world or a `spillway local`. */
export type RunEntry = Readonly<z.infer<typeof entrySchema>>;

export interface Registered extends RunEntry {
  /** Orders the entries: a later one has a higher number. */
  readonly ticket: number;
}
