import type { z } from 'zod';

/** Thrown while a function starts: the deployment is at fault, so the message says what is missing. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** Reads an environment variable that the stacks set. */
export function requiredVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new SettingsError(`${name} is not set: deploy this function again from the Spillway stacks.`);
  }
  return value;
}

/**
 * Reads settings from an environment variable's JSON, as the stacks write it. @throws SettingsError when the
 * JSON is something else
 */
export function parseSettings<Settings>(
  text: string,
  { variable, schema }: { readonly variable: string; readonly schema: z.ZodType<Settings> },
): Settings {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SettingsError(`${variable} is malformed: deploy this function again.`, { cause });
  }
}
