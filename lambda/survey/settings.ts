import { z } from 'zod';
import { SettingsError } from '../settings.ts';
import { LOOK_BACK_MS } from './stream-peaks.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const SURVEY_SETTINGS = 'SPILLWAY_SURVEY';
/** File beside the function's code that lists the cells with both their streams. */
export const SURVEYED_CELLS_FILE = 'surveyed-cells.json';

const settingsSchema = z.object({
  name: z.string().min(1),
  primary: z.string().min(1),
  /** The survey's own region. */
  standby: z.string().min(1),
});
export type SurveySettings = Readonly<z.infer<typeof settingsSchema>>;

export const surveyedCellsSchema = z.array(
  z.object({
    cell: z.string().min(1),
    streams: z.object({ primary: z.string().min(1), standby: z.string().min(1) }),
  }),
);
/** What the survey knows of a cell. */
export type SurveyedCell = Readonly<z.infer<typeof surveyedCellsSchema>[number]>;

const eventSchema = z.object({ lookBackMs: z.number().positive().max(LOOK_BACK_MS).default(LOOK_BACK_MS) });

/** How far back to look for the peak: two weeks, unless whoever starts it by hand says less. @throws SettingsError */
export function lookBackOf(event: unknown): number {
  const parsed = eventSchema.safeParse(event ?? {});
  if (parsed.success) return parsed.data.lookBackMs;
  throw new SettingsError(`lookBackMs is a number of milliseconds up to ${LOOK_BACK_MS}: start it again.`, {
    cause: parsed.error,
  });
}

/** @throws SettingsError when the variable is not what the stacks write. */
export function parseSurveySettings(text: string): SurveySettings {
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SettingsError(`${SURVEY_SETTINGS} is malformed: deploy this function again.`, { cause });
  }
}
