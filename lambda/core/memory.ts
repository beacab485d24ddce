import { z } from 'zod';
import { type Accusations, MOST_ACCUSATIONS } from './cell-findings.ts';
import { type DecisionState, initialDecisionState } from './decide.ts';
import { phaseNames, voteOf } from './lifecycle.ts';
import { countedSignals, type Evidence, noEvidence } from './observation.ts';
import { CANARY_SHARDS } from './put-plan.ts';
import { putWindowPattern } from './put-window.ts';
import { putViews } from './severity.ts';
import { isSignalEvidence, lengthened, shortSignal } from './short-evidence.ts';
import { MOST_STREAMS, noStreamsSeen } from './streams.ts';
import { votes } from './vote.ts';

/** An observer's memory from tick to tick, and from run to run. */
export interface Memory {
  readonly evidence: Evidence;
  readonly decision: DecisionState;
  /** Rounds so far; the slow probes are due on every n-th. */
  readonly ticks: number;
  /** When the last round began, by the observer's clock. The next run keeps its cadence. */
  readonly lastRoundAtMs: number | null;
  /** Time of the first metric put to each role's CloudWatch: no data point can be expected before it. */
  readonly firstMetricAtMs: { readonly primary: number | null; readonly standby: number | null };
  /** Cells that are accused by themselves, since when. */
  readonly accusedCells: Accusations;
}

export const emptyMemory: Memory = {
  evidence: noEvidence,
  decision: initialDecisionState,
  ticks: 0,
  lastRoundAtMs: null,
  firstMetricAtMs: { primary: null, standby: null },
  accusedCells: {},
};

// A memory may be of an older version, or of a newer one after a rollback. A missing or unknown field falls
// back alone: dropping the whole memory would drop a vote while traffic depends on it.
const time = z.number().nullable().catch(null);
const count = z.number().int().nonnegative().catch(0);
const signalEvidence = z.object({
  score: z.number().nonnegative(),
  alarmed: z.boolean(),
  sinceMs: z.number(),
  failedAtMs: z.number().nullable(),
  okAtMs: z.number().nullable(),
  sampledAtMs: z.number(),
});
const forgotten = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const putHistory = z.object({ window: z.string().regex(putWindowPattern), atMs: z.number() });
const regionEvidence = z
  .object({
    ...(Object.fromEntries(countedSignals.map((name) => [name, forgotten(signalEvidence)])) as Record<
      (typeof countedSignals)[number],
      z.ZodCatch<z.ZodOptional<typeof signalEvidence>>
    >),
    kinesisLatency: forgotten(
      z.object({
        quantileMs: z.number().positive(),
        samples: z.number().int().nonnegative(),
        slow: signalEvidence,
      }),
    ),
    puts: forgotten(putHistory),
  })
  .catch({} as never);
const viewEvidence = z.object({
  test: signalEvidence,
  without: z.array(z.number().nonnegative()).length(CANARY_SHARDS),
});
const gainEvidence = z
  .object(
    Object.fromEntries(putViews.map((view) => [view, forgotten(viewEvidence)])) as Record<
      (typeof putViews)[number],
      z.ZodCatch<z.ZodOptional<typeof viewEvidence>>
    >,
  )
  .catch({} as never);
/** Of some dozen signals and classes; more would be none of ours. */
const MOST_DOUBTS = 100;
const doubtful = z
  .record(z.string(), z.number().int().positive())
  .refine((rounds) => Object.keys(rounds).length <= MOST_DOUBTS)
  .catch({});
const streamEvidence = z.object({
  atMs: z.number(),
  primary: forgotten(putHistory),
  standby: forgotten(putHistory),
  test: forgotten(signalEvidence),
  doubtful,
  byOperation: forgotten(
    z.object({ PutRecords: forgotten(signalEvidence), PutRecord: forgotten(signalEvidence) }),
  ),
  isHeld: z.boolean().optional().catch(undefined),
  wellAtMs: z.number().optional().catch(undefined),
});
const streamsEvidence = z.object({
  cells: z
    .record(z.string(), streamEvidence)
    .refine((cells) => Object.keys(cells).length <= MOST_STREAMS)
    .catch({}),
  lastTurn: z.string().optional().catch(undefined),
  seen: z
    .object({ watched: count, well: count, impaired: count, suspect: count })
    .catch(noStreamsSeen as never),
  atMs: z.number(),
});
/** The part that must be understood: without a phase there is no vote to keep. */
const decisionSchema = z.object({
  phase: z.enum(phaseNames),
  epoch: count,
  voteSinceMs: time,
  sawMove: z.boolean().catch(false),
  actionableSinceMs: time,
  healthySinceMs: time,
  mildSinceMs: time,
  impairedAtMs: time,
  clearedAtMs: time,
  decidedAtMs: time,
});
const memorySchema = z.object({
  evidence: z
    .object({
      primary: regionEvidence,
      standby: regionEvidence,
      gain: gainEvidence,
      streams: forgotten(streamsEvidence),
      observer: z
        .object({
          doubtful: z.object({ primary: doubtful, standby: doubtful }).catch(noEvidence.observer.doubtful),
          clockSuspectUntilMs: z.number().catch(0),
        })
        .catch(noEvidence.observer),
    })
    .catch(noEvidence as never),
  decision: decisionSchema,
  ticks: count,
  lastRoundAtMs: time,
  firstMetricAtMs: z.object({ primary: time, standby: time }).catch(emptyMemory.firstMetricAtMs),
  accusedCells: z
    .record(z.string(), z.number())
    .refine((cells) => Object.keys(cells).length <= MOST_ACCUSATIONS)
    .catch({}),
});

/** The part that is kept of an unknown phase: whether traffic depends on this vote. */
const voteSchema = z.object({ vote: z.enum(votes) });

export function serializeMemory(memory: Memory): string {
  const baseMs = memory.lastRoundAtMs ?? 0;
  const shortened = (_key: string, value: unknown): unknown =>
    isSignalEvidence(value) ? shortSignal(value, baseMs) : value;
  return JSON.stringify({ ...memory, vote: voteOf(memory.decision.phase) }, shortened);
}

/**
 * Reads a stored memory. An unreadable one becomes empty: HOLD, and evidence from scratch. One with an
 * unknown phase (from another version) keeps its vote: `evacuating` ends by itself as soon as that moves no
 * traffic.
 */
export function parseMemory(text: unknown): Memory {
  if (typeof text !== 'string') return emptyMemory;
  try {
    const stored = lengthened(JSON.parse(text));
    const parsed = memorySchema.safeParse(stored);
    return (parsed.success ? parsed.data : memorySchema.parse(withKnownPhase(stored))) as Memory;
  } catch {
    return emptyMemory;
  }
}

/** @throws z.ZodError when the memory does not say how it votes. */
function withKnownPhase(stored: unknown): unknown {
  const { vote } = voteSchema.parse(stored);
  const { decision } = z.object({ decision: z.record(z.string(), z.unknown()) }).parse(stored);
  return {
    ...(stored as object),
    decision: { ...decision, phase: vote === 'EVACUATE' ? 'evacuating' : 'steady' },
  };
}
