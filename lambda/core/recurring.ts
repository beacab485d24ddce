import { z } from 'zod';

/**
 * Work that a deployment does regularly, and that is reported when it does not happen. The time it has been
 * outstanding counts from when the deployment began to ask for it: work configured an hour ago cannot be a
 * week late.
 */
export const recurringWork = ['drill', 'survey'] as const;
export type RecurringWork = (typeof recurringWork)[number];

export const RECURRING_PARTITION = 'recurring';
export const recurringKey = (work: RecurringWork) => ({ pk: RECURRING_PARTITION, sk: work });

/** Times in epoch milliseconds. */
export const recurringSchema = z.object({
  /** Since when the deployment has asked for the work without a break; absent = it does not ask. */
  expectedSinceMs: z.number().int().positive().optional(),
  /** When the work last succeeded; absent = never. */
  doneAtMs: z.number().int().positive().optional(),
});
export type Recurring = Readonly<z.infer<typeof recurringSchema>>;

/**
 * How long the work has been outstanding, in milliseconds; undefined when the deployment does not ask for it.
 */
export function outstandingMs(
  { expectedSinceMs, doneAtMs = 0 }: Recurring,
  nowMs: number,
): number | undefined {
  if (expectedSinceMs === undefined) return undefined;
  return Math.max(0, nowMs - Math.max(expectedSinceMs, doneAtMs));
}
