import { expect, it } from 'vitest';
import { LOOK_BACK_MS, parseLookBack } from '../../lib/settings/survey.ts';

it('looks back two weeks unless it is told less, and refuses what is no time, or more', () => {
  expect(parseLookBack(undefined)).toBe(LOOK_BACK_MS);
  expect(parseLookBack('3600000')).toBe(3_600_000);
  for (const text of ['', '0', '-1', 'an hour', String(LOOK_BACK_MS + 1), 'Infinity']) {
    expect(() => parseLookBack(text), text).toThrow(/SPILLWAY_SURVEY_LOOK_BACK_MS/);
  }
});
