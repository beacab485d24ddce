import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecaError, execa } from 'execa';
import { LocalStackEnvironmentError } from './errors.ts';

const HERE = path.dirname(fileURLToPath(import.meta.url));
/** Each step by itself; a slow line takes minutes for the 100 MB of packages. */
const stepTimeoutMs = 15 * 60_000;

/** The files whose content names what is installed. */
export const LOCK_FILES = ['installer.lock', 'requirements.lock'].map((name) => path.join(HERE, name));
const [INSTALLER_LOCK = '', REQUIREMENTS_LOCK = ''] = LOCK_FILES;

export interface InstallOptions {
  /** The Python to make the environment with. */
  readonly basePython: string;
  readonly directory: string;
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** First match wins: what an installer says, and what to do about it. */
const CAUSES: readonly { readonly pattern: RegExp; readonly says: string }[] = [
  {
    pattern: /ensurepip is not available|No module named '?(venv|ensurepip)/,
    says: "Python's venv module is missing: install it (on Debian and Ubuntu the package python3-venv) and try again.",
  },
  {
    pattern: /No space left on device|ENOSPC|Disk quota exceeded/i,
    says: 'the disk is full: LocalStack needs 600 MB.',
  },
  {
    pattern: /do not match the hashes|hash mismatch/i,
    says: 'a downloaded package is not the one that was locked: check the package registry this machine is set up with.',
  },
  {
    pattern:
      /name resolution|getaddrinfo|dns error|NewConnectionError|Connection (refused|reset)|Network is unreachable|timed? ?out|ProxyError|No matching distribution found|error sending request/i,
    says: 'the package registry cannot be reached: check the network and the pip configuration, then try again.',
  },
];

/** The one sentence that tells a person what to do about a failed installation. */
export function explain(output: string): string {
  const cause = CAUSES.find(({ pattern }) => pattern.test(output))?.says;
  return `LocalStack could not be installed: ${cause ?? output.trim().split('\n').at(-1)}`;
}

/** pip's settings that uv, which does not read them, knows by another name. */
const UV_NAMES: Readonly<Record<string, string>> = {
  'index-url': 'UV_DEFAULT_INDEX',
  'extra-index-url': 'UV_INDEX',
  'trusted-host': 'UV_INSECURE_HOST',
  cert: 'SSL_CERT_FILE',
  proxy: 'ALL_PROXY',
};

/** Translates what `pip config list` prints (`global.index-url='…'`) into uv's environment variables. */
export function uvEnvironment(pipConfig: string): Record<string, string> {
  const settings = pipConfig.matchAll(/^(?:global|install|:env:)\.([a-z-]+)='(.*)'$/gm);
  const named = [...settings].map(([, key = '', value = '']) => [
    UV_NAMES[key],
    value.replaceAll('\\n', ' ').trim(),
  ]);
  return Object.fromEntries(named.filter(([name]) => name !== undefined));
}

/**
 * Makes a virtual environment with LocalStack in `directory`. uv installs in seconds what takes pip most of a minute; where
 * uv fails, for example behind a pip configuration it cannot follow, pip does it.
 */
export async function install(options: InstallOptions): Promise<void> {
  const python = path.join(options.directory, 'bin/python');
  const run = async (command: string, args: readonly string[], env: Record<string, string> = {}) =>
    execa(command, args, {
      env: { PYTHONDONTWRITEBYTECODE: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1', ...env },
      stdin: 'ignore',
      all: true,
      timeout: stepTimeoutMs,
      forceKillAfterDelay: 2_000,
      ...(options.signal ? { cancelSignal: options.signal } : {}),
    });
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--no-deps', '--require-hashes', '-r'];
  try {
    options.onProgress?.('Making a Python environment for LocalStack');
    await run(options.basePython, ['-m', 'venv', options.directory]);
    await run(python, [...pip, INSTALLER_LOCK]);
    options.onProgress?.('Installing LocalStack (once, about 100 MB)');
    const { stdout } = await run(python, ['-m', 'pip', 'config', 'list']);
    const uv = [
      '-m',
      'uv',
      'pip',
      'install',
      '--quiet',
      '--python',
      python,
      '--no-deps',
      '--require-hashes',
      '-r',
    ];
    await run(python, [...uv, REQUIREMENTS_LOCK], uvEnvironment(stdout)).catch((error) => {
      options.signal?.throwIfAborted();
      if (/No space left/.test(String(error))) throw error;
      options.onProgress?.('Installing LocalStack with pip, which takes a minute');
      return run(python, [...pip, REQUIREMENTS_LOCK]);
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof ExecaError)) throw error;
    const output = error.timedOut ? 'timed out' : (error.all ?? error.message);
    throw new LocalStackEnvironmentError(explain(output), { cause: error });
  }
}
