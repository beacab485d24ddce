import { z } from 'zod';
import type { JournalEntry } from '../../lambda/core/journal.ts';

const reportSchema = z.object({
  run: z.string(),
  epoch: z.number(),
  state: z.string(),
  findings: z.array(z.string()),
  nextCommand: z.string().optional(),
});

/** The report in the last journal entry of a run of the conductor. */
export interface JournalledEnd extends Readonly<z.infer<typeof reportSchema>> {
  readonly atMs: number;
  /** A step could not finish: something is left to do. */
  readonly stopped: boolean;
}

/** The end of the newest run that has ended; the entries are newest first. */
export function lastRunEnd(entries: readonly JournalEntry[]): JournalledEnd | undefined {
  for (const { atMs, what, after } of entries) {
    const report = reportSchema.safeParse(after);
    if (report.success) return { ...report.data, atMs, stopped: what.startsWith('stopped: ') };
  }
  return undefined;
}
