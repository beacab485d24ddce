import { z } from 'zod';
import { type ConsumerKind, consumerKindNames, specialRecords } from '../../lambda/core/consumers.ts';
import { parseSettings, SettingsError } from './variables.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const SURVEY_SETTINGS = 'SPILLWAY_SURVEY';
/**
 * Environment variable with how far back to look, in milliseconds. Not set in an account; a local world is
 * not older than an hour, and its CloudWatch is slow over two weeks.
 */
export const SURVEY_LOOK_BACK = 'SPILLWAY_SURVEY_LOOK_BACK_MS';
/** File beside the function's code that lists the cells with both their streams. */
export const SURVEYED_CELLS_FILE = 'surveyed-cells.json';

const settingsSchema = z.object({
  name: z.string().min(1),
  primary: z.string().min(1),
  /** The survey's own region. */
  standby: z.string().min(1),
});
export type SurveySettings = Readonly<z.infer<typeof settingsSchema>>;

const inEach = z.object({ primary: z.string(), standby: z.string() });
const consumer = z.object({
  kind: z.enum(consumerKindNames as [ConsumerKind, ...ConsumerKind[]]),
  name: inEach,
  alarm: inEach.optional(),
  takes: z.array(z.enum(specialRecords)).readonly(),
});

export const surveyedCellsSchema = z.array(
  z.object({
    cell: z.string().min(1),
    streams: z.object({ primary: z.string().min(1), standby: z.string().min(1) }),
    /** What reads them; absent: the config does not say, or the role cannot name it. */
    consumers: z.array(consumer).readonly().optional(),
  }),
);
/** What the survey knows about a cell. */
export type SurveyedCell = Readonly<z.infer<typeof surveyedCellsSchema>[number]>;

/** How far back to look for the peak: two weeks, unless the variable says less. @throws SettingsError */
export function parseLookBack(text: string | undefined): number {
  const lookBackMs = text === undefined ? LOOK_BACK_MS : Number(text);
  if (lookBackMs > 0 && lookBackMs <= LOOK_BACK_MS) return lookBackMs;
  throw new SettingsError(`${SURVEY_LOOK_BACK} is not a number of milliseconds up to ${LOOK_BACK_MS}.`);
}

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseSurveySettings = (text: string): SurveySettings =>
  parseSettings(text, { variable: SURVEY_SETTINGS, schema: settingsSchema });

/** Two weeks: long enough for weekly peaks, with a week to spare. */
export const LOOK_BACK_MS = 14 * 86_400_000;
