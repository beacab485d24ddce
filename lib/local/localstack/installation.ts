import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInGroup } from '../process-group.ts';
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

const DISK_FULL = 'the disk is full';

/** First match wins: what an installer says, and what to do about it. */
const CAUSES: readonly { readonly pattern: RegExp; readonly says: string }[] = [
  {
    pattern: /ensurepip is not available|No module named '?(venv|ensurepip)/,
    says: "Python's venv module is missing: install it (on Debian and Ubuntu the package python3-venv) and try again.",
  },
  {
    pattern: /No space left on device|ENOSPC|Disk quota exceeded/i,
    says: `${DISK_FULL}: LocalStack needs 600 MB.`,
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

const PIP = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--no-deps', '--require-hashes', '-r'];
const UV = ['-m', 'uv', 'pip', 'install', '--quiet', '--no-deps', '--require-hashes'];

/**
 * Makes a virtual environment with LocalStack in `directory`. uv installs in seconds what takes pip most of a minute; where
 * uv fails, for example behind a pip configuration it cannot follow, pip does it.
 *
 * @throws LocalStackEnvironmentError, or the signal's reason.
 */
export async function install(options: InstallOptions): Promise<void> {
  const { signal, onProgress } = options;
  const python = path.join(options.directory, 'bin/python');
  onProgress?.('Making a Python environment for LocalStack');
  await step(options.basePython, ['-m', 'venv', options.directory], { signal });
  await step(python, [...PIP, INSTALLER_LOCK], { signal });
  onProgress?.('Installing LocalStack (once, about 100 MB)');
  const configured = await step(python, ['-m', 'pip', 'config', 'list'], { signal });
  const env = uvEnvironment(configured);
  try {
    await step(python, [...UV, '--python', python, '-r', REQUIREMENTS_LOCK], { signal, env });
  } catch (error) {
    if (!(error instanceof LocalStackEnvironmentError) || error.message.includes(DISK_FULL)) throw error;
    onProgress?.('Installing LocalStack with pip, which takes a minute');
    await step(python, [...PIP, REQUIREMENTS_LOCK], { signal });
  }
}

/** Runs one command of the installation and returns what it said. */
async function step(
  command: string,
  args: readonly string[],
  options: { readonly signal: AbortSignal | undefined; readonly env?: Record<string, string> },
): Promise<string> {
  const timeout = AbortSignal.timeout(stepTimeoutMs);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  try {
    const { status, output } = await runInGroup({
      command,
      args,
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: '1',
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        ...options.env,
      },
      signal,
    });
    if (status === 0) return output;
    throw new LocalStackEnvironmentError(explain(output === '' ? `${command} failed` : output));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!timeout.aborted) throw error;
    throw new LocalStackEnvironmentError(explain('timed out'), { cause: error });
  }
}
