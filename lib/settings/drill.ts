import { type DrillTarget, drillTargetSchema } from '../live-drill/target.ts';
import { parseSettings } from './variables.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const DRILL_SETTINGS = 'SPILLWAY_DRILL';

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseDrillSettings = (text: string): DrillTarget =>
  parseSettings(text, { variable: DRILL_SETTINGS, schema: drillTargetSchema });
