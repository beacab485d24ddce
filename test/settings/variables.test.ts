import { expect, it } from 'vitest';
import { parseConductorSettings } from '../../lib/settings/conductor.ts';
import { parseMonitorSettings } from '../../lib/settings/monitor.ts';
import { parseObserverSettings } from '../../lib/settings/observer.ts';
import { parseSurveySettings } from '../../lib/settings/survey.ts';
import { SettingsError } from '../../lib/settings/variables.ts';

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
