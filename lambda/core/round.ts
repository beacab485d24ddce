import type { ControlReading } from './control.ts';
import { type Decision, decide } from './decide.ts';
import type { Latch, Quorum } from './lifecycle.ts';
import type { Memory } from './memory.ts';
import { addTick, levelsOf, observerCondition, type RegionOutcomes } from './observation.ts';
import type { Policy } from './policy.ts';

/** Everything one round brought in. */
export interface RoundReadings {
  /** When the round began, by the observer's clock. */
  readonly startedAtMs: number;
  /** When the last answer was in: the time of the decision. */
  readonly nowMs: number;
  /** Wall-clock time passed since the last round, less monotonic time passed. Zero on a sound clock. */
  readonly clockStepMs: number;
  readonly primary: RegionOutcomes;
  readonly standby: RegionOutcomes;
  readonly control: ControlReading;
  readonly latch: Latch;
  readonly quorum: Quorum;
}

export interface RoundResult {
  readonly memory: Memory;
  readonly decision: Decision;
}

/** Whether the slow probes are due in the round that follows this memory. */
export const slowProbesDue = (memory: Memory, policy: Policy): boolean =>
  memory.ticks % policy.slowProbeEveryTicks === 0;

/**
 * One round of an observer: weighs the readings, decides, remembers. The same in Lambda, in the simulator and
 * in the drill.
 */
export function observeRound(memory: Memory, readings: RoundReadings, policy: Policy): RoundResult {
  const { startedAtMs, nowMs, primary, standby, clockStepMs, control, latch, quorum } = readings;
  const evidence = addTick(memory.evidence, { atMs: startedAtMs, primary, standby, clockStepMs }, policy);
  const decision = decide({
    observation: {
      primary: levelsOf(evidence.primary, policy, nowMs),
      standby: levelsOf(evidence.standby, policy, nowMs),
      observer: observerCondition(evidence.observer, nowMs),
      control,
      latch,
      quorum,
      putFailedAtMs: evidence.primary.kinesisWrite?.failedAtMs ?? null,
    },
    state: memory.decision,
    policy,
    nowMs,
  });
  return {
    memory: {
      evidence,
      decision: decision.state,
      ticks: memory.ticks + 1,
      lastRoundAtMs: startedAtMs,
      firstMetricAtMs: {
        primary: firstMetric(memory.firstMetricAtMs.primary, primary, nowMs),
        standby: firstMetric(memory.firstMetricAtMs.standby, standby, nowMs),
      },
    },
    decision,
  };
}

function firstMetric(before: number | null, outcomes: RegionOutcomes, nowMs: number): number | null {
  return before ?? (outcomes.cloudWatch?.some((outcome) => outcome.ok) ? nowMs : null);
}
