import type { Sink } from '../../../test/producer/sink/sink.ts';
import type { Contestant } from './contestants.ts';
import type { Run } from './protocol.ts';

export interface Round {
  readonly userRecordsPerSecond: number;
  /** Of all processes of the contestant. */
  readonly cpuMsPer1000: number;
  /** Records of Kinesis for a record of the user. */
  readonly recordsPerUserRecord: number;
  /** Data and partition keys. */
  readonly bytesPerUserRecord: number;
  /** Share of one core that the sink used: near 1, the sink itself was measured. */
  readonly sinkLoad: number;
}

export async function measuredRound(
  contestant: Contestant,
  { sink, run }: { readonly sink: Sink; readonly run: Run },
): Promise<Round> {
  const before = await sink.received();
  const cpuBefore = contestant.tree.cpuMs();
  const startMs = performance.now();
  const { records, inWindow, windowMs } = await contestant.run(run);
  const elapsedMs = performance.now() - startMs;
  const cpuMs = contestant.tree.cpuMs() - cpuBefore;
  const after = await sink.received();
  const taken = after.userRecords - before.userRecords;
  // The two numbers must be equal: a record more or less at the sink means a lost or repeated delivery.
  if (taken !== records) throw new Error(`${records} records were acknowledged, the sink took ${taken}.`);
  return {
    userRecordsPerSecond: (inWindow / windowMs) * 1000,
    cpuMsPer1000: (cpuMs / records) * 1000,
    recordsPerUserRecord: (after.records - before.records) / records,
    bytesPerUserRecord: (after.bytes - before.bytes) / records,
    sinkLoad: (after.cpuMs - before.cpuMs) / elapsedMs,
  };
}
