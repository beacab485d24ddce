import { createWriteStream, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { hostsContext } from '../../deployments/given-hosts.ts';
import { UsageError } from '../errors.ts';
import { CdkFailedError } from './errors.ts';

export interface CdkOptions {
  /** Where the app’s cdk.json is. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** All that the CDK says is added to it. */
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  /** Given to every command of the CDK. */
  readonly extra: readonly string[];
}

/** A synthesis takes seconds, and a thousand cells half a minute. */
const SYNTH_TIMEOUT_MS = 600_000;
/** One stage: a guard waits for minutes, and CloudFormation may. */
const DEPLOY_TIMEOUT_MS = 3_600_000;
/** The CDK ends at once; the app that it runs may have something to put away. */
const KILL_AFTER_MS = 10_000;
const LINES_KEPT = 40;
const CONCURRENCY = 4;

/**
 * The CDK CLI of the app, else Spillway’s own. @throws UsageError when there is none, or no app
 */
export function findCdk(directory: string): string {
  if (!existsSync(join(directory, 'cdk.json'))) {
    throw new UsageError(
      `${directory} has no cdk.json: run this where your CDK app is, or write one with \`spillway init\`.`,
    );
  }
  for (const from of [join(directory, 'cdk.json'), import.meta.filename]) {
    try {
      return join(dirname(createRequire(from).resolve('aws-cdk/package.json')), 'bin/cdk');
    } catch {
      // Looked for in the next place.
    }
  }
  throw new UsageError('The CDK CLI is not installed here: npm install --save-dev aws-cdk');
}

/** The environment of the CDK in an account: as it is, with this Node first, which can run the app. */
export const ownEnvironment = (ambient: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...ambient,
  PATH: `${dirname(process.execPath)}${delimiter}${ambient.PATH ?? ''}`,
});

export interface Synthesis {
  readonly outDir: string;
  /** File that the app of a clone reads the config from. Absent: as the app finds it. */
  readonly configFile: string | undefined;
  /** Hosts that checks are to ask, by the region of a vote, or `switch`; in place of references. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export const synthArguments = ({ outDir, configFile, hosts }: Synthesis): readonly string[] => [
  ...['synth', '--quiet', '--output', outDir],
  ...(configFile === undefined ? [] : ['--context', `config=${configFile}`]),
  ...(hosts === undefined ? [] : ['--context', `${hostsContext}=${JSON.stringify(hosts)}`]),
];

/** Options that whoever calls may give otherwise; given twice, the CDK would take both. */
const deployDefaults = [
  ['--require-approval', 'never'],
  ['--progress', 'events'],
  ['--concurrency', String(CONCURRENCY)],
] as const;

export const deployArguments = (
  selectors: readonly string[],
  { outDir, extra }: { readonly outDir: string; readonly extra: readonly string[] },
): readonly string[] => [
  ...['deploy', ...selectors, '--exclusively', '--app', outDir],
  ...deployDefaults.filter(([flag]) => !extra.some((each) => each.split('=')[0] === flag)).flat(),
  ...extra,
];

/** @throws CdkFailedError, or the reason of the signal */
export async function synthesise(synthesis: Synthesis, options: CdkOptions): Promise<void> {
  await runCdk([...synthArguments(synthesis), ...options.extra], { ...options, timeoutMs: SYNTH_TIMEOUT_MS });
}

/** @throws CdkFailedError, or the reason of the signal */
export async function deployStacks(
  selectors: readonly string[],
  { outDir, ...options }: CdkOptions & { readonly outDir: string },
): Promise<void> {
  await runCdk(deployArguments(selectors, { outDir, extra: options.extra }), {
    ...options,
    timeoutMs: DEPLOY_TIMEOUT_MS,
  });
}

async function runCdk(
  args: readonly string[],
  { directory, env, logFile, signal, onLine, timeoutMs }: CdkOptions & { readonly timeoutMs: number },
): Promise<void> {
  signal.throwIfAborted();
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  // A log that cannot be written must not hide what the CDK itself says.
  log.on('error', () => {});
  const command = findCdk(directory);
  const child = execa(process.execPath, [command, '--no-color', '--no-notices', ...args], {
    cwd: directory,
    env,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    timeout: timeoutMs,
    cancelSignal: signal,
    killSignal: 'SIGINT',
    forceKillAfterDelay: KILL_AFTER_MS,
  });
  const tail: string[] = [];
  log.write(`$ cdk ${args.join(' ')}\n`);
  const reading = (async () => {
    for await (const line of createInterface({ input: child.all })) {
      log.write(`${line}\n`);
      if (line.trim() === '') continue;
      tail.push(line);
      if (tail.length > LINES_KEPT) tail.shift();
      onLine?.(line.trim());
    }
  })().catch(() => {});
  const ended = await child;
  await reading;
  log.end();
  signal.throwIfAborted();
  if (ended.exitCode === 0) return;
  const why = ended.timedOut ? `was not done within ${timeoutMs / 60_000} min` : 'failed';
  throw new CdkFailedError(`cdk ${args[0]} ${why}:\n${tail.join('\n')}`, logFile, { cause: ended.cause });
}
