import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Config, observerRegions } from '../config/config.ts';
import { drillSchedules } from '../config/defaults.ts';
import { loadConfig } from '../config/load.ts';
import { blackedOut } from '../local/drill/blackout.ts';
import { drill } from '../local/drill/drill.ts';
import { Timeline } from '../local/drill/report.ts';
import type { DrillResult } from '../local/drill/result.ts';
import { unlessAborted } from '../local/drill/until.ts';
import type { World } from '../local/drill/world.ts';
import { createRunDirectory } from '../local/run-directory.ts';
import { UsageError } from '../operate/errors.ts';
import { parseDuration } from '../scenario/duration.ts';
import { loadScenario } from '../scenario/load.ts';
import type { Scenario } from '../scenario/schema.ts';
import { colors } from './colors.ts';
import { type DrillAwsFlags, drillAws } from './drill-aws.ts';
import { misplacedOption } from './drill-flags.ts';
import { exitCodes } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { type End, perform as performVerb, type Tell } from './verb.ts';

const DEFAULT_SCENARIO = '2020-kinesis';
/** The onset of an outage decides a failover; the hours after it would show nothing new. */
const DEFAULT_FOR_MS = 120_000;
const DRILL_RECOVERY_MS = 30_000;
const root = fileURLToPath(new URL('../..', import.meta.url));

interface DrillFlags extends DrillAwsFlags {
  readonly aws?: true;
  readonly scenario: string;
  readonly for?: number;
  readonly seed?: number;
  readonly killObserver?: string;
  readonly keep?: true;
  readonly failback?: true;
  readonly recovery?: number;
  readonly blackout?: string;
}

/** `spillway drill`: a whole world on this machine and an outage in real time; with `--aws`, a deployed cell, there and back. */
export function drillCommand(io: Io): Command {
  return new Command('drill')
    .description(
      'Deploy to LocalStack on this machine, play an outage against it in real time, and measure. With --aws: move the drill cell of a deployment to the standby and back.',
    )
    .option('--scenario <name|file>', 'a scenario of the catalogue, or a YAML file', DEFAULT_SCENARIO)
    .option('--config <file>', 'the config (default: spillway.config.ts or .json here)')
    .option('--for <duration>', 'end after this much of the scenario, like 90s (default: 2m)', lengthArgument)
    .option('--kill-observer <region>', 'kill the observer of this region when the faults begin')
    .option('--failback', 'after the failover end the faults, and fail back when the guards allow it')
    .option(
      '--recovery <duration>',
      'with --failback: how long the primary must be healthy first, in place of the config (default: 30s)',
      lengthArgument,
    )
    .option('--blackout <region>', 'no call to this region is answered, and control planes answer 503')
    .option('--seed <number>', 'repeat the dice of an earlier drill', seedArgument)
    .option('--keep', 'leave the world standing after the result, until Ctrl-C')
    .option('--json', 'print one JSON document to standard output; the timeline goes to standard error')
    .optionsGroup('With --aws, the deployed drill cell (no outage, no deployment):')
    .option('--aws', 'move it to the standby and back through the conductor, measured; about 2 minutes')
    .addOption(
      new Option('--schedule <when>', 'instead of a drill: let the standby drill by itself, or not').choices(
        drillSchedules,
      ),
    )
    .addOption(
      new Option('--world <file>', 'facts of a local world, to use instead of AWS').conflicts('local'),
    )
    .option('--local', 'use the one local world that is running')
    .option('--dns <servers>', 'DNS servers to ask, address:port separated by commas')
    .option('--reason <text>', 'why; required, and kept in the journal')
    .option('--owner <name>', 'who (default: the identity of the credentials, else the user of this machine)')
    .option('--yes', 'do not ask; without a terminal this is required')
    .option('--dry-run', 'print every AWS call it would make, with its parameters, and make none')
    .addHelpText(
      'after',
      '\nExamples:\n  spillway drill --scenario 2024-kinesis --for 90s --json\n  spillway drill --failback\n  spillway drill --blackout us-east-1\n  spillway drill --aws --reason "before the sale"\n  spillway drill --aws --schedule off --reason "moving house, until Friday"',
    )
    .action(async (flags: DrillFlags, command: Command) => {
      const aws = flags.aws === true;
      const misplaced = misplacedOption(command, { aws });
      if (misplaced !== undefined || aws) {
        return performVerb(io, flags, () => {
          if (misplaced !== undefined) throw new UsageError(misplaced);
          return drillAws(io, flags);
        });
      }
      return performVerb(io, flags, (tell) => runDrill(io, flags, tell));
    });
}

async function runDrill(io: Io, flags: DrillFlags, tell: Tell): Promise<End> {
  const write = flags.json ? io.err : io.out;
  const prepared = await prepare(flags, io.directory);
  const interrupted = interruption(
    () => write('interrupted: taking everything down (Ctrl-C again ends at once)'),
    { unread: io.unread },
  );
  const { signal } = interrupted;
  try {
    const result = await perform(flags, prepared, { write, tell, signal });
    return { exit: result.ok ? exitCodes.done : exitCodes.failed };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    interrupted.dispose();
  }
}

interface Prepared {
  readonly config: Config;
  readonly scenario: Scenario;
}

async function prepare(flags: DrillFlags, directory: string): Promise<Prepared> {
  const scenario = await loadScenario(flags.scenario);
  const config = await loadConfig({
    directory,
    ...(flags.config === undefined ? {} : { file: flags.config }),
  });
  const observers = observerRegions(config.regions);
  if (flags.killObserver !== undefined && !observers.includes(flags.killObserver)) {
    throw new UsageError(
      `There is no observer in ${flags.killObserver}; there is one in ${observers.join(', ')}.`,
    );
  }
  if (flags.recovery !== undefined && !flags.failback) {
    throw new UsageError('--recovery belongs to --failback: without it nothing waits for a recovery.');
  }
  if (flags.failback && scenario.expect.verdict === 'hold') {
    throw new UsageError(`${scenario.name} is expected to hold: there is no way back to drill.`);
  }
  return {
    config: flags.failback ? recoveringWithin(config, flags.recovery ?? DRILL_RECOVERY_MS) : config,
    scenario: flags.blackout === undefined ? scenario : darkened(scenario, config, flags.blackout),
  };
}

/** A drill need not wait the quarter of an hour that a config asks for; what is deployed to an account keeps it. */
function recoveringWithin(config: Config, recoveryMs: number): Config {
  return { ...config, policy: { ...config.policy, recoveryMs } };
}

function darkened(scenario: Scenario, { regions }: Config, region: string): Scenario {
  const known = [regions.primary, ...observerRegions(regions)];
  if (known.includes(region)) return blackedOut(scenario, { region, regions });
  throw new UsageError(`${region} is not a region of the config; these are: ${known.join(', ')}.`);
}

async function perform(
  flags: DrillFlags,
  { config, scenario }: Prepared,
  output: { readonly write: (line: string) => void; readonly tell: Tell; readonly signal: AbortSignal },
): Promise<DrillResult> {
  const { write, tell, signal } = output;
  const startedAtMs = Date.now();
  const seed = flags.seed ?? randomInt(2 ** 31);
  const generator = xoroshiro128plus(seed);
  const directory = await createRunDirectory(root, startedAtMs, process.pid);
  const timeline = new Timeline({ write, colors, originMs: startedAtMs });
  const note = (text: string): void => timeline.add({ kind: 'note', atMs: Date.now(), text });

  write(`${colors.bold(scenario.name)}: ${scenario.title}`);
  const recovery = flags.failback ? `; recovery time ${config.policy.recoveryMs / 1_000} s` : '';
  write(`expected: ${scenario.expect.verdict}; seed ${seed}${recovery}; logs in ${directory}`);
  return drill({
    config,
    scenario,
    forMs: Math.min(flags.for ?? DEFAULT_FOR_MS, scenario.durationMs),
    directory,
    seed,
    failback: flags.failback ?? false,
    // In a blackout everything else must work: also the operator's own way.
    operatorFailsOver: flags.blackout === config.regions.primary,
    random: () => uniformFloat64(generator),
    ...(flags.killObserver === undefined ? {} : { killObserver: flags.killObserver }),
    onEvent: (event) => timeline.add(event),
    onProgress: note,
    onFault: (atMs) => {
      note('the faults begin: times count from here');
      timeline.restart(atMs);
    },
    beforeClose: async (world, result, standing) => {
      // Before the world goes: a user of --keep waits for the result, not for Ctrl-C.
      tell({ document: result, screen: summary(result) });
      if (flags.keep) await keepStanding(world, result, { write, directory, signal: standing });
    },
    signal,
  });
}

/** Ends as an interruption does, or with the reason why the world can stand no longer. */
async function keepStanding(
  world: World,
  result: DrillResult,
  output: {
    readonly write: (line: string) => void;
    readonly directory: string;
    readonly signal: AbortSignal;
  },
): Promise<never> {
  const { write, signal } = output;
  const facts = {
    localStackUrl: world.localStack.url,
    dnsServer: world.dataPlane.dnsServer,
    zone: world.config.zone,
    result,
  };
  const file = join(output.directory, 'world.json');
  await writeFile(file, `${JSON.stringify(facts, null, 2)}\n`);
  write(
    `kept: LocalStack at ${facts.localStackUrl}, DNS at ${facts.dnsServer} (${file}). Ctrl-C takes it down.`,
  );
  return unlessAborted(signal, new Promise<never>(() => {}));
}

function summary(result: DrillResult): string {
  const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`);
  const { records } = result;
  const headline = result.ok
    ? colors.green('held to its expectation')
    : colors.red('did NOT hold to its expectation');
  return [
    '',
    `${colors.bold(result.scenario)} ${headline}: ${result.verdict} (expected ${result.expected}), ${result.diagnosis}`,
    `  detected ${seconds(result.detectMs)} · DNS moved ${seconds(result.flipMs)} · producers moved ${seconds(result.rtoMs)}`,
    `  records: ${records.acknowledged} acknowledged, ${records.delivered} delivered, ${records.lost} lost, ${records.duplicates} duplicates, ${records.reordered} out of order, ${records.spooled} on disk`,
    `  switches latched ${seconds(result.latchedMs)} · DNS moves: ${result.flips}`,
    ...(result.failback === undefined
      ? []
      : [`  failed back: producers home ${seconds(result.failback.ms)}`]),
    `  AWS calls: ${result.audit.calls}, of which the failover path may not make ${result.audit.violations}`,
    ...result.failures.map((failure) => `  ${colors.red('✗')} ${failure}`),
  ].join('\n');
}

function lengthArgument(text: string): number {
  let ms: number;
  try {
    ms = parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'Not a duration.');
  }
  if (ms === 0)
    throw new InvalidArgumentError('A drill that takes no time shows nothing: write one like 90s.');
  return ms;
}

function seedArgument(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidArgumentError('A seed is a whole number from 0.');
  return seed;
}
