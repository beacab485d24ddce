import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { nearest } from '../config/nearest.ts';
import { SmallFileError } from '../files/errors.ts';
import { ownRoot } from '../files/own-files.ts';
import { readSmallFile } from '../files/small-file.ts';
import { ScenarioError } from './errors.ts';
import { MAX_SCENARIO_BYTES, parseScenario } from './parse.ts';
import type { Scenario } from './schema.ts';

/** Where the scenarios that come with Spillway are. */
export const catalogueDirectory = join(ownRoot, 'scenarios');
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
 * Loads a scenario of the catalogue by name, or from a file: a name that contains a `/` or ends in `.yaml` or
 * `.yml` is a path, relative to the working directory.
 *
 * @throws ScenarioError when there is no such scenario, or it cannot be used.
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
    return await readSmallFile(file, {
      maxBytes: MAX_SCENARIO_BYTES,
      nameInstead: 'Name a YAML file.',
      tooLarge: 'A scenario takes a few kilobytes: check that this is the right file.',
    });
  } catch (cause) {
    if (!(cause instanceof SmallFileError)) throw cause;
    const { problem, fix } = cause;
    throw new ScenarioError(file, [{ path: '', problem, fix }], { cause });
  }
}
