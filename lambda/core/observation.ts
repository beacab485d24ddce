import { countDoubtful, type DoubtfulRounds } from './blame.ts';
import {
  addSamples,
  type EvidenceModel,
  evidenceModel,
  levelOf,
  type ModelSettings,
  type SignalEvidence,
  type SignalLevel,
  workedLately,
} from './evidence.ts';
import { addLatencies, EXCEEDANCE_RATE, type LatencyEvidence, LEARNT_SAMPLES, SLOW_RATE } from './latency.ts';
import type { Policy } from './policy.ts';
import { errorClasses, type ProbeOutcome } from './probe.ts';
import { maxPuts } from './put-plan.ts';
import { addGain, addPuts, type GainEvidence, type PutHistory } from './severity.ts';
import { addStreams, type StreamReadings, type StreamsEvidence } from './streams.ts';

/** What is known of each region. The slow ones inform and never move traffic. */
export const signals = {
  kinesisWrite: {
    pace: 'fast',
    probe: 'PutRecords and PutRecord to the shards of the canary stream, several times in turn',
  },
  kinesisErrors: { pace: 'fast', probe: 'the same puts, for a small failing fraction that lasts' },
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

export type RegionLevels = Readonly<Record<SignalName, SignalLevel>> & {
  /** Signals that are suspect or down and have worked lately all the same: they fail in part. Absent: none. */
  readonly partly?: readonly SignalName[];
};
/**
 * One round of probes of one region, by signal; a probe that was not due or did not run is absent. The n-th put
 * went to the n-th place of the round (`putPlace`).
 */
export type RegionOutcomes = Readonly<
  Partial<Record<Exclude<CountedSignal, 'kinesisErrors'>, readonly ProbeOutcome[]>>
>;

export type RegionEvidence = Readonly<Partial<Record<CountedSignal, SignalEvidence>>> & {
  readonly kinesisLatency?: LatencyEvidence;
  readonly puts?: PutHistory;
};

/** Whether a signal works, at least in part. Unknown is no. */
export const works = <Name extends SignalName>(
  levels: Pick<RegionLevels, Name | 'partly'>,
  name: Name,
): boolean => levels[name] === 'up' || (levels[name] !== 'unknown' && levels.partly?.includes(name) === true);
/** Whether a signal is down and nothing of it has worked lately. */
export const failsWholly = <Name extends SignalName>(
  levels: Pick<RegionLevels, Name | 'partly'>,
  name: Name,
): boolean => levels[name] === 'down' && levels.partly?.includes(name) !== true;

/** What makes an observer unfit to accuse anybody. Kept across runs. */
export interface ObserverHealth {
  /** Rounds in a row with errors that a caller may have caused, by region. */
  readonly doubtful: { readonly primary: DoubtfulRounds; readonly standby: DoubtfulRounds };
  /** Until then the observer's clock is not trusted. */
  readonly clockSuspectUntilMs: number;
}

/** Everything an observer remembers between ticks about the regions it watches. */
export interface Evidence {
  readonly primary: RegionEvidence;
  readonly standby: RegionEvidence;
  /** What the puts to the primary show of a gain over the standby. */
  readonly gain: GainEvidence;
  readonly observer: ObserverHealth;
  /** What is known of the cells' own streams; absent: none was probed within a minute. */
  readonly streams?: StreamsEvidence | undefined;
}

export const noEvidence: Evidence = {
  primary: {},
  standby: {},
  gain: {},
  observer: { doubtful: { primary: {}, standby: {} }, clockSuspectUntilMs: 0 },
};

export interface TickOutcomes {
  /** When the round began. */
  readonly atMs: number;
  /** Rounds of this observer before this one. */
  readonly ticks: number;
  readonly primary: RegionOutcomes;
  readonly standby: RegionOutcomes;
  /** Wall-clock time passed since the last tick, less monotonic time passed. Zero on a sound clock. */
  readonly clockStepMs: number;
  readonly streams?: StreamReadings | undefined;
}

/** Steps below this are ordinary discipline by NTP. */
const CLOCK_STEP_LIMIT_MS = 1_000;
export const CLOCK_DISTRUST_MS = 60_000;
/**
 * The failing fraction that `kinesisErrors` looks for, how long it must last, and its own budget: it pages, and
 * moves nothing.
 */
const DEGRADED_RATE = 0.05;
const DEGRADED_SUSTAIN_MS = 60_000;
const DEGRADED_ALARMS_PER_YEAR = 10;

/** What the test of one signal is derived from, under this policy. */
export function modelSettings(name: SignalName, policy: Policy): ModelSettings {
  const slow = signals[name].pace === 'slow';
  // Silence is as heavy as the puts that met it: or an unreachable region would first look like one that refuses writes.
  const perPut =
    name === 'kinesisWrite' ||
    name === 'kinesisErrors' ||
    name === 'kinesisLatency' ||
    name === 'reachability';
  return {
    baselineRate: name === 'kinesisLatency' ? EXCEEDANCE_RATE : policy.baselineFailureRate,
    impairedRate: impairedRate(name, policy),
    falseAlarmsPerYear:
      name === 'kinesisErrors'
        ? Math.max(DEGRADED_ALARMS_PER_YEAR, policy.falseAlarmsPerYear)
        : policy.falseAlarmsPerYear,
    periodMs: slow ? policy.tickMs * policy.slowProbeEveryTicks : policy.tickMs,
    samplesPerRound: perPut ? policy.putsPerRound : 1,
    sustainMs: name === 'kinesisErrors' ? Math.max(DEGRADED_SUSTAIN_MS, policy.blipMs) : policy.blipMs,
  };
}

function impairedRate(name: SignalName, policy: Policy): number {
  if (name === 'kinesisLatency') return SLOW_RATE;
  if (name !== 'kinesisErrors') return policy.impairedFailureRate;
  // Above the baseline, whatever that is: else no number of failures would be evidence.
  return Math.min(policy.impairedFailureRate, Math.max(DEGRADED_RATE, 5 * policy.baselineFailureRate));
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
  const { atMs, ticks } = tick;
  const stepped = Math.abs(tick.clockStepMs) > CLOCK_STEP_LIMIT_MS;
  const { doubtful, clockSuspectUntilMs } = evidence.observer;
  const standby = addOutcomes(evidence.standby, tick.standby, { policy, atMs });
  const primary = addOutcomes(evidence.primary, tick.primary, { policy, atMs });
  const puts = tick.primary.kinesisWrite ?? [];
  const canaryFailsSinceMs = failsSince(primary.kinesisWrite);
  const streams =
    tick.streams === undefined
      ? undefined
      : addStreams(evidence.streams, { readings: tick.streams, atMs, canaryFailsSinceMs }, policy);
  return {
    ...(streams === undefined ? {} : { streams }),
    primary,
    standby,
    gain: addGain(evidence.gain, { puts, atMs, ticks, standby: standby.puts }, policy),
    observer: {
      doubtful: {
        primary: countDoubtful(doubtful.primary, tick.primary),
        standby: countDoubtful(doubtful.standby, tick.standby),
      },
      clockSuspectUntilMs: stepped ? atMs + CLOCK_DISTRUST_MS : clockSuspectUntilMs,
    },
  };
}

/** Since when a signal has failed without a break; undefined: it does not fail. */
const failsSince = (evidence: SignalEvidence | undefined): number | undefined =>
  evidence !== undefined && (evidence.alarmed || evidence.score > 0) ? evidence.sinceMs : undefined;

function addOutcomes(
  before: RegionEvidence,
  outcomes: RegionOutcomes,
  { policy, atMs }: { readonly policy: Policy; readonly atMs: number },
): RegionEvidence {
  const models = evidenceModels(policy);
  const after: { -readonly [Name in keyof RegionEvidence]: RegionEvidence[Name] } = { ...before };
  const reached = reachability(outcomes, policy.putsPerRound);
  for (const name of countedSignals) {
    const list =
      name === 'reachability' ? reached : outcomes[name === 'kinesisErrors' ? 'kinesisWrite' : name];
    if (list === undefined) continue;
    const next = addSamples(before[name], { outcomes: list, atMs }, models[name]);
    if (next !== undefined) after[name] = next;
  }
  if (outcomes.kinesisWrite !== undefined)
    after.puts = addPuts(before.puts, { puts: outcomes.kinesisWrite, atMs }, policy);
  const latenciesMs: number[] = [];
  for (const put of outcomes.kinesisWrite ?? []) if (put.ok) latenciesMs.push(put.latencyMs);
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
        return answers(samples);
      }
      if (errorClasses[outcome.errorClass].evidence) silent ??= outcome;
    }
  }
  return silent === undefined ? undefined : Array(samples).fill(silent);
}

const answered: ProbeOutcome = { ok: true, latencyMs: 0 };
const answersOf = new Map<number, readonly ProbeOutcome[]>();
/** So many answers. How long they took is of no account here. */
function answers(samples: number): readonly ProbeOutcome[] {
  const known = answersOf.get(samples) ?? Array<ProbeOutcome>(samples).fill(answered);
  answersOf.set(samples, known);
  return known;
}

export function levelsOf(evidence: RegionEvidence, policy: Policy, nowMs: number): RegionLevels {
  const models = evidenceModels(policy);
  let partly: SignalName[] | undefined;
  const level = (name: CountedSignal): SignalLevel => {
    const found = levelOf(evidence[name], models[name], nowMs);
    if ((found === 'suspect' || found === 'down') && workedLately(evidence[name], models[name], nowMs)) {
      partly ??= [];
      partly.push(name);
    }
    return found;
  };
  const levels = {
    kinesisWrite: level('kinesisWrite'),
    kinesisErrors: level('kinesisErrors'),
    kinesisRead: level('kinesisRead'),
    kinesisLatency: latencyLevel(evidence.kinesisLatency, models.kinesisLatency, nowMs),
    reachability: level('reachability'),
    cloudWatch: level('cloudWatch'),
    controlPlane: level('controlPlane'),
    cognito: level('cognito'),
    lambda: level('lambda'),
    sqs: level('sqs'),
  };
  return partly === undefined ? levels : { ...levels, partly };
}

function latencyLevel(
  evidence: LatencyEvidence | undefined,
  model: EvidenceModel,
  nowMs: number,
): SignalLevel {
  if (evidence === undefined || evidence.samples < LEARNT_SAMPLES) return 'unknown';
  return levelOf(evidence.slow, model, nowMs);
}

/**
 * How many puts the next round begins with, to one region; if one of them fails, the round goes on to `maxPuts`. After
 * a failure an observer looks harder, until it has forgotten that failure: what a small failing fraction needs is samples.
 */
export function putsDue({ kinesisErrors }: RegionEvidence, policy: Policy, nowMs: number): number {
  if (kinesisErrors === undefined || (kinesisErrors.score === 0 && !kinesisErrors.alarmed))
    return policy.putsPerRound;
  const level = levelOf(kinesisErrors, evidenceModels(policy).kinesisErrors, nowMs);
  return level === 'unknown' ? policy.putsPerRound : maxPuts(policy);
}

/** Whether the first puts of a round call for the others: one has failed by the region's fault. */
export const looksHarder = (puts: readonly ProbeOutcome[]): boolean =>
  puts.some((put) => !put.ok && errorClasses[put.errorClass].evidence);
