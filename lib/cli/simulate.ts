import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { MAX_WORKERS } from '../simulator/pool.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { withJson } from './options.ts';
import { checkFlags, type SimulateContext, type SimulateFlags } from './simulate-context.ts';
import { simulateDetection } from './simulate-detection.ts';
import { countArgument, loadSystem, seedsArgument } from './simulate-input.ts';
import { DEFAULT_SCENARIO, simulateScenario } from './simulate-scenario.ts';
import { simulateTune } from './simulate-tune.ts';
import { simulateYears } from './simulate-years.ts';
import { type Outcome, perform } from './verb.ts';

const MAX_YEARS = 1_000_000;
const MAX_RUNS = 100_000;

const examples = `
Examples:
  spillway simulate --scenario 2020-kinesis --seeds 1..200 --json
  spillway simulate --scenario ./my-outage.yaml --seeds 17 --trace
  spillway simulate --years 1000 --json
  spillway simulate --tune --policy policy.yaml --svg tune.svg

Status: 0 every run met its expectation, 1 one did not (with --years: something moved), 2 wrong usage, 130 Ctrl-C,
141 nobody reads any more.`;

/**
 * `spillway simulate`: plays outages and years in virtual time, with the rules and the Route 53 model of a
 * drill.
 */
export function simulateCommand(io: Io): Command {
  return withJson(
    new Command('simulate').description(
      'Play an outage in virtual time with many seeds, or years of nothing but noise, and judge every run.',
    ),
  )
    .option(
      '--scenario <name|file>',
      `a scenario of the catalogue, or a YAML file (default: ${DEFAULT_SCENARIO})`,
    )
    .option('--seeds <A..B>', 'the seeds, or one; with --years the first (default: 1..20)', seedsArgument)
    .option(
      '--years <number>',
      'years of noise instead of a scenario; with --tune, for each policy (default: 2)',
      countArgument('years', MAX_YEARS),
    )
    .option('--detection', 'the time to decide against the failing fraction of writes, as a Markdown table')
    .option('--tune', 'the trade-off of detection delay and false alarms, over thresholds and K of N')
    .option(
      '--runs <number>',
      'runs per row (default: 1,000 of --detection, 200 of --tune)',
      countArgument('runs', MAX_RUNS),
    )
    .option('--write <file>', 'put the table of --detection between its two comments in this file')
    .option('--svg <file>', 'the chart of --tune (default: spillway-tune.svg)')
    .option('--policy <file>', 'YAML or JSON: settings of policy, or a config, over those of --config')
    .option('--config <file>', 'regions, policy and delivery (default: spillway.config.ts or .json here)')
    .addOption(
      new Option(
        '--conductor <state>',
        'whether the conductor latches the switches (default: alive)',
      ).choices(['alive', 'dead']),
    )
    .addOption(
      new Option('--noise <level>', 'noise beside the scenario’s faults (default: usual)').choices([
        'none',
        'usual',
      ]),
    )
    .option('--workers <number>', 'threads (default: one per core)', countArgument('workers', MAX_WORKERS))
    .option('--trace', 'print every step, in one thread')
    .addHelpText('after', examples)
    .action((flags: SimulateFlags) => perform(io, flags, () => simulate(io, flags)));
}

async function simulate(io: Io, flags: SimulateFlags): Promise<Outcome> {
  checkFlags(flags);
  const interrupted = interruption(
    () => {
      // Written on a line of its own: on a terminal, the present line has the progress and ^C.
      io.err(`${io.animated ? '\n' : ''}interrupted (Ctrl-C again ends immediately)`);
    },
    { unread: io.unread },
  );
  const { signal } = interrupted;
  try {
    const { config, policy } = flags;
    const system = await loadSystem({
      directory: io.directory,
      ...(config === undefined ? {} : { config }),
      ...(policy === undefined ? {} : { policy }),
    });
    const workers = flags.workers ?? Math.min(availableParallelism(), MAX_WORKERS);
    return await play({ io, system, flags, workers, say: flags.json ? io.err : io.out, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    interrupted.dispose();
  }
}

function play(context: SimulateContext): Promise<Outcome> {
  const { detection, tune, years } = context.flags;
  if (detection) return simulateDetection(context);
  if (tune) return simulateTune(context);
  if (years !== undefined) return simulateYears(context, years);
  return simulateScenario(context);
}
