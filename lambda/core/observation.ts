import {
  addSample,
  type EvidenceModel,
  evidenceModel,
  levelOf,
  type SignalEvidence,
  type SignalLevel,
} from './evidence.ts';
import type { Policy } from './policy.ts';
import { errorClasses, type ProbeOutcome } from './probe.ts';

/** What is probed in each region. The slow ones inform and never move traffic. */
export const signals = {
  kinesisWrite: { slow: false, probe: 'PutRecord to the canary stream' },
  kinesisRead: { slow: false, probe: 'GetRecords finds the record just put' },
  reachability: { slow: false, probe: 'any answer from the region, whatever it says' },
  cloudWatch: { slow: true, probe: 'PutMetricData, and GetMetricData returns a fresh point' },
  controlPlane: { slow: true, probe: 'DescribeStreamSummary of the canary stream' },
} as const satisfies Record<string, { readonly slow: boolean; readonly probe: string }>;

export type SignalName = keyof typeof signals;
export const signalNames = Object.keys(signals) as SignalName[];

export type RegionEvidence = Readonly<Partial<Record<SignalName, SignalEvidence>>>;
export type RegionLevels = Readonly<Record<SignalName, SignalLevel>>;
/** One round of probes of one region; a probe that was not due or did not run is absent. */
export type RegionOutcomes = Readonly<Partial<Record<SignalName, ProbeOutcome>>>;

/** What makes an observer unfit to accuse anybody. Kept across runs. */
export interface ObserverHealth {
  /** Ticks in a row with a failure of the observer's own making. */
  readonly selfInflictedTicks: number;
  /** Until then the observer's clock is not trusted. */
  readonly clockSuspectUntilMs: number;
}

/** Everything an observer remembers between ticks about the regions it watches. */
export interface Evidence {
  readonly primary: RegionEvidence;
  readonly standby: RegionEvidence;
  readonly observer: ObserverHealth;
}

export const noEvidence: Evidence = {
  primary: {},
  standby: {},
  observer: { selfInflictedTicks: 0, clockSuspectUntilMs: 0 },
};

export interface TickOutcomes {
  readonly atMs: number;
  readonly primary: RegionOutcomes;
  readonly standby: RegionOutcomes;
  /** Wall-clock time passed since the last tick, less monotonic time passed. Zero on a sound clock. */
  readonly clockStepMs: number;
}

/** Steps below this are ordinary discipline by NTP. */
const CLOCK_STEP_LIMIT_MS = 1_000;
const CLOCK_DISTRUST_MS = 60_000;
/** One such tick may be a deployment in progress; three are a broken observer. */
const SELF_INFLICTED_LIMIT_TICKS = 3;

/** How each signal's evidence is weighed under this policy. */
export function evidenceModels(policy: Policy): Readonly<Record<SignalName, EvidenceModel>> {
  const fast = evidenceModel(policy, policy.tickMs);
  const slow = evidenceModel(policy, policy.tickMs * policy.slowProbeEveryTicks);
  return {
    kinesisWrite: fast,
    kinesisRead: fast,
    reachability: fast,
    cloudWatch: slow,
    controlPlane: slow,
  };
}

/** Takes in one tick's outcomes. */
export function addTick(evidence: Evidence, tick: TickOutcomes, policy: Policy): Evidence {
  const models = evidenceModels(policy);
  const primary = addOutcomes(evidence.primary, tick.primary, { models, atMs: tick.atMs });
  const standby = addOutcomes(evidence.standby, tick.standby, { models, atMs: tick.atMs });
  const outcomes = [...Object.values(tick.primary), ...Object.values(tick.standby)];
  const selfInflicted = outcomes.some((o) => !o.ok && errorClasses[o.errorClass].selfInflicted);
  const stepped = Math.abs(tick.clockStepMs) > CLOCK_STEP_LIMIT_MS;
  return {
    primary,
    standby,
    observer: {
      selfInflictedTicks: selfInflicted ? evidence.observer.selfInflictedTicks + 1 : 0,
      clockSuspectUntilMs: stepped ? tick.atMs + CLOCK_DISTRUST_MS : evidence.observer.clockSuspectUntilMs,
    },
  };
}

interface AddContext {
  readonly models: Readonly<Record<SignalName, EvidenceModel>>;
  readonly atMs: number;
}

function addOutcomes(before: RegionEvidence, outcomes: RegionOutcomes, context: AddContext): RegionEvidence {
  const after: Partial<Record<SignalName, SignalEvidence>> = { ...before };
  const withReachability = { ...outcomes, ...reachability(outcomes) };
  for (const name of signalNames) {
    const outcome = withReachability[name];
    if (outcome === undefined) continue;
    const next = addSample(before[name], { outcome, atMs: context.atMs }, context.models[name]);
    if (next !== undefined) after[name] = next;
  }
  return after;
}

/** The region is reachable if anything in it answered anything, so every probe counts towards this signal. */
function reachability(outcomes: RegionOutcomes): RegionOutcomes {
  const all = Object.values(outcomes);
  const answer = all.find((o) => o.ok || errorClasses[o.errorClass].answered);
  if (answer !== undefined) return { reachability: { ok: true, latencyMs: answer.latencyMs } };
  const silent = all.find((o) => !o.ok && errorClasses[o.errorClass].evidence);
  return silent === undefined ? {} : { reachability: silent };
}

export function levelsOf(evidence: RegionEvidence, policy: Policy, nowMs: number): RegionLevels {
  const models = evidenceModels(policy);
  const level = (name: SignalName): SignalLevel => levelOf(evidence[name], models[name], nowMs);
  return {
    kinesisWrite: level('kinesisWrite'),
    kinesisRead: level('kinesisRead'),
    reachability: level('reachability'),
    cloudWatch: level('cloudWatch'),
    controlPlane: level('controlPlane'),
  };
}

export type ObserverCondition = 'sound' | 'clock-suspect' | 'self-inflicted-errors';

export function observerCondition(health: ObserverHealth, nowMs: number): ObserverCondition {
  if (nowMs < health.clockSuspectUntilMs) return 'clock-suspect';
  if (health.selfInflictedTicks >= SELF_INFLICTED_LIMIT_TICKS) return 'self-inflicted-errors';
  return 'sound';
}
