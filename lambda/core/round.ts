import type { ControlReading } from './control.ts';
import { type Decision, decide } from './decide.ts';
import type { Latch, Quorum } from './lifecycle.ts';
import type { Memory } from './memory.ts';
import { addTick, putsDue, type RegionOutcomes } from './observation.ts';
import type { Policy } from './policy.ts';
import { type PutPlace, putPlaces } from './put-plan.ts';
import { regionsSeen } from './regions-seen.ts';
import type { Role } from './role.ts';

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

export interface RoundPuts {
  /** Where each put of the round goes, in order; all that it may make. */
  readonly puts: readonly PutPlace[];
  /** How many of them are made in any case. The others follow if one of these fails. */
  readonly firstPuts: number;
}

/** The puts of the round that follows this memory, to the region of this role. */
export function putsOfRound(
  { evidence, ticks }: Memory,
  { role, policy, nowMs }: { readonly role: Role; readonly policy: Policy; readonly nowMs: number },
): RoundPuts {
  return { puts: putPlaces(ticks, policy), firstPuts: putsDue(evidence[role], policy, nowMs) };
}

/**
 * One round of an observer: weighs the readings, decides, remembers. The same in Lambda, in the simulator and
 * in the drill.
 */
export function observeRound(memory: Memory, readings: RoundReadings, policy: Policy): RoundResult {
  const { startedAtMs, nowMs, primary, standby, clockStepMs, control, latch, quorum } = readings;
  const outcomes = { atMs: startedAtMs, ticks: memory.ticks, primary, standby, clockStepMs };
  const evidence = addTick(memory.evidence, outcomes, policy);
  const decision = decide({
    observation: {
      ...regionsSeen(evidence, policy, nowMs),
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
