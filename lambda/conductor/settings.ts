import { z } from 'zod';
import { policySchema } from '../observer/settings.ts';
import { SettingsError } from '../settings.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const CONDUCTOR_SETTINGS = 'SPILLWAY_CONDUCTOR';

const settingsSchema = z.object({
  name: z.string().min(1),
  primary: z.string().min(1),
  /** The conductor's own region, and the only one that it depends on. */
  standby: z.string().min(1),
  /** Every region that observes, the standby among them. */
  observers: z.array(z.string().min(1)).min(1),
  zoneName: z.string().min(1),
  policy: policySchema,
  topicArn: z.string().min(1),
  webhook: z.url({ protocol: /^https?$/ }).optional(),
});
export type ConductorSettings = Readonly<z.infer<typeof settingsSchema>>;

/** @throws SettingsError when the variable is not what the stacks write. */
export function parseConductorSettings(text: string): ConductorSettings {
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SettingsError(`${CONDUCTOR_SETTINGS} is malformed: deploy this function again.`, { cause });
  }
}
