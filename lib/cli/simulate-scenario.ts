import { defaultBeaconSources } from '../config/defaults.ts';
import { loadScenario } from '../scenario/load.ts';
import { underPolicy } from '../scenario/policy.ts';
import { reports } from '../scenario/probes.ts';
import { strayRegions } from '../scenario/regions.ts';
import type { Scenario } from '../scenario/schema.ts';
import { checkCells } from '../scenario/streams.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { runScenarioJob, type ScenarioVariant, scenarioTask } from '../simulator/jobs.ts';
import { type ScenarioSummary, ScenarioTally } from '../simulator/judge.ts';
import { JobError, runJobs } from '../simulator/pool.ts';
import type { Percentiles } from '../simulator/statistics.ts';
import { systemProblems } from '../simulator/system.ts';
import type { Colors } from './colors.ts';
import { Progress } from './progress.ts';
import {
  inSeconds,
  replayCommand,
  type SimulateContext,
  SimulationError,
  traceLine,
} from './simulate-context.ts';
import { countOf, type SeedRange } from './simulate-input.ts';
import type { Outcome } from './verb.ts';

export const DEFAULT_SCENARIO = '2020-kinesis';
const defaultSeeds: SeedRange = { from: 1, to: 20 };

/** Plays one scenario with many seeds, and judges every run. */
export async function simulateScenario(context: SimulateContext): Promise<Outcome> {
  const { flags, say } = context;
  const { colors } = context.io;
  const scenarioName = flags.scenario ?? DEFAULT_SCENARIO;
  const scenario = await loadScenario(scenarioName);
  checkCells(
    scenario,
    context.system.cells.map(({ name }) => name),
  );
  const reporting = reports(scenario)
    ? { ...context.system, beacons: { sources: defaultBeaconSources } }
    : context.system;
  const system = underPolicy(reporting, scenario, systemProblems);
  const seeds = flags.seeds ?? defaultSeeds;
  const replay = (seed: number): string => replayCommand(flags, ['--scenario', scenarioName], seed);

  say(`${colors.bold(scenario.name)}: ${scenario.title}`);
  for (const note of strayRegions(scenario, context.system.regions)) say(`${colors.yellow('note')} ${note}`);
  say(
    `expected: ${scenario.expect.verdict}; seeds ${seeds.from}..${seeds.to}, noise ${flags.noise ?? 'usual'}`,
  );
  let summary: ScenarioSummary;
  try {
    summary = await play({ ...context, system }, { scenario, seeds });
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    throw new SimulationError(`${error.message}\nreplay: ${replay(error.seed)}`, { cause: error });
  }
  say(report(summary, colors));
  const [failedSeed] = summary.failedSeeds;
  if (failedSeed !== undefined) say(`replay: ${replay(failedSeed)}`);
  return { exit: summary.ok ? exitCodes.done : exitCodes.failed, document: summary, screen: '' };
}

async function play(
  { system, flags, workers, say, signal }: SimulateContext,
  { scenario, seeds }: { readonly scenario: Scenario; readonly seeds: SeedRange },
): Promise<ScenarioSummary> {
  const { noise = 'usual', conductor = 'alive' } = flags;
  const variants: readonly ScenarioVariant[] = [{ system, scenario, noise, conductor, until: 'end' }];
  const traced: typeof scenarioTask = {
    ...scenarioTask,
    run: (shared, job) => {
      say(`\nseed ${job.seed}`);
      return runScenarioJob(shared, job, (event) => say(traceLine(event)));
    },
  };
  const results = runJobs(flags.trace ? traced : scenarioTask, {
    shared: variants,
    jobs: jobsOf(seeds),
    // A trace cannot come from workers in order.
    workers: flags.trace ? 1 : Math.min(workers, countOf(seeds)),
    signal,
  });
  const tally = new ScenarioTally(scenario);
  const progress = new Progress({ total: countOf(seeds), unit: 'runs' });
  try {
    for await (const result of results) {
      tally.add(result);
      progress.add(1);
    }
  } finally {
    progress.clear();
  }
  return tally.summary();
}

function* jobsOf({ from, to }: SeedRange): Generator<{ readonly variant: number; readonly seed: number }> {
  for (let seed = from; seed <= to; seed++) yield { variant: 0, seed };
}

function report(summary: ScenarioSummary, colors: Colors): string {
  const { ok, verdict, expected, agreeing, runs, diagnosis, flips, violations, failed } = summary;
  const row = (what: string, { p50, p95 }: Percentiles): string =>
    `  ${what.padEnd(16)} ${inSeconds(p50).padStart(10)} ${inSeconds(p95).padStart(10)}`;
  const headline = ok
    ? colors.green('met its expectation in every run')
    : colors.red(`did NOT meet its expectation in ${failed} of ${runs} runs`);
  return [
    '',
    `  ${''.padEnd(16)} ${'p50'.padStart(10)} ${'p95'.padStart(10)}`,
    row('decided', summary.decideMs),
    row('DNS moved', summary.flipMs),
    row('producers moved', summary.rtoMs),
    '',
    `${colors.bold(summary.scenario)} ${headline}: ${verdict} in ${agreeing} of ${runs} (expected ${expected}), ${diagnosis}`,
    `  DNS moves: at most ${flips.max}; returned in ${summary.returned} runs; violations: ${violations}`,
    ...summary.failures.map((failure) => `  ${colors.red('✗')} ${failure}`),
  ].join('\n');
}
