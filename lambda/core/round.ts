import { accusationsOf, accusedIn, type CellFinding, cellFindings, cellSights } from './cell-findings.ts';
import type { ControlReading } from './control.ts';
import { type Decision, decide } from './decide.ts';
import { isActionable } from './diagnosis.ts';
import { levelOf } from './evidence.ts';
import type { Latch, Quorum } from './lifecycle.ts';
import type { Memory } from './memory.ts';
import {
  addTick,
  type Evidence,
  evidenceModels,
  putsDue,
  type RegionLevels,
  type RegionOutcomes,
} from './observation.ts';
import type { Policy } from './policy.ts';
import { type PutPlace, putPlaces } from './put-plan.ts';
import { regionsSeen } from './regions-seen.ts';
import type { Role } from './role.ts';
import { type StreamProbe, streamsDue } from './stream-plan.ts';
import type { StreamReadings } from './streams.ts';

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
  /** The cells' own streams. Absent: no cell has one that may be watched. */
  readonly streams?: StreamReadings | undefined;
}

export interface RoundResult {
  readonly memory: Memory;
  readonly decision: Decision;
  /** What is to be said about single cells. */
  readonly cells: readonly CellFinding[];
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

/** The cells' streams that the round after this memory probes. */
export function streamsOfRound(
  { evidence }: Memory,
  input: Pick<StreamReadings, 'cells' | 'beacons'> & {
    /** As read in the round before. */
    readonly switches?: StreamReadings['switches'];
    readonly policy: Policy;
    readonly nowMs: number;
  },
): readonly StreamProbe[] {
  const { cells, switches, policy, nowMs } = input;
  const kinesisWrite = levelOf(evidence.primary.kinesisWrite, evidenceModels(policy).kinesisWrite, nowMs);
  const canaryFails = kinesisWrite === 'suspect' || kinesisWrite === 'down';
  const beacons = policy.beacons === 'ignore' ? [] : input.beacons;
  return streamsDue(evidence.streams, { cells, beacons, switches, canaryFails, nowMs }, policy);
}

const noFindings: readonly CellFinding[] = [];
const nothingAccused: Memory['accusedCells'] = {};

/**
 * One round of an observer: weighs the readings, decides, remembers. The same in Lambda, in the simulator and
 * in the drill.
 */
export function observeRound(memory: Memory, readings: RoundReadings, policy: Policy): RoundResult {
  const { startedAtMs, nowMs, primary, standby, clockStepMs, control, latch, quorum, streams } = readings;
  const outcomes = { atMs: startedAtMs, ticks: memory.ticks, primary, standby, clockStepMs, streams };
  const evidence = addTick(memory.evidence, outcomes, policy);
  const seen = regionsSeen(evidence, policy, nowMs);
  const sights =
    streams === undefined ? [] : cellSights({ readings: streams, streams: evidence.streams, policy, nowMs });
  const decision = decide({
    observation: {
      ...seen,
      control,
      latch,
      quorum,
      accusedCells: accusedIn(sights),
      putFailedAtMs: lastFailureOf(evidence, seen.primary),
    },
    state: memory.decision,
    policy,
    nowMs,
  });
  const cells =
    sights.length === 0
      ? noFindings
      : cellFindings({
          sights,
          cells: streams?.cells ?? [],
          switches: streams?.switches,
          accusedBefore: memory.accusedCells,
          guarded: { ...seen, nowMs, policy, control },
          regionAccused: decision.vote === 'EVACUATE' || isActionable(decision.diagnosis),
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
      accusedCells:
        sights.length === 0
          ? nothingAccused
          : accusationsOf(sights, { accusedBefore: memory.accusedCells, nowMs }),
    },
    decision,
    cells,
  };
}

/** When a put to the primary last failed: to the canary, or, where that is well, to a cell's stream; null = never. */
function lastFailureOf({ primary, streams }: Evidence, { kinesisWrite }: RegionLevels): number | null {
  const canary = primary.kinesisWrite?.failedAtMs ?? null;
  if (kinesisWrite === 'down' || streams === undefined) return canary;
  let newest = canary ?? 0;
  for (const cell in streams.cells) newest = Math.max(newest, streams.cells[cell]?.test?.failedAtMs ?? 0);
  return newest === 0 ? null : newest;
}

function firstMetric(before: number | null, outcomes: RegionOutcomes, nowMs: number): number | null {
  return before ?? (outcomes.cloudWatch?.some((outcome) => outcome.ok) ? nowMs : null);
}
