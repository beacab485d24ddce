import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Config, observerRegions } from '../config/config.ts';
import { defaultBeaconSources } from '../config/defaults.ts';
import { drillSchedules } from '../config/drill-schedule.ts';
import { loadConfig } from '../config/load.ts';
import { relationProblems } from '../config/relations.ts';
import { workDirectory } from '../files/own-files.ts';
import { foreignClientNames } from '../local/clients/foreign-client.ts';
import { blackedOut } from '../local/drill/blackout.ts';
import { drill } from '../local/drill/drill.ts';
import { eventLog } from '../local/drill/event-log.ts';
import type { DrillEvent } from '../local/drill/events.ts';
import { Timeline } from '../local/drill/report.ts';
import { createRunDirectory } from '../local/run-directory.ts';
import { UsageError } from '../operate/errors.ts';
import { WORLD_FILE } from '../operate/world.ts';
import { loadScenario } from '../scenario/load.ts';
import { underPolicy } from '../scenario/policy.ts';
import { probedAs, reports } from '../scenario/probes.ts';
import { strayRegions } from '../scenario/regions.ts';
import type { Scenario } from '../scenario/schema.ts';
import { checkCells } from '../scenario/streams.ts';
import type { ExitCode } from '../shell/exit-codes.ts';
import { colors } from './colors.ts';
import { drillAws } from './drill-aws.ts';
import { abortEnd, exitOfResult, type RunFacts, resultEnd } from './drill-end.ts';
import { beginFaultsCommand, endFaultsCommand } from './drill-faults.ts';
import {
  type DrillFlags,
  lengthArgument,
  misplacedOption,
  misplacedWithUpgrade,
  seedArgument,
} from './drill-flags.ts';
import { beforeFlood, FLOOD_PLAYED_MS, FLOOD_SCENARIO, floodOf, rateArgument } from './drill-flood.ts';
import { keepStanding } from './drill-keep.ts';
import { type Place, takePlace } from './drill-turn.ts';
import { drillUpgrade } from './drill-upgrade.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { durationArgument } from './options.ts';
import { type End, perform as performVerb, type Tell } from './verb.ts';

const DEFAULT_SCENARIO = '2020-kinesis';
/** The onset of an outage decides a failover; the hours after it would show nothing new. */
const DEFAULT_FOR_MS = 120_000;
const DRILL_RECOVERY_MS = 30_000;
const DRILL_FALSE_ALARMS_PER_YEAR = 10;

/**
 * `spillway drill`: plays an outage in real time in a whole world on this machine; with `--aws`, moves a
 * deployed cell there and back.
 */
export function drillCommand(io: Io): Command {
  const command = new Command('drill')
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
      'with --failback or --keep: how long the primary must be healthy before a failback, in place of the config (default with --failback: 30s)',
      lengthArgument,
    )
    .option('--blackout <region>', 'no call to this region is answered, and control planes answer 503')
    .option(
      '--flood <rate>',
      'then fail over by hand, and flood the switch endpoint with so many requests a second, on this machine',
      rateArgument,
    )
    .option('--flood-for <duration>', 'how long the flood lasts (default: 60s)', lengthArgument)
    .option(
      '--upgrade <file>',
      'instead of an outage: deploy this second config by cdk deploy --all while producers run, and report every DNS answer that changed',
    )
    .option('--evacuated', 'with --upgrade: while an operator holds every cell in the standby')
    .addOption(
      new Option(
        '--client <name>',
        'a real client writes through `spillway sidecar`, in place of the producers; fetched on first use',
      ).choices(foreignClientNames),
    )
    .option('--seed <number>', 'repeat the random choices of an earlier drill', seedArgument)
    .option(
      '--keep',
      'leave the world standing after the result, until Ctrl-C; faults and producers go on, and end-faults ends the faults',
    )
    .addOption(
      new Option(
        '--wait-for-other <duration>',
        'wait this long for another drill on this machine, then end with 3 (default: 15m on a terminal, else 0s)',
      )
        .argParser(durationArgument)
        .conflicts('anyway'),
    )
    .option(
      '--anyway',
      'begin beside another drill on this machine; then the timings of neither can be trusted',
    )
    .option('--json', 'print one JSON document to standard output; the timeline goes to standard error')
    .optionsGroup('With --aws, the deployed drill cell (no outage, no deployment):')
    .option('--aws', 'move it to the standby and back through the conductor, measured; about 2 minutes')
    .addOption(
      new Option(
        '--schedule <when>',
        'instead of a drill now: turn the drills that the standby runs by itself on or off',
      ).choices(drillSchedules),
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
      '\nExamples:\n  spillway drill --scenario 2024-kinesis --for 90s --json\n  spillway drill --failback\n  spillway drill --blackout us-east-1\n  spillway drill --flood 1000\n  spillway drill --client boto3\n  spillway drill --keep --recovery 1m\n  spillway drill end-faults\n  spillway drill --upgrade next.config.ts --evacuated\n  spillway drill --aws --reason "before the sale"\n  spillway drill --aws --schedule off --reason "load test, until Friday"',
    )
    .action(async (flags: DrillFlags, command: Command) => {
      const aws = flags.aws === true;
      const misplaced = misplacedOption(command, { aws }) ?? misplacedWithUpgrade(command);
      if (misplaced !== undefined || aws) {
        return performVerb(io, flags, () => {
          if (misplaced !== undefined) throw new UsageError(misplaced);
          return drillAws(io, flags);
        });
      }
      if (flags.upgrade !== undefined) {
        const { upgrade } = flags;
        return performVerb(io, flags, () => drillUpgrade(io, { ...flags, upgrade }));
      }
      const isChosen = command.getOptionValueSource('scenario') === 'cli';
      const scenario = flags.flood === undefined || isChosen ? flags.scenario : FLOOD_SCENARIO;
      return performVerb(io, flags, (tell) => runDrill(io, { ...flags, scenario }, tell));
    });
  return command.addCommand(endFaultsCommand(io)).addCommand(beginFaultsCommand(io));
}

async function runDrill(io: Io, flags: DrillFlags, tell: Tell): Promise<End> {
  const write = flags.json ? io.err : io.out;
  const run: RunFacts = { flags, primary: '', beside: () => [] };
  const interrupted = interruption(
    () => write('interrupted: taking everything down (Ctrl-C again ends immediately)'),
    { unread: io.unread },
  );
  const { signal } = interrupted;
  try {
    return { exit: await perform(io, run, { write, tell, signal }) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return await abortEnd(io, error, run);
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
  beforeFlood(flags, scenario);
  const loaded = await loadConfig({
    directory,
    ...(flags.config === undefined ? {} : { file: flags.config }),
  });
  checkCells(
    scenario,
    loaded.cells.map(({ name }) => name),
  );
  const reporting = reports(scenario) ? { ...loaded, beacons: { sources: defaultBeaconSources } } : loaded;
  const ruled = underPolicy(reporting, scenario, relationProblems);
  const config = { ...ruled, cells: probedAs(ruled.cells, scenario) };
  const observers = observerRegions(config.regions);
  if (flags.killObserver !== undefined && !observers.includes(flags.killObserver)) {
    throw new UsageError(
      `There is no observer in ${flags.killObserver}; there is one in ${observers.join(', ')}.`,
    );
  }
  if (flags.recovery !== undefined && !flags.failback && !flags.keep) {
    throw new UsageError(
      '--recovery belongs to --failback or --keep: without them nothing waits for a recovery.',
    );
  }
  if (flags.failback && scenario.expect.verdict === 'hold') {
    throw new UsageError(
      `${scenario.name} is expected to hold: nothing moves, so there is no failback to drill.`,
    );
  }
  const recoveryMs = flags.recovery ?? (flags.failback ? DRILL_RECOVERY_MS : config.policy.recoveryMs);
  const recovering = recoveringWithin(config, recoveryMs);
  return {
    config: flags.failback ? clearingSooner(recovering) : recovering,
    scenario: flags.blackout === undefined ? scenario : darkened(scenario, config, flags.blackout),
  };
}

/**
 * Shortens the recovery time: a drill need not wait the quarter of an hour that a config asks for. A
 * deployment to an account keeps the config's time.
 */
function recoveringWithin(config: Config, recoveryMs: number): Config {
  return { ...config, policy: { ...config.policy, recoveryMs } };
}

/**
 * A drill lasts for minutes, not for years, so it may believe a recovery sooner: a signal clears after two
 * thirds of the usual rounds. Finding an outage takes as many rounds as before, because a blip has to be over
 * first.
 */
function clearingSooner(config: Config): Config {
  const { policy } = config;
  const falseAlarmsPerYear = Math.max(policy.falseAlarmsPerYear, DRILL_FALSE_ALARMS_PER_YEAR);
  return { ...config, policy: { ...policy, falseAlarmsPerYear } };
}

function darkened(scenario: Scenario, { regions }: Config, region: string): Scenario {
  const known = [regions.primary, ...observerRegions(regions)];
  if (known.includes(region)) return blackedOut(scenario, { region, regions });
  throw new UsageError(`${region} is not a region of the config; these are: ${known.join(', ')}.`);
}

interface Output {
  readonly write: (line: string) => void;
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

async function perform(io: Io, run: RunFacts, output: Output): Promise<ExitCode> {
  const { flags } = run;
  const prepared = await prepare(flags, io.directory);
  run.primary = prepared.config.regions.primary;
  const place = await takePlace({
    io,
    scenario: prepared.scenario.name,
    startedAtMs: Date.now(),
    waitMs: flags.waitForOther,
    anyway: flags.anyway === true,
    note: (text) => output.write(`${colors.yellow('note')} ${text}`),
    signal: output.signal,
  });
  run.beside = place.beside;
  try {
    return await drillIn(place, run, { ...output, ...prepared });
  } finally {
    await place.leave();
  }
}

async function drillIn(
  place: Place,
  run: RunFacts,
  { config, scenario, write, tell, signal }: Output & Prepared,
): Promise<ExitCode> {
  const { flags } = run;
  const startedAtMs = Date.now();
  const seed = flags.seed ?? randomInt(2 ** 31);
  run.seed = seed;
  const generator = xoroshiro128plus(seed);
  const directory = await createRunDirectory(workDirectory(), startedAtMs, process.pid);
  run.directory = directory;
  await place.own?.update({ runDirectory: directory });
  const timeline = new Timeline({ write, colors, originMs: startedAtMs });
  const log = eventLog(directory);
  const onEvent = (event: DrillEvent): void => {
    log(event);
    timeline.add(event);
  };
  const note = (text: string): void => onEvent({ kind: 'note', atMs: Date.now(), text });

  write(`${colors.bold(scenario.name)}: ${scenario.title}`);
  for (const stray of strayRegions(scenario, config.regions)) write(`${colors.yellow('note')} ${stray}`);
  const recovery = flags.failback ? `; recovery time ${config.policy.recoveryMs / 1_000} s` : '';
  write(`expected: ${scenario.expect.verdict}; seed ${seed}${recovery}; logs in ${directory}`);
  const result = await drill({
    config,
    scenario,
    forMs: Math.min(flags.for ?? (flags.flood ? FLOOD_PLAYED_MS : DEFAULT_FOR_MS), scenario.durationMs),
    directory,
    seed,
    failback: flags.failback ?? false,
    // In a blackout everything else must work, including an operator's failover.
    operatorFailsOver: flags.blackout === config.regions.primary,
    ...floodOf(flags),
    random: () => uniformFloat64(generator),
    ...(flags.client === undefined ? {} : { client: flags.client }),
    ...(flags.killObserver === undefined ? {} : { killObserver: flags.killObserver }),
    onEvent,
    onProgress: note,
    onFault: (atMs) => {
      note('the faults begin: times count from here');
      timeline.restart(atMs);
    },
    beforeClose: async (world, found, after) => {
      const worldFile = join(directory, WORLD_FILE);
      if (flags.keep) run.worldFile = worldFile;
      // Before the world is taken down: a user of --keep waits for the result, not for Ctrl-C.
      tell(await resultEnd(found, run));
      if (!flags.keep) return;
      await place.keep();
      await keepStanding({ ...after, world, result: found, scenario, directory, worldFile, write, onEvent });
    },
    signal,
  });
  return exitOfResult(result);
}
