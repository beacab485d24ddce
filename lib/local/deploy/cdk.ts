import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownRoot } from '../../files/own-files.ts';
import { type GroupEnd, runInGroup } from '../process-group.ts';

const CDK = path.join(path.dirname(fileURLToPath(import.meta.resolve('aws-cdk/package.json'))), 'bin/cdk');

export const ACCOUNT = '000000000000';

export interface CdkRun {
  readonly localstackUrl: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  /** The directory in which the CDK looks for `cdk.json`. Default: the project's root. */
  readonly cwd?: string;
}

/**
 * Makes the environment of a CDK that can reach nothing but LocalStack: without the user's profile,
 * credentials and proxies.
 */
export function cdkEnvironment(ambient: NodeJS.ProcessEnv, localstackUrl: string): NodeJS.ProcessEnv {
  const kept = Object.entries(ambient).filter(([name]) => !/^(AWS|CDK)_|^(https?|all|no)_proxy$/i.test(name));
  return {
    ...Object.fromEntries(kept),
    // cdk.json says `node bin/app.ts`, and that must be the present Node.
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
    // Checking the templates takes half of a synthesis. In an account `cdk deploy` checks them, and they are
    // the same.
    CDK_VALIDATION: 'false',
  };
}

/**
 * Runs the CDK CLI on this Node. Resolves to its exit status and last output; rejects with the
 * signal's reason once it has been ended with everything it started.
 */
export async function runCdk(args: readonly string[], run: CdkRun): Promise<GroupEnd> {
  const log = createWriteStream(run.logFile, { flags: 'a' });
  // A log that cannot be written, on a full disk for example, must not hide what the CDK itself says.
  log.on('error', () => {});
  try {
    return await runInGroup({
      command: process.execPath,
      args: [CDK, '--no-color', '--no-notices', ...args],
      cwd: run.cwd ?? ownRoot,
      env: cdkEnvironment(process.env, run.localstackUrl),
      signal: run.signal,
      onLine: (line) => {
        log.write(`${line}\n`);
        run.onLine?.(line);
      },
    });
  } finally {
    log.end();
  }
}
