import { expect, it } from 'vitest';
import { parseConductorSettings } from '../../lambda/conductor/settings.ts';
import { parseMonitorSettings } from '../../lambda/monitor/settings.ts';
import { parseObserverSettings } from '../../lambda/observer/settings.ts';
import { SettingsError } from '../../lambda/settings.ts';
import { parseSurveySettings } from '../../lambda/survey/settings.ts';

it.each([
  ['SPILLWAY_CONDUCTOR', parseConductorSettings],
  ['SPILLWAY_MONITOR', parseMonitorSettings],
  ['SPILLWAY_OBSERVER', parseObserverSettings],
  ['SPILLWAY_SURVEY', parseSurveySettings],
] as const)('%s that is cut off or incomplete is named, with what to do', (variable, parse) => {
  for (const text of ['', '{"name":', '{"name":"shop"}', 'null']) {
    expect(() => parse(text), text).toThrow(SettingsError);
    expect(() => parse(text), text).toThrow(`${variable} is malformed: deploy this function again.`);
  }
});
