import { z } from 'zod';
import { modes } from './policy.ts';

/** Keys of the control item in the state table. */
export const controlKey = { pk: 'control', sk: 'control' } as const;

/** An override. Each one says who made it and why, and expires by itself. Times are epoch milliseconds. */
const overrideSchema = z.object({
  owner: z.string().min(1),
  reason: z.string().min(1),
  untilMs: z.number().int().positive(),
});

const controlSchema = z.object({
  mode: z.enum(modes).optional(),
  pause: overrideSchema.optional(),
  maintenance: overrideSchema.extend({ fromMs: z.number().int().nonnegative() }).optional(),
  /** In mode `approve`: the operator's consent, valid until `untilMs`. */
  approval: overrideSchema.optional(),
});

export type Control = Readonly<z.infer<typeof controlSchema>>;

/** `unreadable`: the item could not be read, or not understood; no new evacuation may start. */
export type ControlReading = Control | 'unreadable';

/**
 * Reads the control item. A missing item (the read itself succeeded) means that no operator has said
 * anything, and the deployed policy rules. A malformed item is unreadable, because it may have been meant as
 * a pause.
 */
export function parseControl(item: unknown): ControlReading {
  if (item === undefined) return {};
  const parsed = controlSchema.safeParse(item);
  return parsed.success ? parsed.data : 'unreadable';
}
