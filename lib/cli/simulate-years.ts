import { exitCodes } from '../shell/exit-codes.ts';
import { runYearsJob, yearsJobs, yearsTask } from '../simulator/jobs.ts';
import { JobError, runJobs } from '../simulator/pool.ts';
import { poissonUpperBound } from '../simulator/statistics.ts';
import type { YearsResult } from '../simulator/types.ts';
import { Progress } from './progress.ts';
import { replayCommand, type SimulateContext, SimulationError, traceLine } from './simulate-context.ts';
import type { Outcome } from './verb.ts';

const DEFAULT_SEED = 1;
/** The most failures kept; further failures are counted, not kept. */
const MAX_FAILURES = 5;
const MAX_FAILED_SEEDS = 100;

/** The last line of `spillway simulate --years N --json`, in this order. */
interface YearsSummary {
  readonly regionYears: number;
  readonly failovers: number;
  /** Failovers a year that are excluded with 95 % confidence, by a Poisson count. */
  readonly upper95PerYear: number;
  /** Votes of single observers. */
  readonly observerAlarms: number;
  readonly seconds: number;
  readonly violations: number;
  readonly roundsComputed: number;
  readonly roundsSkipped: number;
  readonly seed: number;
  /** True when nothing moved, and there was no violation. */
  readonly ok: boolean;
  /** The first few, each with its seed. */
  readonly failures: readonly string[];
  /** The first hundred. */
  readonly failedSeeds: readonly number[];
  /** Moves of single cells. */
  readonly cellFailovers: number;
}

/** Simulates years of nothing but noise, in which nothing may move. */
export async function simulateYears(context: SimulateContext, years: number): Promise<Outcome> {
  const { flags, say, signal } = context;
  const { colors } = context.io;
  const seed = flags.seeds?.from ?? DEFAULT_SEED;
  const replay = (failed: number): string => `replay: ${replayCommand(flags, ['--years', '1'], failed)}`;
  say(`${colors.bold(`${years} years`)} of noise and nothing else; seeds from ${seed}`);

  const tally = new YearsTally(seed);
  const progress = new Progress({ total: years, unit: 'years' });
  try {
    for await (const result of play(context, { years, seed })) {
      tally.add(result);
      progress.add(result.years);
    }
  } catch (error) {
    progress.clear();
    if (signal.aborted) say(`ended early: ${text(tally.summary(progress.seconds))}`);
    if (!(error instanceof JobError)) throw error;
    throw new SimulationError(`${error.message}\n${replay(error.seed)}`, { cause: error });
  }
  progress.clear();
  const summary = tally.summary(progress.seconds);
  say(`${summary.ok ? colors.green('nothing moved') : colors.red('something moved')}: ${text(summary)}`);
  for (const failure of summary.failures) say(`  ${colors.red('✗')} ${failure}`);
  const [failedSeed] = summary.failedSeeds;
  if (failedSeed !== undefined) say(replay(failedSeed));
  return { exit: summary.ok ? exitCodes.done : exitCodes.failed, document: summary, screen: '' };
}

function play(
  { system, flags, workers, say, signal }: SimulateContext,
  which: { readonly years: number; readonly seed: number },
): AsyncGenerator<YearsResult> {
  const traced: typeof yearsTask = {
    ...yearsTask,
    run: (shared, job) => {
      say(`\nseed ${job.seed}`);
      return runYearsJob(shared, job, (event) => say(traceLine(event)));
    },
  };
  return runJobs(flags.trace ? traced : yearsTask, {
    shared: [system],
    jobs: yearsJobs(which),
    workers: flags.trace ? 1 : Math.min(workers, which.years),
    signal,
  });
}

/** Adds up the years, in the order of their seeds. */
class YearsTally {
  readonly #sum = {
    regionYears: 0,
    failovers: 0,
    cellFailovers: 0,
    observerAlarms: 0,
    violations: 0,
    computed: 0,
    skipped: 0,
  };
  readonly #firstSeed: number;
  readonly #failures: string[] = [];
  readonly #failedSeeds: number[] = [];

  constructor(firstSeed: number) {
    this.#firstSeed = firstSeed;
  }

  add({ years, failovers, cellFailovers, observerAlarms, violations, rounds }: YearsResult): void {
    const sum = this.#sum;
    const seed = this.#firstSeed + sum.regionYears;
    sum.regionYears += years;
    sum.failovers += failovers;
    sum.cellFailovers += cellFailovers;
    sum.observerAlarms += observerAlarms;
    sum.violations += violations.length;
    sum.computed += rounds.computed;
    sum.skipped += rounds.skipped;
    if (failovers + cellFailovers + violations.length === 0 || this.#failedSeeds.length >= MAX_FAILED_SEEDS)
      return;
    this.#failedSeeds.push(seed);
    const failures = [
      ...(failovers > 0 ? [`DNS moved ${failovers} times`] : []),
      ...(cellFailovers > 0 ? [`single cells moved ${cellFailovers} times`] : []),
      ...violations.map(({ invariant, detail, atMs }) => `${invariant} at ${atMs} ms: ${detail}`),
    ];
    const room = MAX_FAILURES - this.#failures.length;
    this.#failures.push(...failures.slice(0, room).map((failure) => `seed ${seed}: ${failure}`));
  }

  summary(seconds: number): YearsSummary {
    const { regionYears, failovers, cellFailovers, observerAlarms, violations, computed, skipped } =
      this.#sum;
    const upper = regionYears === 0 ? Number.POSITIVE_INFINITY : poissonUpperBound(failovers) / regionYears;
    return {
      regionYears,
      failovers,
      upper95PerYear: Number(upper.toPrecision(4)),
      observerAlarms,
      seconds: Number(seconds.toFixed(1)),
      violations,
      roundsComputed: computed,
      roundsSkipped: skipped,
      seed: this.#firstSeed,
      ok: failovers + cellFailovers + violations === 0,
      failures: this.#failures,
      failedSeeds: this.#failedSeeds,
      cellFailovers,
    };
  }
}

const text = (summary: YearsSummary): string =>
  `${summary.failovers} failovers in ${summary.regionYears} years (with 95 % confidence fewer than ${summary.upper95PerYear} a year), ${summary.cellFailovers} of single cells, ` +
  `${summary.observerAlarms} votes of single observers, ${summary.violations} violations, ${summary.seconds} s`;
