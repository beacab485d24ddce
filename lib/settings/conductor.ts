import { z } from 'zod';
import { deploymentSchema } from './deployment.ts';
import { parseSettings } from './variables.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const CONDUCTOR_SETTINGS = 'SPILLWAY_CONDUCTOR';

const settingsSchema = deploymentSchema.extend({
  topicArn: z.string().min(1),
  webhook: z.url({ protocol: /^https?$/ }).optional(),
});
export type ConductorSettings = Readonly<z.infer<typeof settingsSchema>>;

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseConductorSettings = (text: string): ConductorSettings =>
  parseSettings(text, { variable: CONDUCTOR_SETTINGS, schema: settingsSchema });
