import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from './config.ts';
import { ConfigError } from './errors.ts';
import { positionIn } from './json-position.ts';
import { parseConfig } from './parse.ts';

export const configFileNames = ['spillway.config.ts', 'spillway.config.mts', 'spillway.config.json'] as const;
/** A module is TypeScript that Node imports as it is. */
export const configExtensions = ['.ts', '.mts', '.json'] as const;

export interface ConfigSource {
  /** The file to read, relative to `directory`. Default: the file with one of the known names. */
  readonly file?: string;
  readonly directory: string;
}

/**
 * Finds, reads and checks the configuration. A `.ts` file is imported as it is (Node strips the types), so
 * the file runs as code with this process's rights; a module that was imported before is not read again.
 *
 * @throws ConfigError when there is no such file, two of them, or one that cannot be used; `cause` has the original error.
 */
export async function loadConfig(source: ConfigSource): Promise<Config> {
  const file = findFile(source);
  return parseConfig(await readInput(file), file);
}

function findFile({ file, directory }: ConfigSource): string {
  if (file !== undefined) return resolve(directory, file);
  const found = configFileNames.map((name) => join(directory, name)).filter((path) => existsSync(path));
  const [first, second] = found;
  if (first === undefined) {
    const fix = `Write a ${configFileNames[0]} there with a name, a zone and cells, or say which file to use.`;
    throw problem(directory, 'has no spillway.config.ts, .mts or .json', fix);
  }
  if (second !== undefined) {
    const fix = 'Remove one of them, or name the file you mean.';
    throw problem(directory, `has both ${basename(first)} and ${basename(second)}`, fix);
  }
  return first;
}

function readInput(file: string): Promise<unknown> {
  const extension = extname(file);
  switch (extension) {
    case '.ts':
    case '.mts':
      return importInput(file);
    case '.json':
      return readJson(file);
    default:
      throw problem(
        file,
        'is neither a .ts, .mts nor .json file',
        `Name a file like ${configFileNames.join(' or ')}.`,
      );
  }
}

async function importInput(file: string): Promise<unknown> {
  if (!existsSync(file)) throw absent(file);
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw problem(file, `cannot be imported: ${oneLine(cause)}`, importFix(cause), { cause });
  }
  if (loaded.default !== undefined) return loaded.default;
  throw problem(file, 'has no default export', 'Write export default defineConfig({ ... }).');
}

function importFix(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return 'Use Node 22.18 or later, which reads TypeScript, or write a .json file.';
    case 'ERR_MODULE_NOT_FOUND':
      return 'Check the paths of its imports; they need their .ts extension.';
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return 'Use types only: Node removes them and compiles nothing (no enums, no namespaces).';
    default:
      return 'Correct the error above; the cause says where it is.';
  }
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    // Editors on Windows may begin a file with a byte order mark, which JSON does not allow.
    text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw absent(file, cause);
    throw problem(file, `cannot be read: ${oneLine(cause)}`, 'Let this user read the file.', {
      cause,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column } = positionIn(text, oneLine(cause));
    const what = `is not JSON at line ${line}, column ${column}: ${oneLine(cause)}`;
    throw problem(
      file,
      what,
      'Correct that place, or write a .ts file, where comments and trailing commas are allowed.',
      {
        cause,
      },
    );
  }
}

const absent = (file: string, cause?: unknown): ConfigError =>
  problem(file, 'does not exist', 'Check the path, or create the file.', { cause });

function problem(file: string, what: string, fix: string, options?: ErrorOptions): ConfigError {
  return new ConfigError(file, [{ path: '', problem: what, fix }], options);
}

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
