import type { Sink } from '../../test/producer/sink/sink.ts';
import type { Contestant } from './contestants.ts';
import type { Batch } from './workload.ts';

export interface Round {
  readonly recordsPerSecond: number;
  /** CPU time of the client's process for 1,000 records, in milliseconds. */
  readonly cpuMsPer1000: number;
  /** Share of one core that the sink used: near 1, the sink itself was measured. */
  readonly sinkLoad: number;
}

/** Keeps `outstanding` batches going for `durationMs`, and waits for the last of them. */
export async function drive(
  contestant: Contestant,
  { batches, durationMs }: { readonly batches: readonly Batch[]; readonly durationMs: number },
): Promise<number> {
  const untilMs = performance.now() + durationMs;
  let records = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const batch = batches[next++ % batches.length] as Batch;
      await contestant.send(batch);
      records += batch.length;
    }
  };
  await Promise.all(Array.from({ length: contestant.outstanding }, worker));
  return records;
}

export async function measuredRound(
  contestant: Contestant,
  options: { readonly batches: readonly Batch[]; readonly durationMs: number; readonly sink: Sink },
): Promise<Round> {
  const before = await options.sink.received();
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const records = await drive(contestant, options);
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  const after = await options.sink.received();
  const taken = after.records - before.records;
  // The two numbers must be equal: a record more or less at the sink means a lost or repeated delivery.
  if (taken !== records) throw new Error(`${records} records were acknowledged, the sink took ${taken}.`);
  return {
    recordsPerSecond: (records / elapsedMs) * 1000,
    cpuMsPer1000: (user + system) / records,
    sinkLoad: (after.cpuMs - before.cpuMs) / elapsedMs,
  };
}
