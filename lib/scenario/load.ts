import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearest } from '../config/nearest.ts';
import { ScenarioError } from './errors.ts';
import { MAX_SCENARIO_BYTES, parseScenario } from './parse.ts';
import type { Scenario } from './schema.ts';

/** Where the scenarios that come with Spillway are. */
export const catalogueDirectory = fileURLToPath(new URL('../../scenarios/', import.meta.url));
const EXTENSION = '.yaml';

/** Names of the scenarios that come with Spillway, sorted. */
export async function scenarioNames(): Promise<readonly string[]> {
  const files = await readdir(catalogueDirectory);
  return files
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => basename(file, EXTENSION))
    .sort();
}

/**
 * Loads a scenario of the catalogue by name, or a file: what contains a `/` or ends in `.yaml` or `.yml` is a path,
 * relative to the working directory.
 *
 * @throws ScenarioError when there is none, or it cannot be used.
 */
export async function loadScenario(nameOrFile: string): Promise<Scenario> {
  if (/\/|\.ya?ml$/.test(nameOrFile)) return parseScenario(await readBounded(nameOrFile), nameOrFile);
  const names = await scenarioNames();
  if (!names.includes(nameOrFile)) throw unknownName(nameOrFile, names);
  const file = join(catalogueDirectory, `${nameOrFile}${EXTENSION}`);
  return parseScenario(await readBounded(file), file);
}

function unknownName(name: string, names: readonly string[]): ScenarioError {
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : `Did you mean ${meant}? `;
  const fix = `${hint}There are ${names.join(', ')}; a file of your own needs a / or .yaml in its name.`;
  return new ScenarioError(name, [{ path: '', problem: 'is not in the catalogue', fix }]);
}

async function readBounded(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) throw new ScenarioError(file, [notAFile]);
    if (stat.size > MAX_SCENARIO_BYTES) throw new ScenarioError(file, [tooLarge]);
    return await handle.readFile('utf8');
  } catch (cause) {
    if (cause instanceof ScenarioError) throw cause;
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const problem = absent
      ? { path: '', problem: 'does not exist', fix: 'Check the path.' }
      : { path: '', problem: `cannot be read: ${String(cause)}`, fix: 'Make it readable for this user.' };
    throw new ScenarioError(file, [problem], { cause });
  }
}

const notAFile = { path: '', problem: 'is not a file', fix: 'Name a YAML file.' };
const tooLarge = {
  path: '',
  problem: `is larger than ${MAX_SCENARIO_BYTES / 1024} KiB`,
  fix: 'A scenario takes a few kilobytes: check that this is the right file.',
};
