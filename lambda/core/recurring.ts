import { z } from 'zod';

/**
 * Work that a deployment does again and again, and whose absence is news. How long it has been outstanding counts from when
 * the deployment began to ask for it: what was configured an hour ago cannot be a week late.
 */
export const recurringWork = ['drill', 'survey'] as const;
export type RecurringWork = (typeof recurringWork)[number];

export const RECURRING_PARTITION = 'recurring';
export const recurringKey = (work: RecurringWork) => ({ pk: RECURRING_PARTITION, sk: work });

/** Times in epoch milliseconds. */
export const recurringSchema = z.object({
  /** Since when the deployment asks for it without a break; absent = it does not. */
  expectedSinceMs: z.number().int().positive().optional(),
  /** When it was last done, and well; absent = never. */
  doneAtMs: z.number().int().positive().optional(),
});
export type Recurring = Readonly<z.infer<typeof recurringSchema>>;

/** How long it has been waited for, in milliseconds; undefined when nobody asks for it. */
export function outstandingMs(
  { expectedSinceMs, doneAtMs = 0 }: Recurring,
  nowMs: number,
): number | undefined {
  if (expectedSinceMs === undefined) return undefined;
  return Math.max(0, nowMs - Math.max(expectedSinceMs, doneAtMs));
}
