import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/config/errors.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { leastInput } from './inputs.ts';

const libPath = (name: string): string => fileURLToPath(new URL(`../../lib/config/${name}`, import.meta.url));
const tsConfig = `
import { defineConfig } from ${JSON.stringify(libPath('define.ts'))};
const name: string = 'shop';
export default defineConfig({ ...${JSON.stringify(leastInput)}, name });
`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-config-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

async function errorOf(load: Promise<unknown>): Promise<ConfigError> {
  const error = await load.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigError) return error;
  throw new Error('no ConfigError', { cause: error });
}

interface Outcome {
  readonly config?: unknown;
  readonly name?: string;
  readonly message?: string;
  readonly cause?: string;
}

/** Loads with plain Node, whose own type stripping is what users get; the test runner compiles in its own way. */
async function loadInNode(file: string): Promise<Outcome> {
  const script = `
    import { loadConfig } from ${JSON.stringify(libPath('load.ts'))};
    const outcome = await loadConfig({ file: process.argv[1], directory: '/' }).then(
      (config) => ({ config }),
      (error) => ({ name: error.name, message: error.message, cause: error.cause && String(error.cause) }),
    );
    console.log(JSON.stringify(outcome));
  `;
  const args = ['--input-type=module', '-e', script, '--', file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  return JSON.parse(stdout) as Outcome;
}

describe('which file', () => {
  test('finds the one in the directory', async () => {
    await write('spillway.config.json', JSON.stringify(leastInput));
    expect((await loadConfig({ directory })).name).toBe('shop');
  });

  test('reads the one that is named, relative to the directory', async () => {
    await write('spillway.config.json', '{}');
    await mkdir(join(directory, 'stages'));
    await write('stages/test.json', JSON.stringify({ ...leastInput, name: 'test' }));
    expect((await loadConfig({ directory, file: 'stages/test.json' })).name).toBe('test');
  });

  test('none: says in one sentence what to write', async () => {
    const { problems, file } = await errorOf(loadConfig({ directory }));
    expect(file).toBe(directory);
    expect(problems).toEqual([
      {
        path: '',
        problem: 'has no spillway.config.ts, .mts or .json',
        fix: expect.stringMatching(/^Write a spillway\.config\.ts/),
      },
    ]);
  });

  test('both: names both', async () => {
    await write('spillway.config.json', JSON.stringify(leastInput));
    await write('spillway.config.ts', tsConfig);
    const { problems } = await errorOf(loadConfig({ directory }));
    expect(problems).toEqual([
      {
        path: '',
        problem: 'has both spillway.config.ts and spillway.config.json',
        fix: 'Remove one of them, or name the file you mean.',
      },
    ]);
  });

  test.each(['absent.json', 'absent.ts'])('%s that was named is not there', async (file) => {
    const error = await errorOf(loadConfig({ directory, file }));
    expect(error.message).toContain(join(directory, file));
    expect(error.problems).toEqual([
      { path: '', problem: 'does not exist', fix: 'Check the path, or create the file.' },
    ]);
  });

  test('a kind of file that is not read', async () => {
    const { problems } = await errorOf(loadConfig({ directory, file: 'spillway.config.yaml' }));
    expect(problems[0]?.problem).toBe('is neither a .ts, .mts nor .json file');
  });
});

describe('JSON', () => {
  test.each([
    ['a missing value', '{\n  "name": "shop",\n  "zone": }\n', 3, 11],
    ['a comma at the end of a list', '{ "cells": [\n  1,\n] }', 3, 1],
    ['a comma at the end of an object', '{\n  "name": "shop",\n}', 3, 1],
    ['a comment', '{\n  // ours\n  "name": "shop" }', 2, 3],
    ['a wrong word', `{ "name": tru${' '.repeat(100)}}`, 1, 14],
    ['text after the end', '{}\n{}', 2, 1],
    ['a text that stops', '{\n  "name": "shop"', 2, 17],
    ['an empty file', '', 1, 1],
  ])('%s: says where', async (_what, text, line, column) => {
    const file = await write('spillway.config.json', text);
    const error = await errorOf(loadConfig({ directory }));
    expect(error.message).toContain(`${file}: 1 problem`);
    expect(error.message).toContain(`is not JSON at line ${line}, column ${column}: `);
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  test('a byte order mark is no error', async () => {
    await write('spillway.config.json', `\uFEFF${JSON.stringify(leastInput)}`);
    expect((await loadConfig({ directory })).name).toBe('shop');
  });

  test('a $schema for the editor is accepted', async () => {
    await write('spillway.config.json', JSON.stringify({ $schema: 'x.json', ...leastInput }));
    expect(await loadConfig({ directory })).not.toHaveProperty('$schema');
  });

  test('something that cannot be read', async () => {
    await mkdir(join(directory, 'spillway.config.json'));
    const error = await errorOf(loadConfig({ directory }));
    expect(error.problems[0]?.problem).toMatch(/^cannot be read: EISDIR/);
    expect(error.cause).toHaveProperty('code', 'EISDIR');
  });

  test('a wrong value is reported with the file', async () => {
    const file = await write('spillway.config.json', JSON.stringify({ ...leastInput, name: '-' }));
    expect((await errorOf(loadConfig({ directory }))).message).toMatch(
      `${file}: 1 problem\nname: "-" is not`,
    );
  });
});

describe('TypeScript, as Node reads it', () => {
  test('means the same as JSON', async () => {
    const json = await write('spillway.config.json', JSON.stringify(leastInput));
    const [fromTs, fromJson] = await Promise.all([
      loadInNode(await write('spillway.config.ts', tsConfig)),
      loadInNode(json),
    ]);
    expect(fromTs.config).toEqual(parseConfig(leastInput, json));
    expect(fromTs).toEqual(fromJson);
  });

  test.each([
    [
      'no default export',
      'export const config = {};',
      /has no default export\. Fix: Write export default/,
      undefined,
    ],
    [
      'an error of its own',
      "throw new Error('no stage\\nset');",
      /cannot be imported: no stage\. Fix: Correct/,
      /no stage/,
    ],
    ['a syntax error', 'export default {', /cannot be imported: .*Fix: Correct/, /./],
    [
      'a missing import',
      "import './absent.ts'; export default {};",
      /Check the paths of its imports/,
      /absent\.ts/,
    ],
    ['syntax that is more than types', 'enum A { B } export default A;', /Use types only/, /enum/],
    ['wrong values', 'export default { name: 5 };', /problems\nname: is not a string/, undefined],
  ])('%s: says so', async (_what, text, message, cause) => {
    const file = await write('spillway.config.ts', text);
    const outcome = await loadInNode(file);
    expect(outcome.name).toBe('ConfigError');
    expect(outcome.message).toContain(file);
    expect(outcome.message).toMatch(message);
    if (cause === undefined) expect(outcome.cause).toBeUndefined();
    else expect(outcome.cause).toMatch(cause);
  });
});
