import { z } from 'zod';

/** Moves that a quorum of observers asked for, and that the mode alone held back: what Spillway would have done. */
export const WOULD_PARTITION = 'would';

/** One item for each move that was held: the beginning is in its key, so that it is written once. */
export const wouldKey = ({ sinceMs, scope }: Pick<WouldHaveMoved, 'sinceMs' | 'scope'>) => ({
  pk: WOULD_PARTITION,
  sk: `${new Date(sinceMs).toISOString()} ${scope}`,
});

export const wouldSchema = z.object({
  /** Since when a quorum has asked for it. */
  sinceMs: z.number().int().positive(),
  /** `region`, or the switch group. */
  scope: z.string().min(1),
  /** Cells that were accused; empty for the region. */
  cells: z.array(z.string()),
  reason: z.string(),
  /** The observer that has written it. */
  who: z.string().min(1),
});
export type WouldHaveMoved = Readonly<z.infer<typeof wouldSchema>>;
