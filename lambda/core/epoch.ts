import { z } from 'zod';

/**
 * Acts of the pair, numbered: an evacuation, a failover or failback by hand. One item per act, keyed by its number, so
 * that taking a number is one conditional write, numbers only grow, and nobody can take one twice.
 */
export const EPOCH_PARTITION = 'epoch';
const EPOCH_DIGITS = 10;
export const epochKey = (epoch: number) => ({
  pk: EPOCH_PARTITION,
  sk: String(epoch).padStart(EPOCH_DIGITS, '0'),
});

export const epochSchema = z.object({
  epoch: z.number().int().positive(),
  /** What asks for the number. Whoever asks again for the same thing gets the same number. */
  claim: z.string().min(1),
  who: z.string().min(1),
  what: z.string().min(1),
  atMs: z.number().int().positive(),
  /** Switch groups that the act is about; absent: all of them, or it does not say. */
  groups: z.array(z.string()).optional().catch(undefined),
});
export type EpochClaim = Readonly<z.infer<typeof epochSchema>>;

/**
 * What the standby's observer claims for one evacuation: the time at which its vote became EVACUATE, which stays the
 * same as long as the vote stands, and, unlike its own count of evacuations, is not repeated when its memory is lost.
 */
export const observerClaim = (region: string, voteSinceMs: number): string =>
  `observer:${region}:${voteSinceMs}`;

/**
 * What it claims when a newer act has fenced that number, and the evacuation is still due: a number of its own for this
 * attempt, newer than that act.
 */
export const againClaim = (claim: string, attempt: number): string => `${claim}:again:${attempt}`;
export const isOfClaim = (made: string, claim: string): boolean =>
  made === claim || made.startsWith(`${claim}:again:`);
