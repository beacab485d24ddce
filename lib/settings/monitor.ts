import { z } from 'zod';
import { recurringWork } from '../../lambda/core/recurring.ts';
import { deploymentSchema } from './deployment.ts';
import { parseSettings } from './variables.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const MONITOR_SETTINGS = 'SPILLWAY_MONITOR';

/**
 * Environment variable with the origin to connect to when an endpoint is asked, whose own name stays in the Host
 * header. Set in the local world alone, whose function URLs have names that do not resolve, and no TLS.
 */
export const ENDPOINT_ORIGIN = 'SPILLWAY_ENDPOINT_ORIGIN';

const settingsSchema = deploymentSchema.extend({
  /** Recurring work that the deployment asks for; an alarm fires when the work is overdue. */
  expected: z.array(z.enum(recurringWork)),
});
export type MonitorSettings = Readonly<z.infer<typeof settingsSchema>>;

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseMonitorSettings = (text: string): MonitorSettings =>
  parseSettings(text, { variable: MONITOR_SETTINGS, schema: settingsSchema });
