import { execa } from 'execa';
import { z } from 'zod';
import { LocalStackEnvironmentError } from './errors.ts';

/** LocalStack needs `OLDEST`; the locked packages have wheels up to `NEWEST`, so a newer Python is the last resort. */
const OLDEST = [3, 11] as const;
const NEWEST = [3, 13] as const;
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11'] as const;
const probeTimeoutMs = 10_000;

const probed = z.tuple([z.string(), z.number(), z.number(), z.number()]);
const PROBE = 'import json, sys; print(json.dumps([sys.executable, *sys.version_info[:3]]))';

export interface Python {
  readonly executable: string;
  /** For example `3.11.7`. */
  readonly version: string;
}

interface Found extends Python {
  readonly fit: 'old' | 'fits' | 'new';
}

async function probe(command: string, env: NodeJS.ProcessEnv): Promise<Found | undefined> {
  const result = await execa(command, ['-c', PROBE], {
    reject: false,
    timeout: probeTimeoutMs,
    stdin: 'ignore',
    env,
    extendEnv: false,
  });
  if (result.failed) return undefined;
  const [executable, major, minor, patch] = probed.parse(JSON.parse(result.stdout));
  const older = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  const newer = major > NEWEST[0] || (major === NEWEST[0] && minor > NEWEST[1]);
  return { executable, version: `${major}.${minor}.${patch}`, fit: older ? 'old' : newer ? 'new' : 'fits' };
}

/**
 * The Python that runs LocalStack: SPILLWAY_PYTHON if set, otherwise the first of the usual names on the PATH that is 3.11
 * to 3.13, otherwise a newer one. Throws LocalStackEnvironmentError.
 */
export async function findPython(environment: NodeJS.ProcessEnv): Promise<Python> {
  const chosen = environment.SPILLWAY_PYTHON;
  const found: Found[] = [];
  for (const command of chosen ? [chosen] : CANDIDATES) {
    const python = await probe(command, environment);
    if (python?.fit === 'fits') return python;
    if (python) found.push(python);
  }
  const newer = found.find(({ fit }) => fit === 'new');
  if (newer) return newer;
  const what = found[0]
    ? `Python ${found[0].version} (${found[0].executable}) is too old for LocalStack`
    : `LocalStack needs Python, and ${chosen ? `SPILLWAY_PYTHON=${chosen} does not run` : 'no python3 was found on the PATH'}`;
  throw new LocalStackEnvironmentError(
    `${what}; install Python 3.11, 3.12 or 3.13, or name one in SPILLWAY_PYTHON.`,
  );
}
