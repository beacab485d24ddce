import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { configFileNames } from '../config/load.ts';

const APP = 'spillway.app.mjs';

/** What `spillway init` has written beside the config, and what is left to do by hand. */
export interface WrittenApp {
  readonly written: readonly string[];
  readonly advice: readonly string[];
}

/**
 * Writes the CDK app of an operator who has installed Spillway as a package: a module with the construct, and
 * a cdk.json that runs it. Existing files stay as they are.
 */
export async function writeApp(place: {
  readonly directory: string;
  readonly config: string;
}): Promise<WrittenApp> {
  const files = [
    [join(place.directory, APP), appText(place)],
    [join(place.directory, 'cdk.json'), `${JSON.stringify({ app: `node ${APP}` }, null, 2)}\n`],
  ] as const;
  const written: string[] = [];
  const advice: string[] = [];
  for (const [file, text] of files) {
    if (!existsSync(file)) {
      await writeFile(file, text, { flag: 'wx' });
      written.push(file);
    } else if ((await readFile(file, 'utf8')) !== text) {
      advice.push(`${file} exists already and was not changed; Spillway's own would be:\n${text}`);
    }
  }
  return { written, advice };
}

function appText({ directory, config }: { readonly directory: string; readonly config: string }): string {
  const isKnown = dirname(config) === directory && configFileNames.some((name) => name === basename(config));
  const source = isKnown
    ? '{ directory: import.meta.dirname }'
    : `{ directory: import.meta.dirname, file: ${JSON.stringify(config)} }`;
  return `import { App } from 'aws-cdk-lib';
import { loadConfig, Spillway } from 'spillway/cdk';

const app = new App();
new Spillway(app, 'Spillway', { config: await loadConfig(${source}) });
`;
}

/**
 * The default name of the config. Node reads a `.ts` file as the kind that its package says; in a CommonJS
 * package an ES module must be `.mts`.
 */
export function defaultConfigName(directory: string): (typeof configFileNames)[number] {
  return isModulePackage(directory) ? configFileNames[0] : configFileNames[1];
}

function isModulePackage(directory: string): boolean {
  const file = join(directory, 'package.json');
  if (existsSync(file)) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).type !== 'commonjs';
    } catch {
      return true;
    }
  }
  const parent = dirname(directory);
  return parent === directory || isModulePackage(parent);
}
