import { type DrillTarget, drillTargetSchema } from '../../lib/live-drill/target.ts';
import { SettingsError } from '../settings.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const DRILL_SETTINGS = 'SPILLWAY_DRILL';

/** @throws SettingsError when the variable is not what the stacks write. */
export function parseDrillSettings(text: string): DrillTarget {
  try {
    return drillTargetSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SettingsError(`${DRILL_SETTINGS} is malformed: deploy this function again.`, { cause });
  }
}
