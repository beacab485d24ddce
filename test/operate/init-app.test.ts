import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultConfigName, writeApp } from '../../lib/operate/init-app.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-init-app-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');

describe('the app beside a config', () => {
  it('is a module with the construct, and a cdk.json that runs it', async () => {
    const config = join(directory, 'spillway.config.mts');
    const { written, advice } = await writeApp({ directory, config });
    expect(written).toEqual([join(directory, 'spillway.app.mjs'), join(directory, 'cdk.json')]);
    expect(advice).toEqual([]);
    expect(await read('spillway.app.mjs')).toContain('loadConfig({ directory: import.meta.dirname })');
    expect(JSON.parse(await read('cdk.json'))).toEqual({ app: 'node spillway.app.mjs' });
  });

  it('names a config that has another name', async () => {
    await writeApp({ directory, config: join(directory, 'prod.json') });
    expect(await read('spillway.app.mjs')).toContain(`file: "${join(directory, 'prod.json')}"`);
  });

  it('leaves what is there alone, and says what is missing in it', async () => {
    await writeFile(join(directory, 'cdk.json'), '{ "app": "node mine.js" }');
    const { written, advice } = await writeApp({ directory, config: join(directory, 'spillway.config.ts') });
    expect(written).toEqual([join(directory, 'spillway.app.mjs')]);
    expect(await read('cdk.json')).toBe('{ "app": "node mine.js" }');
    expect(advice.join('\n')).toMatch(/cdk\.json exists already[\s\S]*node spillway\.app\.mjs/);
  });

  it('is written once: a second time there is nothing to do or to say', async () => {
    const place = { directory, config: join(directory, 'spillway.config.ts') };
    await writeApp(place);
    expect(await writeApp(place)).toEqual({ written: [], advice: [] });
  });
});

describe('the name of a config', () => {
  it.each([
    ['commonjs', 'spillway.config.mts'],
    ['module', 'spillway.config.ts'],
    [undefined, 'spillway.config.ts'],
  ])('in a package of type %s is %s', async (type, name) => {
    await writeFile(join(directory, 'package.json'), JSON.stringify({ type }));
    await mkdir(join(directory, 'below'));
    expect(defaultConfigName(directory)).toBe(name);
    expect(defaultConfigName(join(directory, 'below'))).toBe(name);
  });
});
