import {
  addSamples,
  type EvidenceModel,
  evidenceModel,
  levelOf,
  type ModelSettings,
  type SignalEvidence,
  type SignalLevel,
} from './evidence.ts';
import { addLatencies, EXCEEDANCE_RATE, type LatencyEvidence, LEARNT_SAMPLES, SLOW_RATE } from './latency.ts';
import type { Policy } from './policy.ts';
import { errorClasses, type ProbeOutcome } from './probe.ts';

/** What is known of each region. The slow ones inform and never move traffic. */
export const signals = {
  kinesisWrite: { pace: 'fast', probe: 'PutRecord to the canary stream, several times' },
  kinesisRead: { pace: 'fast', probe: 'GetRecords finds the record just put' },
  kinesisLatency: { pace: 'fast', probe: 'time of the successful puts, against what is usual there' },
  reachability: { pace: 'fast', probe: 'any answer from the region, whatever it says' },
  cloudWatch: { pace: 'slow', probe: 'PutMetricData, and GetMetricData returns a fresh point' },
  controlPlane: { pace: 'slow', probe: 'DescribeStreamSummary of the canary stream' },
  cognito: { pace: 'slow', probe: 'ListUserPools (optional)' },
  lambda: { pace: 'slow', probe: 'GetAccountSettings (optional)' },
  sqs: { pace: 'slow', probe: 'ListQueues (optional)' },
} as const satisfies Record<string, { readonly pace: 'fast' | 'slow'; readonly probe: string }>;

export type SignalName = keyof typeof signals;
export const signalNames = Object.keys(signals) as SignalName[];
/** Signals with a test of success and failure; latency has one of its own. */
export type CountedSignal = Exclude<SignalName, 'kinesisLatency'>;
export const countedSignals = signalNames.filter((name) => name !== 'kinesisLatency') as CountedSignal[];

export type RegionLevels = Readonly<Record<SignalName, SignalLevel>>;
/** One round of probes of one region, by signal; a probe that was not due or did not run is absent. */
export type RegionOutcomes = Readonly<Partial<Record<CountedSignal, readonly ProbeOutcome[]>>>;

export type RegionEvidence = Readonly<Partial<Record<CountedSignal, SignalEvidence>>> & {
  readonly kinesisLatency?: LatencyEvidence;
};

/** What makes an observer unfit to accuse anybody. Kept across runs. */
export interface ObserverHealth {
  /** Rounds in a row with a failure of the observer's own making. */
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
  /** When the round began. */
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

/** What the test of one signal is derived from, under this policy. */
export function modelSettings(name: SignalName, policy: Policy): ModelSettings {
  const slow = signals[name].pace === 'slow';
  // Silence is as heavy as the puts that met it: or an unreachable region would first look like one that refuses writes.
  const perPut = name === 'kinesisWrite' || name === 'kinesisLatency' || name === 'reachability';
  return {
    baselineRate: name === 'kinesisLatency' ? EXCEEDANCE_RATE : policy.baselineFailureRate,
    impairedRate: name === 'kinesisLatency' ? SLOW_RATE : policy.impairedFailureRate,
    falseAlarmsPerYear: policy.falseAlarmsPerYear,
    periodMs: slow ? policy.tickMs * policy.slowProbeEveryTicks : policy.tickMs,
    samplesPerRound: perPut ? policy.putsPerRound : 1,
    sustainMs: policy.blipMs,
  };
}

type Models = Readonly<Record<SignalName, EvidenceModel>>;
const derived = new WeakMap<Policy, Models>();

/** How each signal's evidence is weighed under this policy. Derived once per policy: a simulated year asks millions of times. */
export function evidenceModels(policy: Policy): Models {
  const known = derived.get(policy);
  if (known !== undefined) return known;
  const models = Object.fromEntries(
    signalNames.map((name) => [name, evidenceModel(modelSettings(name, policy))]),
  ) as Models;
  derived.set(policy, models);
  return models;
}

/** Takes in one tick's outcomes. */
export function addTick(evidence: Evidence, tick: TickOutcomes, policy: Policy): Evidence {
  const stepped = Math.abs(tick.clockStepMs) > CLOCK_STEP_LIMIT_MS;
  const selfInflicted = hasSelfInflicted(tick.primary) || hasSelfInflicted(tick.standby);
  return {
    primary: addOutcomes(evidence.primary, tick.primary, { policy, atMs: tick.atMs }),
    standby: addOutcomes(evidence.standby, tick.standby, { policy, atMs: tick.atMs }),
    observer: {
      selfInflictedTicks: selfInflicted ? evidence.observer.selfInflictedTicks + 1 : 0,
      clockSuspectUntilMs: stepped ? tick.atMs + CLOCK_DISTRUST_MS : evidence.observer.clockSuspectUntilMs,
    },
  };
}

const hasSelfInflicted = (outcomes: RegionOutcomes): boolean =>
  Object.values(outcomes).some((list) =>
    list.some((outcome) => !outcome.ok && errorClasses[outcome.errorClass].selfInflicted),
  );

function addOutcomes(
  before: RegionEvidence,
  outcomes: RegionOutcomes,
  { policy, atMs }: { readonly policy: Policy; readonly atMs: number },
): RegionEvidence {
  const models = evidenceModels(policy);
  const after: { -readonly [Name in keyof RegionEvidence]: RegionEvidence[Name] } = { ...before };
  const reached = reachability(outcomes, policy.putsPerRound);
  for (const name of countedSignals) {
    const list = name === 'reachability' ? reached : outcomes[name];
    if (list === undefined) continue;
    const next = addSamples(before[name], { outcomes: list, atMs }, models[name]);
    if (next !== undefined) after[name] = next;
  }
  const latenciesMs = (outcomes.kinesisWrite ?? []).flatMap((put) => (put.ok ? [put.latencyMs] : []));
  const latency = addLatencies(
    before.kinesisLatency,
    { latenciesMs, atMs },
    { model: models.kinesisLatency, limits: policy },
  );
  if (latency !== undefined) after.kinesisLatency = latency;
  return after;
}

/** The region is reachable if anything in it answered anything: every probe counts towards this signal, and they all say the same. */
function reachability(outcomes: RegionOutcomes, samples: number): readonly ProbeOutcome[] | undefined {
  let silent: ProbeOutcome | undefined;
  for (const list of Object.values(outcomes)) {
    for (const outcome of list) {
      if (outcome.ok || errorClasses[outcome.errorClass].answered) {
        return Array(samples).fill({ ok: true, latencyMs: outcome.latencyMs });
      }
      if (errorClasses[outcome.errorClass].evidence) silent ??= outcome;
    }
  }
  return silent === undefined ? undefined : Array(samples).fill(silent);
}

export function levelsOf(evidence: RegionEvidence, policy: Policy, nowMs: number): RegionLevels {
  const models = evidenceModels(policy);
  const level = (name: CountedSignal): SignalLevel => levelOf(evidence[name], models[name], nowMs);
  return {
    kinesisWrite: level('kinesisWrite'),
    kinesisRead: level('kinesisRead'),
    kinesisLatency: latencyLevel(evidence.kinesisLatency, models.kinesisLatency, nowMs),
    reachability: level('reachability'),
    cloudWatch: level('cloudWatch'),
    controlPlane: level('controlPlane'),
    cognito: level('cognito'),
    lambda: level('lambda'),
    sqs: level('sqs'),
  };
}

function latencyLevel(
  evidence: LatencyEvidence | undefined,
  model: EvidenceModel,
  nowMs: number,
): SignalLevel {
  if (evidence === undefined || evidence.samples < LEARNT_SAMPLES) return 'unknown';
  return levelOf(evidence.slow, model, nowMs);
}

export type ObserverCondition = 'sound' | 'clock-suspect' | 'self-inflicted-errors';

export function observerCondition(health: ObserverHealth, nowMs: number): ObserverCondition {
  // A clock that was set back must not prolong the distrust beyond its own span.
  const remainingMs = health.clockSuspectUntilMs - nowMs;
  if (remainingMs > 0 && remainingMs <= CLOCK_DISTRUST_MS) return 'clock-suspect';
  if (health.selfInflictedTicks >= SELF_INFLICTED_LIMIT_TICKS) return 'self-inflicted-errors';
  return 'sound';
}
