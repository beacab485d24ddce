import { z } from 'zod';

/** `drilling` is measured, and disturbs another that is; the rest stands idle, or waits to be measured. */
export const activities = ['waiting', 'drilling', 'kept', 'localstack'] as const;

export type Activity = (typeof activities)[number];

/** It is shown on a terminal, and any user of the machine may have written it. */
const shown = z.string().regex(/^\P{Cc}*$/u);
export const entrySchema = z.object({
  activity: z.enum(activities),
  pid: z.int().positive(),
  birth: shown.max(200),
  user: shown.max(200),
  sinceMs: z.int().nonnegative(),
  /** The scenario of a drill, the address of a LocalStack. */
  what: shown.max(500),
  /** Absent until it has one. */
  runDirectory: shown.max(4_096).optional(),
});
/** What a drill, a kept world or a `spillway local` says of itself. */
export type RunEntry = Readonly<z.infer<typeof entrySchema>>;

export interface Registered extends RunEntry {
  /** Orders the entries: a later one has a higher number. */
  readonly ticket: number;
}
