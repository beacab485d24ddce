import { setTimeout as sleep } from 'node:timers/promises';
import type { Sink } from '../../test/producer/sink/sink.ts';
import { beaconContestant, contestants } from './contestants.ts';
import type { BenchContext } from './context.ts';
import { median } from './figures.ts';
import { drive, measuredRound, type Round } from './rounds.ts';
import { batchesOf, workloads } from './workload.ts';

interface BeaconBench {
  readonly sink: Sink;
  readonly progress: BenchContext['progress'];
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

/** Longer than the first beacon of a process takes to come, which opens its connections. */
const FIRST_BEACON_MS = 10_500;

/**
 * The producer with its beacons on and off, in turn, and each first in every second round: whatever else the machine does
 * hits both alike. The ratios are medians of the ratios of each round.
 */
export async function beaconFigures({ sink, progress, rounds, roundMs, warmUpMs }: BeaconBench) {
  const workload = workloads.batches;
  const batches = batchesOf(workload);
  const setting = { url: sink.url, maxBatchRecords: workload.recordsPerBatch };
  const [on, off] = await Promise.all([beaconContestant(setting), contestants.spillway(setting)]);
  for (const contestant of [on, off]) await drive(contestant, { batches, durationMs: warmUpMs });
  if (rounds > 2) await sleep(FIRST_BEACON_MS);
  const measured: { readonly on: Round; readonly off: Round }[] = [];
  for (let n = 0; n < rounds; n++) {
    const round = (of: typeof on) => measuredRound(of, { batches, durationMs: roundMs, sink });
    if (n % 2 === 0) measured.push({ on: await round(on), off: await round(off) });
    else {
      const first = await round(off);
      measured.push({ on: await round(on), off: first });
    }
    progress(`beacons  round ${n + 1}/${rounds}`);
  }
  await Promise.all([on.close(), off.close()]);
  const of = (pick: (each: (typeof measured)[number]) => number): number => median(measured.map(pick));
  return {
    onRecordsPerSecond: Math.round(of((each) => each.on.recordsPerSecond)),
    offRecordsPerSecond: Math.round(of((each) => each.off.recordsPerSecond)),
    ratio: round3(of((each) => each.on.recordsPerSecond / each.off.recordsPerSecond)),
    /** CPU time for the same number of records. */
    cpuRatio: round3(of((each) => each.on.cpuMsPer1000 / each.off.cpuMsPer1000)),
  };
}

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;
