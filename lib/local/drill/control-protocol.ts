import { z } from 'zod';

// The requests to a kept world over its control address, and the answers. Loopback HTTP, with the token that
// the world's file holds.

/** A name, checked because it is shown on a terminal. */
const name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}+$/u);

/** The body of a request that changes something. */
export const requestSchema = z.strictObject({ by: name });

const line = z.object({ text: z.string(), sinceMs: z.number(), untilMs: z.number() });

const failbackSchema = z.object({
  /** Whether a switch holds traffic in the standby, so that there is something to fail back. */
  held: z.boolean(),
  /** How long the primary has to be healthy, as the observers see it. */
  recoveryMs: z.number(),
  /**
   * The earliest possible time of a failback: the recovery time from now, if the observers see the primary
   * healthy immediately.
   */
  earliestMs: z.number(),
});

export const endedSchema = z.object({
  atMs: z.number(),
  ended: z.array(line),
  cancelled: z.array(line),
  failback: failbackSchema,
});
export type EndedAnswer = z.infer<typeof endedSchema>;

export const begunSchema = z.object({ atMs: z.number(), inForce: z.array(line), toCome: z.array(line) });

export const controlPaths = { end: '/faults/end', begin: '/faults/begin' } as const;
