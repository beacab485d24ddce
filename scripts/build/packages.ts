import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { operatorManifest } from './operator-package.ts';

/**
 * `npm run build`: compiles both packages. `dist/spillway` is what applications import, and is part of the
 * package of this folder; `dist/spillway-cli` is a package of its own, with everything that operators need.
 */
const run = promisify(execFile);
const LIGHT = 'dist/spillway';
const OPERATOR = 'dist/spillway-cli';

await Promise.all([LIGHT, OPERATOR].map((directory) => rm(directory, { recursive: true, force: true })));
await Promise.all([
  compile('tsconfig.build.json'),
  compile('tsconfig.build-cli.json'),
  import('./handlers.ts'),
]);
await cp('scripts/build/light', LIGHT, { recursive: true });
await cp('scenarios', join(OPERATOR, 'scenarios'), { recursive: true });
await cp('dist/handlers', join(OPERATOR, 'dist/handlers'), { recursive: true });
await copyFile('LICENSE', join(OPERATOR, 'LICENSE'));
await copyResources('lib/local/localstack');
await writeJson('package.json', await operatorManifest());
// The drill deploys from here, as from a clone.
await writeJson('cdk.json', { app: 'node bin/app.js', context: cdkJson.context });
await writeFile(
  join(OPERATOR, 'README.md'),
  '# spillway-cli\n\nThe command line of [Spillway](https://www.npmjs.com/package/spillway), its CDK construct, and drills on this machine.\n\n    npm install --save-dev spillway spillway-cli\n    npx spillway --help\n',
);

async function compile(project: string): Promise<void> {
  try {
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project]);
  } catch (cause) {
    const { stdout = '' } = cause as { stdout?: string };
    throw new Error(`${project} does not compile:\n${stdout}`, { cause });
  }
}

/** Copies the files that are read at run time and are not TypeScript. */
async function copyResources(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.ts$|\.pyc$/.test(entry.name)) continue;
    const target = join(OPERATOR, entry.parentPath, entry.name);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(entry.parentPath, entry.name), target);
  }
}

async function writeJson(name: string, value: object): Promise<void> {
  await writeFile(join(OPERATOR, name), `${JSON.stringify(value, null, 2)}\n`);
}
