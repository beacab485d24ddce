import { z } from 'zod';
import { type DecisionState, initialDecisionState } from './decide.ts';
import { type Evidence, noEvidence, signalNames } from './observation.ts';
import { votes } from './vote.ts';

/** What an observer carries from tick to tick, and from run to run. */
export interface Memory {
  readonly evidence: Evidence;
  readonly decision: DecisionState;
  /** Ticks so far; the slow probes are due on every n-th. */
  readonly ticks: number;
  /** First metric ever put to each role's CloudWatch: no point can be expected back before. */
  readonly firstMetricAtMs: { readonly primary: number | null; readonly standby: number | null };
}

export const emptyMemory: Memory = {
  evidence: noEvidence,
  decision: initialDecisionState,
  ticks: 0,
  firstMetricAtMs: { primary: null, standby: null },
};

const time = z.number().nullable();
const signalEvidence = z.object({ score: z.number(), alarmed: z.boolean(), sampledAtMs: z.number() });
const regionEvidence = z.partialRecord(z.enum(signalNames), signalEvidence);
const memorySchema = z.object({
  evidence: z.object({
    primary: regionEvidence,
    standby: regionEvidence,
    observer: z.object({ selfInflictedTicks: z.number(), clockSuspectUntilMs: z.number() }),
  }),
  decision: z.object({
    vote: z.enum(votes),
    epoch: z.number().int().nonnegative(),
    voteSinceMs: time,
    actionableSinceMs: time,
    healthySinceMs: time,
    clearedAtMs: time,
    decidedAtMs: time,
  }),
  ticks: z.number().int().nonnegative(),
  firstMetricAtMs: z.object({ primary: time, standby: time }),
});

export const serializeMemory = (memory: Memory): string => JSON.stringify(memory);

/** A memory that cannot be read is an empty one: HOLD, and evidence from scratch. */
export function parseMemory(text: unknown): Memory {
  if (typeof text !== 'string') return emptyMemory;
  try {
    return memorySchema.parse(JSON.parse(text)) as Memory;
  } catch {
    return emptyMemory;
  }
}
