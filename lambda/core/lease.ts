import { z } from 'zod';

export const LEASE_PARTITION = 'lease';
/** Key of the one lease: at most one conductor acts, and an older epoch never acts over a newer one. */
export const leaseKey = { pk: LEASE_PARTITION, sk: 'conductor' } as const;

export const leaseSchema = z.object({
  /** Name of the execution, or of the person, that holds it. */
  holder: z.string().min(1),
  /** Of the evacuation it acts for. Never goes down: that is the fence. */
  epoch: z.number().int().nonnegative(),
  /** Epoch milliseconds. Past it anybody may take it over. */
  untilMs: z.number().int().nonnegative(),
});
export type Lease = Readonly<z.infer<typeof leaseSchema>>;
