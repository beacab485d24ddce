import { z } from 'zod';
import { policySchema } from '../observer/settings.ts';
import { SettingsError } from '../settings.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const MONITOR_SETTINGS = 'SPILLWAY_MONITOR';

const settingsSchema = z.object({
  name: z.string().min(1),
  primary: z.string().min(1),
  /** The monitor's own region. */
  standby: z.string().min(1),
  /** Every region that observes, the standby among them. */
  observers: z.array(z.string().min(1)).min(1),
  zoneName: z.string().min(1),
  policy: policySchema,
});
export type MonitorSettings = Readonly<z.infer<typeof settingsSchema>>;

/** @throws SettingsError when the variable is not what the stacks write. */
export function parseMonitorSettings(text: string): MonitorSettings {
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SettingsError(`${MONITOR_SETTINGS} is malformed: deploy this function again.`, { cause });
  }
}
