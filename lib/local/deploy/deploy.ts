import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ACCOUNT, type CdkRun, runCdk } from './cdk.ts';
import { DeployFailedError } from './errors.ts';
import { cloudFormation, deleteIfRolledBack, failureOf, type StackPlace, stackStatus } from './stacks.ts';

export interface DeployOptions {
  readonly localstackUrl: string;
  /** The config file, given to the app as the context value `config`. */
  readonly configFile?: string;
  /** Directory of the cloud assembly; `deploy.log` and `outputs.json` go beside it. */
  readonly outDir: string;
  /** Regions to bootstrap. */
  readonly regions: readonly string[];
  /** The command that runs the app. Default: the one in cdk.json. */
  readonly app?: string;
  readonly onProgress?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Default 5 minutes. */
  readonly timeoutMs?: number;
}

const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()));
/** Output values by stack name, then by output name. */
export type DeployedOutputs = z.infer<typeof outputsSchema>;

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      environment: z.string().optional(),
      properties: z.object({ stackName: z.string().optional() }).optional(),
    }),
  ),
});

const concurrency = 4;

/** The stacks of an assembly, from its manifest.json; environments look like `aws://000000000000/us-west-2`. */
export function stacksOf(manifest: unknown): StackPlace[] {
  const { artifacts } = manifestSchema.parse(manifest);
  return Object.entries(artifacts)
    .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
    .map(([id, { properties, environment }]) => ({
      name: properties?.stackName ?? id,
      region: environment?.split('/').at(-1) ?? '',
    }));
}

/**
 * Bootstraps the regions that are not bootstrapped yet: creates the CDK's own toolkit stack, which holds the
 * bucket for assets.
 */
async function bootstrap({ regions, outDir }: DeployOptions, run: CdkRun): Promise<void> {
  const statuses = await Promise.all(
    regions.map((region) => stackStatus(cloudFormation(run.localstackUrl, region), 'CDKToolkit')),
  );
  const missing = regions.filter((_, index) => !statuses[index]?.endsWith('_COMPLETE'));
  if (missing.length === 0) return;
  // A directory of its own, because a CDK that finds an app synthesises that app first, and locks the output
  // of the whole project.
  const cwd = `${path.resolve(outDir)}-bootstrap`;
  await mkdir(cwd, { recursive: true });
  const environments = missing.map((region) => `aws://${ACCOUNT}/${region}`);
  const { status, output } = await runCdk(['bootstrap', ...environments], { ...run, cwd });
  if (status !== 0) throw new DeployFailedError(`cdk bootstrap failed:\n${output}`, run.logFile);
}

async function synthesise(options: DeployOptions, run: CdkRun): Promise<readonly StackPlace[]> {
  const args = ['synth', '--quiet', '--output', options.outDir];
  if (options.app) args.push('--app', options.app);
  if (options.configFile) args.push('--context', `config=${path.resolve(options.configFile)}`);
  const { status, output } = await runCdk(args, run);
  if (status !== 0) throw new DeployFailedError(`cdk synth failed:\n${output}`, run.logFile);
  return stacksOf(JSON.parse(await readFile(path.join(options.outDir, 'manifest.json'), 'utf8')));
}

async function deployStacks(
  stacks: readonly StackPlace[],
  options: DeployOptions,
  run: CdkRun,
): Promise<void> {
  const client = ({ region }: StackPlace) => cloudFormation(run.localstackUrl, region);
  await Promise.all(stacks.map((stack) => deleteIfRolledBack(client(stack), stack.name)));
  // LocalStack uses this machine's clock, and some of its times are whole seconds.
  const sinceMs = Math.floor(Date.now() / 1_000) * 1_000;
  const { status, output } = await runCdk(
    [
      ...['deploy', '--all', '--app', options.outDir, '--require-approval', 'never'],
      ...['--concurrency', String(concurrency), '--outputs-file', outputsFile(options)],
    ],
    {
      ...run,
      onLine: (line) => {
        const stack = /^\s*✅\s+(\S+)/.exec(line)?.[1];
        if (stack) options.onProgress?.(`Deployed ${stack}`);
      },
    },
  );
  if (status === 0) return;
  const failures = await Promise.all(
    stacks.map((stack) => failureOf(client(stack), { name: stack.name, sinceMs })),
  );
  const known = failures.filter((failure) => failure !== undefined);
  throw new DeployFailedError(
    `cdk deploy failed: ${known.length > 0 ? known.join('\n') : output}`,
    run.logFile,
  );
}

function outputsFile(options: DeployOptions): string {
  return path.join(path.dirname(path.resolve(options.outDir)), 'outputs.json');
}

/**
 * Synthesises the CDK app and deploys the whole app to LocalStack with the CDK CLI. Throws DeployFailedError
 * with the stack, the resource and the reason; rejects with the signal's reason when aborted.
 */
export async function deployApp(options: DeployOptions): Promise<DeployedOutputs> {
  const directory = path.dirname(path.resolve(options.outDir));
  await mkdir(directory, { recursive: true });
  const logFile = path.join(directory, 'deploy.log');
  const timeoutMs = options.timeoutMs ?? 5 * 60_000;
  const timeout = AbortSignal.timeout(timeoutMs);
  // If bootstrap or synthesis fails, the other one is stopped: they run in parallel.
  const failed = new AbortController();
  const signal = AbortSignal.any([timeout, failed.signal, ...(options.signal ? [options.signal] : [])]);
  const run: CdkRun = { localstackUrl: options.localstackUrl, logFile, signal };
  await Promise.all([rm(logFile, { force: true }), rm(outputsFile(options), { force: true })]);
  const stopOther = (error: unknown) => {
    failed.abort(error);
    throw error;
  };
  try {
    options.onProgress?.('Synthesising the CDK app and bootstrapping the regions');
    const [stacks] = await Promise.all([
      synthesise(options, run).catch(stopOther),
      bootstrap(options, run).catch(stopOther),
    ]);
    options.onProgress?.(`Deploying ${stacks.length} stacks`);
    await deployStacks(stacks, options, run);
    return outputsSchema.parse(JSON.parse(await readFile(outputsFile(options), 'utf8')));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (timeout.aborted) {
      throw new DeployFailedError(`The deployment was not complete within ${timeoutMs / 1000} s.`, logFile, {
        cause: error,
      });
    }
    throw error;
  }
}
