import { z } from 'zod';

export const votes = ['HOLD', 'EVACUATE'] as const;
export type Vote = (typeof votes)[number];

/** Key of the observer's one item in its vote table: memory and vote are stored in one write, so they never disagree. */
export const observerKey = { pk: 'observer' } as const;

const storedVoteSchema = z.object({
  vote: z.enum(votes),
  decidedAtMs: z.number().int().positive(),
  expiresAtMs: z.number().int().positive(),
});

/** Longest life that a stored vote may claim, so that a damaged expiry cannot make a vote permanent. */
const MAX_VOTE_LIFE_MS = 120_000;
/** How far the endpoint's clock may lag behind the observer's. */
const CLOCK_TOLERANCE_MS = 5_000;

/** The vote of a stored item now: HOLD for anything missing, malformed, expired or from the future. */
export function liveVote(item: unknown, nowMs: number): Vote {
  const parsed = storedVoteSchema.safeParse(item);
  if (!parsed.success) return 'HOLD';
  const { vote, decidedAtMs, expiresAtMs } = parsed.data;
  if (nowMs >= expiresAtMs) return 'HOLD';
  if (decidedAtMs > nowMs + CLOCK_TOLERANCE_MS) return 'HOLD';
  if (expiresAtMs - decidedAtMs > MAX_VOTE_LIFE_MS) return 'HOLD';
  return vote;
}
