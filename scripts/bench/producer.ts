import { setTimeout as sleep } from 'node:timers/promises';
import { startSink } from '../../test/producer/sink/sink.ts';
import { beaconFigures } from './beacons.ts';
import { type Contestant, type ContestantName, contestantNames, contestants } from './contestants.ts';
import type { BenchContext } from './context.ts';
import { figuresOf, type Results, tableOf } from './figures.ts';
import { peakRssMiB } from './peak-memory.ts';
import { drive, measuredRound, type Round } from './rounds.ts';
import { trust } from './trust.ts';
import { batchesOf, type Workload, workloads } from './workload.ts';

interface Plan {
  readonly rounds: number;
  readonly roundMs: number;
  /** Warm-up before the first round, for the compiler. */
  readonly warmUpMs: number;
  /** Warm-up before each round, for connections that were idle meanwhile. */
  readonly runUpMs: number;
  /** Rounds with and without beacons, in turn: many short ones, because the difference is small. */
  readonly beacons: { readonly rounds: number; readonly roundMs: number };
}

const plans = {
  full: { rounds: 9, roundMs: 1_700, warmUpMs: 1_500, runUpMs: 150, beacons: { rounds: 40, roundMs: 500 } },
  quick: { rounds: 1, roundMs: 300, warmUpMs: 100, runUpMs: 20, beacons: { rounds: 2, roundMs: 100 } },
} as const satisfies Record<string, Plan>;

/** Pause between rounds, so that garbage and sockets of one contestant do not burden the next. */
const SETTLE_MS = 50;

/**
 * Compares the producer with the SDK and with a plain loop, in one process that talks TLS to a sink in
 * another.
 */
export async function bench({ progress, quick }: BenchContext) {
  const plan = quick ? plans.quick : plans.full;
  const sink = await startSink({ tls: true });
  try {
    const { url, ca = '' } = sink;
    trust(ca);
    const run = (workload: Workload) => compare(workload, { plan, sink, progress });
    const figures = figuresOf(await run(workloads.batches));
    const oneRecord = figuresOf(await run(workloads.singles));
    const beacons = await beaconFigures({ sink, progress, warmUpMs: plan.warmUpMs, ...plan.beacons });
    const peaks = await memoryOf({ url, ca, durationMs: plan.warmUpMs + plan.roundMs });
    const { rounds, roundMs } = plan;
    return {
      name: 'producer',
      ...figures,
      peakRssMiB: peaks,
      oneRecord,
      beacons,
      rounds,
      roundMs,
      node: process.version,
      table: [
        tableOf(workloads.batches.title, { figures, peakRssMiB: peaks }),
        tableOf(workloads.singles.title, { figures: oneRecord }),
        `with beacons ${beacons.onRecordsPerSecond} records/s, without ${beacons.offRecordsPerSecond}: ratio ${beacons.ratio}; CPU ${beacons.cpuRatio}`,
        '',
      ].join('\n'),
    };
  } finally {
    await sink.close();
  }
}

async function compare(
  workload: Workload,
  {
    plan,
    sink,
    progress,
  }: {
    readonly plan: Plan;
    readonly sink: Awaited<ReturnType<typeof startSink>>;
    readonly progress: BenchContext['progress'];
  },
): Promise<Results> {
  const batches = batchesOf(workload);
  const setting = { url: sink.url, maxBatchRecords: workload.recordsPerBatch };
  const running = new Map<ContestantName, Contestant>();
  for (const name of contestantNames) running.set(name, await contestants[name](setting));
  for (const contestant of running.values()) await drive(contestant, { batches, durationMs: plan.warmUpMs });
  const results = {} as Record<ContestantName, Round[]>;
  for (const name of contestantNames) results[name] = [];
  for (let n = 1; n <= plan.rounds; n++) {
    for (const [name, contestant] of running) {
      await drive(contestant, { batches, durationMs: plan.runUpMs });
      const round = await measuredRound(contestant, { batches, durationMs: plan.roundMs, sink });
      results[name].push(round);
      progress(
        `${workload.title}  round ${n}/${plan.rounds}  ${name.padEnd(11)} ` +
          `${Math.round(round.recordsPerSecond).toLocaleString('en-US')} records/s`,
      );
      await sleep(SETTLE_MS);
    }
  }
  for (const contestant of running.values()) await contestant.close();
  return results;
}

async function memoryOf(task: {
  readonly url: string;
  readonly ca: string;
  readonly durationMs: number;
}): Promise<Readonly<Record<string, number>>> {
  const peaks: Record<string, number> = {};
  for (const name of contestantNames) peaks[name] = await peakRssMiB({ name, ...task });
  return peaks;
}
