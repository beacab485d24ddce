import { availableParallelism } from 'node:os';
import { Command, CommanderError } from 'commander';
import { signalUnread } from '../lib/cli/closed-pipe.ts';
import { colors } from '../lib/cli/colors.ts';
import { interruption } from '../lib/cli/interruption.ts';
import { Progress } from '../lib/cli/progress.ts';
import { traceLine } from '../lib/cli/simulate-context.ts';
import { countArgument, seedsArgument } from '../lib/cli/simulate-input.ts';
import { exitOf } from '../lib/cli/verb.ts';
import { exitCodes } from '../lib/shell/exit-codes.ts';
import type { FuzzResult } from '../lib/simulator/fuzz.ts';
import { fuzzTask, runFuzzJob } from '../lib/simulator/fuzz-job.ts';
import { JobError, MAX_WORKERS, runJobs, type Seeded } from '../lib/simulator/pool.ts';

/**
 * Random scenarios against the invariants: `npm run fuzz -- --cases 10000`. A seed is a case, so a violation is found
 * again with its seed alone.
 */
interface FuzzFlags {
  readonly cases: number;
  readonly from: { readonly from: number };
  readonly workers: number;
  readonly trace?: true;
  readonly json?: true;
}

const MAX_CASES = 100_000_000;
/** The most violations printed; further ones are counted, because they mostly have one cause. */
const MAX_PRINTED = 5;

const command = new Command('fuzz')
  .description('Play random scenarios, and check the invariants after every step of each.')
  .option('--cases <number>', 'how many', countArgument('cases', MAX_CASES), 10_000)
  .option('--from <seed>', 'the first seed', seedsArgument, { from: 1, to: 1 })
  .option(
    '--workers <number>',
    'threads (default: one per core)',
    countArgument('workers', MAX_WORKERS),
    Math.min(availableParallelism(), MAX_WORKERS),
  )
  .option('--trace', 'print every step, in one thread')
  .option('--json', 'print one line of JSON to standard output; the rest goes to standard error')
  .exitOverride()
  .action(async (flags: FuzzFlags) => {
    process.exitCode = await run(flags);
  });

try {
  await command.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}

async function run(flags: FuzzFlags): Promise<number> {
  const interrupted = interruption(
    () => process.stderr.write('interrupted (Ctrl-C again ends immediately)\n'),
    {
      unread: signalUnread(),
    },
  );
  const progress = new Progress({ total: flags.cases, unit: 'cases' });
  try {
    return await fuzz(flags, progress, interrupted.signal);
  } catch (error) {
    progress.clear();
    if (interrupted.signal.aborted) return exitOf(interrupted.signal.reason);
    if (!(error instanceof JobError)) throw error;
    process.stderr.write(
      `${colors.red('error')} ${error.message}\nreplay: npm run fuzz -- --cases 1 --from ${error.seed} --trace\n`,
    );
    return exitCodes.failed;
  } finally {
    interrupted.dispose();
  }
}

async function fuzz(flags: FuzzFlags, progress: Progress, signal: AbortSignal): Promise<number> {
  const { cases, from, workers, trace, json } = flags;
  const say = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);
  const traced: typeof fuzzTask = {
    ...fuzzTask,
    run: (shared, job) => runFuzzJob(shared, job, (event) => say(traceLine(event))),
  };
  const results = runJobs(trace ? traced : fuzzTask, {
    shared: null,
    jobs: seeds(from.from, cases),
    workers: trace ? 1 : Math.min(workers, cases),
    signal,
  });
  let seed = from.from;
  let violations = 0;
  let failedCases = 0;
  for await (const result of results) {
    progress.add(1);
    if (result.violations.length > 0) {
      violations += result.violations.length;
      if (failedCases++ < MAX_PRINTED) {
        progress.clear();
        say(violationText(seed, result));
      }
    }
    seed++;
  }
  progress.clear();
  const seconds = Number(progress.seconds.toFixed(1));
  const verdict =
    violations === 0
      ? colors.green('no violation')
      : colors.red(`${violations} violations in ${failedCases} cases`);
  say(`${verdict} in ${cases} random scenarios, ${seconds} s`);
  if (json) process.stdout.write(`${JSON.stringify({ cases, violations, seconds, firstSeed: from.from })}\n`);
  return violations === 0 ? exitCodes.done : exitCodes.failed;
}

function* seeds(from: number, cases: number): Generator<Seeded> {
  for (let index = 0; index < cases; index++) yield { seed: from + index };
}

function violationText(seed: number, { violations, replay: again }: FuzzResult): string {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  return [
    `${colors.red('✗')} seed ${seed}: ${first?.invariant} at ${first?.atMs} ms: ${first?.detail}${more}`,
    `  replay: ${again}`,
  ].join('\n');
}
