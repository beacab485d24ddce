import { z } from 'zod';
import { deploymentSchema } from './deployment.ts';
import { parseSettings } from './variables.ts';

/** What a drill has to know about a deployment; the function gets this as JSON in an environment variable. */
export const drillTargetSchema = deploymentSchema.extend({
  cell: z.string().min(1),
  group: z.string().min(1),
  streams: z.object({ primary: z.string().min(1), standby: z.string().min(1) }),
  /** How often the drill's producer asks for the signal, as applications do. */
  producerPollMs: z.number().int().positive(),
});
export type DrillTarget = Readonly<z.infer<typeof drillTargetSchema>>;

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const DRILL_SETTINGS = 'SPILLWAY_DRILL';

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseDrillSettings = (text: string): DrillTarget =>
  parseSettings(text, { variable: DRILL_SETTINGS, schema: drillTargetSchema });
