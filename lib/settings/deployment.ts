import { z } from 'zod';
import { policySchema } from './observer.ts';

/** What a function of the standby knows about its deployment. */
export const deploymentSchema = z.object({
  name: z.string().min(1),
  primary: z.string().min(1),
  /** The function's own region, and the only one that it depends on. */
  standby: z.string().min(1),
  /** Every region that observes, the standby among them. */
  observers: z.array(z.string().min(1)).min(1),
  zoneName: z.string().min(1),
  policy: policySchema,
});
export type DeploymentSettings = Readonly<z.infer<typeof deploymentSchema>>;
