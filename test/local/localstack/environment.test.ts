import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureEnvironment } from '../../../lib/local/localstack/environment.ts';
import { LocalStackEnvironmentError } from '../../../lib/local/localstack/errors.ts';
import { type FakePythonOptions, fakePython } from './fake-python.ts';

let root: string;
let parent: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'spillway-environment-'));
  parent = path.join(root, 'environments');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

async function usePython(options: Partial<FakePythonOptions> = {}): Promise<void> {
  vi.stubEnv('SPILLWAY_PYTHON', await fakePython({ directory: path.join(root, 'bin'), ...options }));
}

async function timesMade(): Promise<number> {
  return (await readFile(path.join(root, 'bin/made'), 'utf8')).trim().split('\n').length;
}

describe("LocalStack's Python environment", () => {
  it('is made once and reused, with progress told', async () => {
    await usePython();
    const told: string[] = [];
    const first = await ensureEnvironment({ parent, onProgress: (text) => told.push(text) });
    await access(first.python);
    expect(told[0]).toBe('Making a Python environment for LocalStack');
    expect(await ensureEnvironment({ parent })).toEqual(first);
    expect(await timesMade()).toBe(1);
  });

  it('is made once by two that need it at the same time', async () => {
    await usePython({ otherwise: 'sleep 0.2' });
    const [first, second] = await Promise.all([ensureEnvironment({ parent }), ensureEnvironment({ parent })]);
    expect(second).toEqual(first);
    expect(await timesMade()).toBe(1);
  });

  it('is another one for another Python', async () => {
    await usePython();
    const { python } = await ensureEnvironment({ parent });
    await usePython({ version: [3, 12, 1] });
    expect((await ensureEnvironment({ parent })).python).not.toBe(python);
  });

  it('replaces what an earlier run left half made', async () => {
    await usePython();
    await mkdir(path.join(parent, 'new-abandoned/bin'), { recursive: true });
    await writeFile(path.join(parent, 'lock'), '999999999');
    const { python } = await ensureEnvironment({ parent });
    expect(await readdir(parent)).toEqual([path.basename(path.dirname(path.dirname(python)))]);
  });

  it('leaves nothing half made when it fails or is aborted', async () => {
    await usePython({ otherwise: 'echo "No space left on device" >&2; exit 1' });
    const failing = ensureEnvironment({ parent });
    await expect(failing).rejects.toThrow(LocalStackEnvironmentError);
    await expect(failing).rejects.toThrow(/disk is full/);
    expect(await readdir(parent)).toEqual([]);

    await usePython({ otherwise: 'exec sleep 60' });
    const aborted = ensureEnvironment({ parent, signal: AbortSignal.timeout(300) });
    await expect(aborted).rejects.toThrow(/abort|timeout/i);
    expect(await readdir(parent)).toEqual([]);
  });

  it('falls back to pip where uv fails', async () => {
    const told: string[] = [];
    await usePython({ otherwise: '[ "$2" != uv ]' });
    await ensureEnvironment({ parent, onProgress: (text) => told.push(text) });
    expect(told.at(-1)).toMatch(/with pip/);
  });
});
