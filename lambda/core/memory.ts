import { z } from 'zod';
import { type DecisionState, initialDecisionState } from './decide.ts';
import { phaseNames } from './lifecycle.ts';
import { countedSignals, type Evidence, noEvidence } from './observation.ts';

/** What an observer carries from tick to tick, and from run to run. */
export interface Memory {
  readonly evidence: Evidence;
  readonly decision: DecisionState;
  /** Rounds so far; the slow probes are due on every n-th. */
  readonly ticks: number;
  /** When the last round began, by the observer's clock. The next run keeps its cadence. */
  readonly lastRoundAtMs: number | null;
  /** First metric ever put to each role's CloudWatch: no point can be expected back before. */
  readonly firstMetricAtMs: { readonly primary: number | null; readonly standby: number | null };
}

export const emptyMemory: Memory = {
  evidence: noEvidence,
  decision: initialDecisionState,
  ticks: 0,
  lastRoundAtMs: null,
  firstMetricAtMs: { primary: null, standby: null },
};

const time = z.number().nullable();
const signalEvidence = z.object({
  score: z.number().nonnegative(),
  alarmed: z.boolean(),
  sinceMs: z.number(),
  failedAtMs: z.number().nullable(),
  okAtMs: z.number().nullable(),
  sampledAtMs: z.number(),
});
const regionEvidence = z.object({
  ...(Object.fromEntries(countedSignals.map((name) => [name, signalEvidence.optional()])) as Record<
    (typeof countedSignals)[number],
    z.ZodOptional<typeof signalEvidence>
  >),
  kinesisLatency: z
    .object({
      quantileMs: z.number().positive(),
      samples: z.number().int().nonnegative(),
      slow: signalEvidence,
    })
    .optional(),
});
const memorySchema = z.object({
  evidence: z.object({
    primary: regionEvidence,
    standby: regionEvidence,
    observer: z.object({ selfInflictedTicks: z.number(), clockSuspectUntilMs: z.number() }),
  }),
  decision: z.object({
    phase: z.enum(phaseNames),
    epoch: z.number().int().nonnegative(),
    voteSinceMs: time,
    sawMove: z.boolean(),
    actionableSinceMs: time,
    healthySinceMs: time,
    impairedAtMs: time,
    clearedAtMs: time,
    decidedAtMs: time,
  }),
  ticks: z.number().int().nonnegative(),
  lastRoundAtMs: time,
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
