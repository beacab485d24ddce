import type { SignalEvidence } from '../../lambda/core/evidence.ts';
import { LEARNT_SAMPLES } from '../../lambda/core/latency.ts';
import type { Memory } from '../../lambda/core/memory.ts';
import {
  type Evidence,
  evidenceModels,
  type RegionEvidence,
  signals,
} from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';

/**
 * How quiet stretches are skipped. In a fixed point every score is zero, nothing is alarmed and the vote is a steady
 * HOLD: a round in which every probe works leads from one fixed point to the next and changes nothing but times and
 * the count of rounds, which are set here to what they would be. So rounds up to the next failure need not be computed.
 *
 * The learnt latency quantile is left as it was. It would move within a tenth of the path's own, constant latency, and
 * decides nothing meanwhile: the noise delays no answer beyond what is fast by any quantile in that range.
 */
export function isIdle(memory: Memory, policy: Policy, nowMs: number): boolean {
  const { evidence, decision, lastRoundAtMs } = memory;
  return (
    decision.phase === 'steady' &&
    !decision.sawMove &&
    decision.actionableSinceMs === null &&
    decision.healthySinceMs !== null &&
    (decision.impairedAtMs === null || nowMs - decision.impairedAtMs >= policy.recoveryMs) &&
    evidence.observer.selfInflictedTicks === 0 &&
    evidence.observer.clockSuspectUntilMs <= nowMs &&
    lastRoundAtMs !== null &&
    isQuiet(evidence.primary, lastRoundAtMs, policy) &&
    isQuiet(evidence.standby, lastRoundAtMs, policy)
  );
}

function isQuiet(region: RegionEvidence, roundAtMs: number, policy: Policy): boolean {
  const { kinesisWrite, kinesisRead, reachability, kinesisLatency, cloudWatch, controlPlane } = region;
  const atRest = (evidence: SignalEvidence | undefined, freshMs: number): boolean =>
    evidence !== undefined &&
    evidence.score === 0 &&
    !evidence.alarmed &&
    evidence.sampledAtMs <= roundAtMs &&
    roundAtMs - evidence.sampledAtMs <= freshMs;
  const slowMs = policy.tickMs * policy.slowProbeEveryTicks;
  return (
    [kinesisWrite, kinesisRead, reachability, kinesisLatency?.slow].every((each) => atRest(each, 0)) &&
    [cloudWatch, controlPlane].every((each) => atRest(each, slowMs)) &&
    kinesisLatency?.samples === LEARNT_SAMPLES &&
    (['cognito', 'lambda', 'sqs'] as const).every(
      (name) => region[name] === undefined || atRest(region[name], slowMs),
    )
  );
}

/** Three of these are within the five minutes in which the observer expects to see a metric. */
const LONGEST_SLOW_PERIOD_MS = 90_000;

export interface Skip {
  readonly rounds: number;
  /** When the last of them began, and how long after that it decided; by the observer's clock. */
  readonly lastRoundAtMs: number;
  readonly quietMs: number;
}

/** When, by the observer's clock, the last slow round among those skipped began; undefined if there was none. */
export function lastSlowRound(
  ticks: number,
  { rounds, lastRoundAtMs }: Skip,
  policy: Policy,
): number | undefined {
  const lastTick = ticks + rounds - 1;
  const slowTick = lastTick - (lastTick % policy.slowProbeEveryTicks);
  return slowTick < ticks ? undefined : lastRoundAtMs - (lastTick - slowTick) * policy.tickMs;
}

/** The memory after so many quiet rounds. */
export function skipped(memory: Memory, skip: Skip, policy: Policy): Memory {
  const slowAtMs = lastSlowRound(memory.ticks, skip, policy);
  const evidence: Evidence = {
    ...memory.evidence,
    primary: quietEvidence(memory.evidence.primary, skip.lastRoundAtMs, slowAtMs),
    standby: quietEvidence(memory.evidence.standby, skip.lastRoundAtMs, slowAtMs),
  };
  return {
    ...memory,
    evidence,
    decision: { ...memory.decision, decidedAtMs: skip.lastRoundAtMs + skip.quietMs },
    ticks: memory.ticks + skip.rounds,
    lastRoundAtMs: skip.lastRoundAtMs,
  };
}

function quietEvidence(
  region: RegionEvidence,
  fastAtMs: number,
  slowAtMs: number | undefined,
): RegionEvidence {
  const at = (atMs: number): SignalEvidence => ({
    score: 0,
    alarmed: false,
    sinceMs: atMs,
    sampledAtMs: atMs,
  });
  return Object.fromEntries(
    Object.entries(region).map(([name, before]) => {
      if (name === 'kinesisLatency') return [name, { ...region.kinesisLatency, slow: at(fastAtMs) }];
      const pace = signals[name as keyof typeof signals].pace;
      const atMs = pace === 'fast' ? fastAtMs : slowAtMs;
      return [name, atMs === undefined ? before : at(atMs)];
    }),
  ) as RegionEvidence;
}

/**
 * Rounds after a lone failure of this signal until its score is zero again; undefined where one failure may matter.
 *
 * Lemma: one failing sample lifts a score from zero to one failure's weight. That is below `suspect`, which takes more
 * than one, and raises no alarm where the threshold is above it or failures must be sustained. All levels stay as they
 * were, so the decision is the same as without it; and successes alone take the score back to zero. So a failure with
 * no other in the rounds given here, and nothing else, may be skipped as well.
 */
export function roundsToForget(
  signal: 'kinesisWrite' | 'kinesisRead' | 'cloudWatch',
  policy: Policy,
): number | undefined {
  const { failureWeight, successWeight, threshold, sustainMs } = evidenceModels(policy)[signal];
  if (threshold <= failureWeight && sustainMs <= 0) return undefined;
  const slow = signals[signal].pace === 'slow';
  // A metric that was not put is missed only if the one before it is too old by then.
  if (slow && policy.tickMs * policy.slowProbeEveryTicks > LONGEST_SLOW_PERIOD_MS) return undefined;
  const samples = signal === 'kinesisWrite' ? policy.putsPerRound : 1;
  const rounds = Math.ceil(failureWeight / successWeight / samples) + 1;
  return slow ? rounds * policy.slowProbeEveryTicks : rounds;
}
