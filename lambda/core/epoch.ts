import { z } from 'zod';

/**
 * Numbers the acts of the pair: evacuations, failovers and failbacks. There is one item per act, keyed by its
 * number, so that taking a number is one conditional write, numbers only grow, and no number is taken twice.
 */
export const EPOCH_PARTITION = 'epoch';
const EPOCH_DIGITS = 10;
export const epochKey = (epoch: number) => ({
  pk: EPOCH_PARTITION,
  sk: String(epoch).padStart(EPOCH_DIGITS, '0'),
});

export const epochSchema = z.object({
  epoch: z.number().int().positive(),
  /** What the number is for. A repeated request with the same claim gets the same number. */
  claim: z.string().min(1),
  who: z.string().min(1),
  what: z.string().min(1),
  atMs: z.number().int().positive(),
  /** Switch groups that the act is about; absent: all groups, or the act does not say. */
  groups: z.array(z.string()).optional().catch(undefined),
});
export type EpochClaim = Readonly<z.infer<typeof epochSchema>>;

/**
 * The claim of the standby's observer for one evacuation: the time at which its vote became EVACUATE. This
 * time stays the same while the vote stands and, unlike the observer's own count of evacuations, is not
 * repeated when its memory is lost.
 */
export const observerClaim = (region: string, voteSinceMs: number): string =>
  `observer:${region}:${voteSinceMs}`;

/**
 * The observer's claim when a newer act has fenced that number and the evacuation is still due: a number of
 * its own for this attempt, newer than that act.
 */
export const againClaim = (claim: string, attempt: number): string => `${claim}:again:${attempt}`;
export const isOfClaim = (made: string, claim: string): boolean =>
  made === claim || made.startsWith(`${claim}:again:`);
