import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_SOAK_MS } from '../deployments/plan.ts';
import { ownRoot } from '../files/own-files.ts';
import { cdkEnvironment } from '../local/deploy/cdk.ts';
import { writeConfigFile } from '../local/drill/account.ts';
import { findCdk, ownEnvironment } from '../operate/deploy/cdk.ts';
import { type DeployOptions, deploy } from '../operate/deploy/deploy.ts';
import type { DeployDocument } from '../operate/deploy/document.ts';
import { UsageError } from '../operate/errors.ts';
import { clientsFor, resolveTarget, type Target } from '../operate/target.ts';
import { type ExitCode, exitCodes } from '../shell/exit-codes.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import {
  durationArgument,
  durationOption,
  listArgument,
  type OutputFlags,
  type TargetFlags,
  withJson,
  withTarget,
} from './options.ts';
import { deployScreen, planLines } from './screens/deploy.ts';
import { progress } from './spinner.ts';
import { type End, perform } from './verb.ts';
import { wrapped } from './wrap.ts';

interface DeployFlags extends TargetFlags, OutputFlags {
  readonly soak: number;
  readonly settle?: number;
  readonly allowRemoval?: readonly string[];
  readonly yes?: true;
  readonly dryRun?: true;
}

const MOST_MS = 86_400_000;
const CALL_TIMEOUT_MS = 5_000;

/** `spillway deploy`: the CDK in stages that cannot move traffic. */
export function deployCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('deploy').description(
        'Deploy with the CDK in stages: refuses what would move traffic, changes one observer at a time, and verifies DNS after each stage.',
      ),
    ),
  )
    .argument('[cdk-options...]', 'after --: options for `cdk synth` and each `cdk deploy`')
    .addOption(
      durationOption(
        '--soak <duration>',
        'watch each observer of a new version this long before the next one; 0s: not at all',
        { defaultMs: DEFAULT_SOAK_MS, parse: boundedArgument },
      ),
    )
    .option(
      '--settle <duration>',
      'watch DNS this long after each stage with checks or records (default: until checks and caches have followed)',
      boundedArgument,
    )
    .option(
      '--allow-removal <cells>',
      'cells that may go although they are held in the standby, separated by commas',
      listArgument,
    )
    .option('--yes', 'do not ask; without a terminal this is required')
    .option('--dry-run', 'change nothing: print the plan and its commands')
    .addHelpText(
      'after',
      `
Interrupted or stopped, run it again: it compares with what is deployed, and goes on with what is left.

Examples:
  spillway deploy --dry-run
  spillway deploy --soak 20m
  spillway deploy --yes --json -- --role-arn arn:aws:iam::123456789012:role/deploy`,
    )
    .action((extra: readonly string[], flags: DeployFlags) =>
      perform(io, flags, () => deployed(io, flags, extra)),
    );
}

function boundedArgument(text: string): number {
  const ms = durationArgument(text);
  if (ms <= MOST_MS) return ms;
  throw new InvalidArgumentError('Write a duration of at most 24h.');
}

async function deployed(io: Io, flags: DeployFlags, extra: readonly string[]): Promise<End> {
  const [first = '-'] = extra;
  if (!first.startsWith('-')) {
    throw new UsageError(
      `"${first}" is no option: stacks are not named, because stages take them in their order. Options of the CDK go after --.`,
    );
  }
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const dryRun = flags.dryRun === true;
  const place = await placeOf(io, flags, target);
  findCdk(place.cdk.directory);
  if (!dryRun && !flags.yes && !io.interactive) throw unattended();
  let shown = progress(io);
  const say = (text: string): void => shown.say(text);
  const tell = (text: string): void => shown.tell(text);
  const clients = clientsFor(target, { who: 'cli deploy', timeoutMs: CALL_TIMEOUT_MS, say: tell });
  const interrupted = interruption(() => tell('interrupted: the CDK is told to end; once more ends at once'));
  try {
    const { standby, primary, witnesses } = target.config.regions;
    await clients.prepare([primary, standby, ...witnesses]);
    const document = await deploy({
      ...place,
      target,
      clients,
      cdk: { ...place.cdk, extra },
      soakMs: flags.soak,
      settleMs: flags.settle,
      allowRemoval: flags.allowRemoval ?? [],
      dryRun,
      nowMs: io.nowMs,
      signal: interrupted.signal,
      say,
      tell,
      consent: async (plan) => {
        shown.stop();
        await consent(io, flags, plan);
        shown = progress(io);
      },
    });
    return { exit: exitOf(document), document, screen: deployScreen(document, io.colors) };
  } finally {
    shown.stop();
    interrupted.dispose();
    clients.destroy();
  }
}

/** In an account the CDK runs where the user is; in a local world it is Spillway’s own app, as in a drill. */
async function placeOf(
  io: Io,
  flags: DeployFlags,
  { config, world }: Target,
): Promise<
  Pick<DeployOptions, 'configFile' | 'work'> & { readonly cdk: Omit<DeployOptions['cdk'], 'extra'> }
> {
  if (world === undefined) {
    return {
      cdk: { directory: io.directory, env: ownEnvironment(io.env) },
      configFile: flags.config === undefined ? undefined : resolve(io.directory, flags.config),
      work: join(io.directory, '.spillway', 'deploy', config.name),
    };
  }
  const work = join(dirname(world.file), 'deploy');
  await mkdir(work, { recursive: true });
  return {
    cdk: { directory: ownRoot, env: cdkEnvironment(io.env, world.localStackUrl) },
    // The world has a zone of its own, which the config was loaded with.
    configFile: await writeConfigFile(config, work),
    work,
  };
}

const unattended = (): UsageError =>
  new UsageError(
    'There is no terminal on which to ask for consent: repeat with --yes, or look first with --dry-run.',
  );

async function consent(io: Io, { yes }: DeployFlags, plan: DeployDocument): Promise<void> {
  io.err(wrapped(planLines(plan).join('\n'), io.columns));
  if (yes) return;
  if (await io.confirm('Deploy?')) return;
  throw new UsageError('Not done: no consent was given.');
}

function exitOf({ state, stopped }: DeployDocument): ExitCode {
  switch (state) {
    case 'nothing':
    case 'planned':
    case 'deployed':
      return exitCodes.done;
    case 'refused':
      return exitCodes.refused;
    case 'stopped':
      return stopped?.by === 'cdk' ? exitCodes.failed : exitCodes.unhealthy;
    default:
      return state satisfies never;
  }
}
