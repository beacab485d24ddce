import { type DeploymentSettings, deploymentSchema } from '../deployment-settings.ts';
import { parseSettings } from '../settings.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const MONITOR_SETTINGS = 'SPILLWAY_MONITOR';

export type MonitorSettings = DeploymentSettings;

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseMonitorSettings = (text: string): MonitorSettings =>
  parseSettings(text, { variable: MONITOR_SETTINGS, schema: deploymentSchema });
