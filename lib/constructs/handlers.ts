import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownFile } from '../files/own-files.ts';
import { HandlersMissingError } from './errors.ts';

/** The functions, by the folder of their handler in `lambda/`. */
export const handlerNames = [
  'observer',
  'vote',
  'switch',
  'conductor',
  'monitor',
  'survey',
  'drill',
  'guard',
] as const;
export type HandlerName = (typeof handlerNames)[number];

/** Where `npm run build:handlers` puts the bundles. */
export const handlerDirectory = ownFile('dist/handlers');
export const handlerFile = (name: HandlerName): string => join(handlerDirectory, name, 'index.js');
/** The consumer that a drill on this machine deploys; no deployment has it. */
export const drillConsumerFile = join(handlerDirectory, 'drill-consumer/index.js');

/**
 * Makes a directory with the bundle of a function and files beside it, so that the files are part of the
 * bundle's hash. The directory exists until this process ends, which is after synth.
 *
 * @throws HandlersMissingError
 */
export function handlerAsset(name: HandlerName, files: Readonly<Record<string, string>> = {}): string {
  const bundle = handlerFile(name);
  if (!existsSync(bundle)) {
    throw new HandlersMissingError(
      `The code of the functions is not built: run \`npm run build:handlers\` (${bundle} is missing).`,
    );
  }
  const entries = Object.entries(files);
  if (entries.length === 0) return dirname(bundle);
  const directory = temporary();
  cpSync(bundle, join(directory, 'index.js'));
  for (const [file, content] of entries) writeFileSync(join(directory, file), content);
  return directory;
}

let empty: string | undefined;
/** Stands in for the code where a synth needs none, as for a list of stacks. */
export function noCode(): string {
  if (empty === undefined) {
    empty = temporary();
    writeFileSync(join(empty, 'index.js'), '');
  }
  return empty;
}

const temporaries: string[] = [];
function temporary(): string {
  if (temporaries.length === 0) {
    process.once('exit', () => {
      for (const directory of temporaries) rmSync(directory, { recursive: true, force: true });
    });
  }
  const directory = mkdtempSync(join(tmpdir(), 'spillway-files-'));
  temporaries.push(directory);
  return directory;
}
