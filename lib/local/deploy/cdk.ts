import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';

const PROJECT_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CDK = path.join(path.dirname(fileURLToPath(import.meta.resolve('aws-cdk/package.json'))), 'bin/cdk');

export const ACCOUNT = '000000000000';

export interface CdkRun {
  readonly localstackUrl: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** The environment of a CDK that can reach nothing but LocalStack: no profile, credentials or proxy of the user's gets in. */
export function cdkEnvironment(ambient: NodeJS.ProcessEnv, localstackUrl: string): NodeJS.ProcessEnv {
  const kept = Object.entries(ambient).filter(([name]) => !/^(AWS|CDK)_|^(https?|all|no)_proxy$/i.test(name));
  return {
    ...Object.fromEntries(kept),
    // cdk.json says `node bin/app.ts`, which must be this Node.
    PATH: `${path.dirname(process.execPath)}${path.delimiter}${ambient.PATH ?? ''}`,
    AWS_ENDPOINT_URL: localstackUrl,
    AWS_ENDPOINT_URL_S3: localstackUrl,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DEFAULT_ACCOUNT: ACCOUNT,
    CDK_DEFAULT_REGION: 'us-east-1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
  };
}

/**
 * Runs the CDK CLI on this Node in the project's root. Resolves to its exit status and last output; rejects with the
 * signal's reason once it has been ended with everything it started.
 */
export async function runCdk(
  args: readonly string[],
  run: CdkRun,
): Promise<{ status: number; output: string }> {
  run.signal.throwIfAborted();
  const child = spawn(process.execPath, [CDK, '--no-color', '--no-notices', ...args], {
    cwd: PROJECT_ROOT,
    env: cdkEnvironment(process.env, run.localstackUrl),
    detached: true, // a group of its own, because the CDK runs the app in a shell
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  run.signal.addEventListener('abort', killGroup, { once: true });
  process.once('exit', killGroup);
  const tail = collectOutput(child, run);
  try {
    const [code] = await once(child, 'close');
    run.signal.throwIfAborted();
    return { status: (code as number | null) ?? 1, output: tail.join('\n') };
  } finally {
    run.signal.removeEventListener('abort', killGroup);
    process.removeListener('exit', killGroup);
  }
}

const tailLines = 20;

/** Copies both streams to the log and the listener; returns the array that holds the last lines. */
function collectOutput(child: ReturnType<typeof spawn>, { logFile, onLine }: CdkRun): string[] {
  const log = createWriteStream(logFile, { flags: 'a' });
  const merged = new PassThrough();
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(merged, { end: false });
  child.once('close', () => merged.end());
  const tail: string[] = [];
  createInterface({ input: merged })
    .on('line', (line) => {
      log.write(`${line}\n`);
      if (line.trim() !== '') tail.push(line);
      if (tail.length > tailLines) tail.shift();
      onLine?.(line);
    })
    .on('close', () => log.end());
  return tail;
}
