import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import project from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };

/** `>=22.19.0` as [22, 19, 0]; undefined for a range of another form. */
const leastOf = (range = ''): readonly number[] | undefined =>
  /^>= ?\d+(\.\d+)*$/.test(range) ? range.replace(/^>= ?/, '').split('.').map(Number) : undefined;
const isAtLeast = (version: readonly number[], least: readonly number[]): boolean => {
  const n = [0, 1, 2].find((part) => (version[part] ?? 0) !== (least[part] ?? 0));
  return n === undefined || (version[n] ?? 0) > (least[n] ?? 0);
};

test('README, CONTRIBUTING and package.json name the same Node, for a clone and for the library', async () => {
  const [readme, contributing] = await Promise.all([
    readFile('README.md', 'utf8'),
    readFile('CONTRIBUTING.md', 'utf8'),
  ]);
  const clone = project.devEngines.runtime.version.replace('>=', '');
  expect(readme).toContain(`With Node.js ${clone} or later`);
  expect(contributing).toContain(`You need Node ${clone} or later`);
  const library = project.engines.node.replace('>=', '').replace(/\.0$/, '');
  expect(readme).toContain(`on Node.js ${library} or later`);
});

test('the library asks for a Node on which everything it depends on runs', () => {
  const least = leastOf(project.engines.node) ?? [];
  const packages = Object.entries(lock.packages) as [string, { dev?: true; engines?: { node?: string } }][];
  const tooNew = packages.filter(([, { dev, engines }]) => {
    const needed = leastOf(engines?.node);
    return dev !== true && needed !== undefined && !isAtLeast(least, needed);
  });
  expect(tooNew.map(([name]) => name)).toEqual([]);
});

test('before npm ci the command says that it is needed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-bin-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'bin'));
  await copyFile('bin/spillway', join(directory, 'bin', 'spillway'));
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(join(directory, 'bin', 'spillway'), ['--help'], (error, _stdout, text) =>
      resolve({ code: error?.code, stderr: text }),
    );
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/run `npm ci` first\.$/m);
});
