import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalStackEnvironmentError } from '../../../lib/local/localstack/errors.ts';
import { findPython } from '../../../lib/local/localstack/python.ts';
import { fakePython } from './fake-python.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'spillway-python-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const onPath = () => ({ PATH: directory });

describe('the Python that runs LocalStack', () => {
  it('is the first on the PATH that fits', async () => {
    await fakePython({ directory, version: [3, 9, 2] });
    const fits = await fakePython({ directory, name: 'python3.12', version: [3, 12, 1] });
    await fakePython({ directory, name: 'python3.11' });
    expect(await findPython(onPath())).toMatchObject({ executable: fits, version: '3.12.1' });
  });

  it('is a newer one only if no other fits', async () => {
    const newer = await fakePython({ directory, version: [3, 15, 0] });
    expect(await findPython(onPath())).toMatchObject({ executable: newer });
    const fits = await fakePython({ directory, name: 'python3.13', version: [3, 13, 0] });
    expect(await findPython(onPath())).toMatchObject({ executable: fits });
  });

  it('is the one SPILLWAY_PYTHON names, whatever is on the PATH', async () => {
    await fakePython({ directory });
    const chosen = await fakePython({ directory, name: 'mine', version: [3, 13, 2] });
    expect(await findPython({ ...onPath(), SPILLWAY_PYTHON: chosen })).toMatchObject({ executable: chosen });
  });

  it.each([
    ['is missing', {}, /no python3 was found on the PATH; install Python 3\.11, 3\.12 or 3\.13/],
    [
      'is not what SPILLWAY_PYTHON says',
      { SPILLWAY_PYTHON: '/nowhere' },
      /SPILLWAY_PYTHON=\/nowhere does not run/,
    ],
  ])('says what to do when it %s', async (_, extra, message) => {
    const finding = findPython({ ...onPath(), ...extra });
    await expect(finding).rejects.toThrow(LocalStackEnvironmentError);
    await expect(finding).rejects.toThrow(message);
  });

  it('says what to do when it is too old', async () => {
    await fakePython({ directory, version: [3, 10, 13] });
    await expect(findPython(onPath())).rejects.toThrow(
      /Python 3\.10\.13 \(.*python3\) is too old .* SPILLWAY_PYTHON/,
    );
  });
});
