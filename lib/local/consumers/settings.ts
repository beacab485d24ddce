import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The file of `event-sources.json` beside the log of LocalStack; python/spillway_localstack/event_sources.py reads it. */
export const ROUTES_FILE = 'event-sources.json';
/** Environment variable with the file to which a consumer adds what it has processed. */
export const LEDGER = 'SPILLWAY_DRILL_LEDGER';

const settingsSchema = z.object({
  /** Name of the function, the same in each region. */
  functionName: z.string().min(1),
  regions: z.array(
    z.object({
      region: z.string().min(1),
      streams: z.array(z.string().min(1)).min(1),
      ledger: z.string().min(1),
    }),
  ),
});
/** What the app that deploys the consumers of a drill is told, as JSON in a file. */
export type ConsumerAppSettings = Readonly<z.infer<typeof settingsSchema>>;

/** @throws ZodError, SyntaxError, or what reading a file throws */
export const readAppSettings = (file: string): ConsumerAppSettings =>
  settingsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));

/** Of the function that reads the streams of a drill. */
export const consumerFunctionName = (name: string): string => `${name}-drill-consumer`;
/** By which the audit names the consumer in a region. */
export const consumerCaller = (region: string): string => `consumer ${region}`;
