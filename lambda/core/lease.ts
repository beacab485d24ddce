import { z } from 'zod';

export const LEASE_PARTITION = 'lease';
/** Key of the one lease: at most one conductor acts, and an older epoch never acts over a newer one. */
export const leaseKey = { pk: LEASE_PARTITION, sk: 'conductor' } as const;

export const leaseSchema = z.object({
  /** Name of the execution, or of the person, that holds it. */
  holder: z.string().min(1),
  /** Epoch of the evacuation that the holder acts for. It never decreases, and so fences older acts. */
  epoch: z.number().int().nonnegative(),
  /** Epoch milliseconds after which anyone may take over the lease. */
  untilMs: z.number().int().nonnegative(),
});
export type Lease = Readonly<z.infer<typeof leaseSchema>>;
