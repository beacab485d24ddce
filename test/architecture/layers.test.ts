import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { architectureDocument, boxesOf } from '../../scripts/architecture/document.ts';
import { folders } from '../../scripts/architecture/folders.ts';
import { readImports } from '../../scripts/architecture/graph.ts';
import { layers } from '../../scripts/architecture/rules.ts';

type RuleName = (typeof layers.forbidden)[number]['name'];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-layers-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A project with these files, and the libraries that the rules are about. */
async function projectOf(files: Readonly<Record<string, string>>): Promise<void> {
  const library = (name: string): Record<string, string> => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, main: 'index.js' }),
    [`node_modules/${name}/index.js`]: 'export const one = 1;',
  });
  const all = {
    'package.json': JSON.stringify({
      dependencies: { zod: '*', 'aws-cdk-lib': '*' },
      devDependencies: { vitest: '*' },
    }),
    ...library('zod'),
    ...library('aws-cdk-lib'),
    ...library('vitest'),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}

async function brokenRules(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await projectOf({ ...files, 'bin/x.ts': '', 'lib/x/x.ts': '', 'lambda/core/x.ts': '' });
  const { violations } = await readImports(['bin', 'lib', 'lambda'], directory);
  return [...new Set(violations.map(({ rule }) => rule.name))].sort();
}

const one = 'export const one = 1;';
const breaches: Readonly<Record<RuleName, readonly Readonly<Record<string, string>>[]>> = {
  'no-cycles': [
    {
      'lib/a/a.ts': "import { b } from './b.ts'; export const a = b;",
      'lib/a/b.ts': "import { a } from './a.ts'; export const b = a;",
    },
    {
      'lib/a/a.ts': "import type { B } from './b.ts'; export type A = B;",
      'lib/a/b.ts': "import type { A } from './a.ts'; export type B = A[];",
    },
  ],
  'entries-are-called-by-nobody': [
    { 'lib/a/a.ts': "export { one } from '../../lambda/vote/handler.ts';", 'lambda/vote/handler.ts': one },
    {
      'lib/a/a.ts': "import type { One } from '../../lambda/vote/handler.ts'; export type A = One;",
      'lambda/vote/handler.ts': 'export type One = 1;',
    },
    { 'lib/a/a.ts': "export { one } from '../../bin/app.ts';", 'bin/app.ts': one },
    { 'bin/app.ts': "export { one } from '../lambda/vote/handler.ts';", 'lambda/vote/handler.ts': one },
  ],
  'functions-apart': [
    { 'lambda/vote/handler.ts': "export { one } from '../observer/run.ts';", 'lambda/observer/run.ts': one },
  ],
  'core-is-pure': [
    { 'lambda/core/a.ts': "import { readFileSync } from 'node:fs'; export const a = readFileSync;" },
    { 'lambda/core/a.ts': "export { one } from '../../lib/a/a.ts';", 'lib/a/a.ts': one },
    { 'lambda/core/a.ts': "export { one } from 'aws-cdk-lib';" },
  ],
  'shipped-code-stands-alone': [
    { 'lib/producer/a.ts': "export { one } from '../config/a.ts';", 'lib/config/a.ts': one },
    {
      'lib/consumer/a.ts': "import type { One } from '../config/a.ts'; export type A = One;",
      'lib/config/a.ts': 'export type One = 1;',
    },
  ],
  'nothing-calls-the-command-line': [
    { 'lib/local/drill/a.ts': "export { one } from '../../cli/a.ts';", 'lib/cli/a.ts': one },
    { 'lambda/vote/handler.ts': "export { one } from '../../lib/cli/a.ts';", 'lib/cli/a.ts': one },
  ],
  'the-local-world-is-not-deployed': [
    { 'lib/operate/a.ts': "export { one } from '../local/a.ts';", 'lib/local/a.ts': one },
  ],
  'the-cdk-only-where-stacks-are-made': [{ 'lib/operate/a.ts': "export { one } from 'aws-cdk-lib';" }],
  'no-tests-in-the-product': [
    { 'lib/a/a.ts': "export { one } from '../../test/a.ts';", 'test/a.ts': one },
    { 'lib/a/a.ts': "export { one } from '../../scripts/a.ts';", 'scripts/a.ts': one },
  ],
  'shipped-code-brings-what-it-needs': [{ 'lib/producer/a.ts': "export { one } from 'vitest';" }],
  'no-tools-in-the-product': [{ 'lib/a/a.ts': "export { one } from 'vitest';" }],
  'nothing-unresolved': [{ 'lib/a/a.ts': "export { one } from './gone.ts';" }],
};

describe.each(layers.forbidden.map(({ name }) => name))('the rule %s', (name) => {
  it.each(breaches[name])('is broken by %o', async (files) => {
    expect(await brokenRules(files)).toContain(name);
  });
});

it('lets entries call lib, lib the core, and the core the schema library', async () => {
  const files = {
    'bin/app.ts': "export { one } from '../lib/stacks/a.ts';",
    'lib/stacks/a.ts':
      "export { one } from '../../lambda/core/a.ts'; export { one as cdk } from 'aws-cdk-lib';",
    'lambda/vote/handler.ts':
      "export { one } from './a.ts'; export { one as two } from '../../lib/state/a.ts';",
    'lambda/vote/a.ts': one,
    'lib/state/a.ts': one,
    'lib/producer/a.ts': "export { one } from '../envelope/a.ts';",
    'lib/envelope/a.ts': "export { one } from '../../lambda/core/a.ts';",
    'lambda/core/a.ts': "export { one } from 'zod';",
  };
  expect(await brokenRules(files)).toEqual([]);
});

describe('this project', () => {
  it('keeps to the rules, has a sentence for each folder, and is drawn as it is: else run npm run docs', async () => {
    const { violations, imports } = await readImports(['bin', 'lib', 'lambda']);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
    expect([...imports.keys()].sort()).toEqual(Object.keys(folders).sort());
    expect(await readFile('docs/architecture.md', 'utf8')).toBe(architectureDocument(imports));
  });

  it('has no two boxes of its picture that need each other', async () => {
    const boxes = boxesOf((await readImports(['bin', 'lib', 'lambda'])).imports);
    const reached = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
      for (const to of boxes.get(from) ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        reached(to, seen);
      }
      return seen;
    };
    expect([...boxes.keys()].filter((name) => reached(name).has(name))).toEqual([]);
  });
});
