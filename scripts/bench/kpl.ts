import { javaPrograms } from '../../lib/local/clients/java.ts';
import { startSink } from '../../test/producer/sink/sink.ts';
import type { BenchContext } from './context.ts';
import { type ContestantName, startContestant } from './kpl/contestants.ts';
import { figuresOf, type Measured, tableOf } from './kpl/figures.ts';
import { type Mode, type Run, workload } from './kpl/protocol.ts';
import { measuredRound, type Round } from './kpl/rounds.ts';

interface Plan {
  readonly rounds: number;
  readonly run: Run;
  /** Runs before the first round: for the compilers, and the KPL's daemon starts in the first. */
  readonly warmUps: number;
}

const plans = {
  full: { rounds: 7, run: { runUpMs: 500, windowMs: 4_000 }, warmUps: 3 },
  quick: { rounds: 1, run: { runUpMs: 200, windowMs: 1_000 }, warmUps: 2 },
} as const satisfies Record<string, Plan>;

const names: readonly ContestantName[] = ['spillway', 'kpl'];

/** Compares the producer with the KPL and its native daemon: each in processes of its own, in turn, against one sink. */
export async function bench({ progress, quick }: BenchContext) {
  const plan = quick ? plans.quick : plans.full;
  const programs = await javaPrograms({ sources: [`${import.meta.dirname}/kpl`], onProgress: progress });
  const compare = (mode: Mode) => compared({ mode, plan, programs, progress });
  const aggregated = await compare('aggregated');
  const plain = await compare('plain');
  const { recordsToKpl: _same, ...plainFigures } = figuresOf(plain);
  return {
    name: 'kpl',
    aggregated: figuresOf(aggregated),
    plain: plainFigures,
    table: [tableOf('aggregated', aggregated), tableOf('plain', plain)].join('\n'),
  };
}

async function compared({
  mode,
  plan: { rounds, run, warmUps },
  programs,
  progress,
}: {
  readonly mode: Mode;
  readonly plan: Plan;
  readonly programs: Awaited<ReturnType<typeof javaPrograms>>;
  readonly progress: BenchContext['progress'];
}): Promise<Measured> {
  const sink = await startSink({ tls: true, shards: workload.shards });
  try {
    const setting = { mode, sink, programs };
    const running = {
      spillway: await startContestant('spillway', setting),
      kpl: await startContestant('kpl', setting),
    };
    const results: Record<ContestantName, Round[]> = { spillway: [], kpl: [] };
    for (let n = 0; n < warmUps; n++) for (const name of names) await running[name].run(run);
    for (let n = 1; n <= rounds; n++) {
      for (const name of names) {
        const round = await measuredRound(running[name], { sink, run });
        results[name].push(round);
        const rate = Math.round(round.userRecordsPerSecond).toLocaleString('en-US');
        progress(`${mode}  round ${n}/${rounds}  ${name.padEnd(8)} ${rate} user records/s`);
      }
    }
    for (const name of names) await running[name].close();
    return {
      rounds: results,
      peakMiB: { spillway: running.spillway.tree.peakMiB, kpl: running.kpl.tree.peakMiB },
    };
  } finally {
    await sink.close();
  }
}
