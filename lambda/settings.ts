/** Thrown while a function starts: its deployment is at fault, so it says what is missing. */
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
