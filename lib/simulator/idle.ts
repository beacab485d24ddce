import { addSample, type EvidenceModel, levelOf, type SignalEvidence } from '../../lambda/core/evidence.ts';
import { LEARNT_SAMPLES } from '../../lambda/core/latency.ts';
import type { Memory } from '../../lambda/core/memory.ts';
import {
  countedSignals,
  evidenceModels,
  modelSettings,
  type RegionEvidence,
  type SignalName,
  signalNames,
  signals,
} from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { WINDOW_ROUNDS } from '../../lambda/core/put-window.ts';
import type { Role } from '../../lambda/core/role.ts';
import { putViews, type ViewEvidence } from '../../lambda/core/severity.ts';
import type { StreamsEvidence } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import { evidenceOf, quietGain, quietPuts } from './idle-puts.ts';
import { quietStreams } from './idle-streams.ts';
import type { StreamFailure } from './stream-foresight.ts';

/**
 * How quiet stretches are skipped. An observer is idle when its vote is a steady HOLD, nothing is alarmed and every
 * fast signal is `up`. While every probe works, scores only fall, so no level can change but from `suspect` to `up` of
 * a slow signal, which no diagnosis looks at: each round decides what the one before it decided. What the rounds would
 * leave in the memory (times, the count of rounds, scores on their way to zero) is set here to what it would be, by the
 * core's own `addSample` where a score is not zero yet.
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
    isEmpty(memory.accusedCells) &&
    isEmpty(evidence.observer.doubtful.primary) &&
    isEmpty(evidence.observer.doubtful.standby) &&
    evidence.observer.clockSuspectUntilMs <= nowMs &&
    lastRoundAtMs !== null &&
    isQuiet(evidence.primary, lastRoundAtMs, policy) &&
    isQuiet(evidence.standby, lastRoundAtMs, policy) &&
    putViews.every((view) => mayRest(evidence.gain[view]))
  );
}

function isEmpty(rounds: object): boolean {
  for (const _ in rounds) return false;
  return true;
}

/** A score that is not zero yet falls with those of the signals, which the same puts feed. */
const mayRest = (view: ViewEvidence | undefined): boolean => view !== undefined && !view.test.alarmed;

const needed: readonly SignalName[] = [
  'kinesisWrite',
  'kinesisErrors',
  'kinesisRead',
  'reachability',
  'cloudWatch',
  'controlPlane',
];

function isQuiet(region: RegionEvidence, roundAtMs: number, policy: Policy): boolean {
  if (region.kinesisLatency?.samples !== LEARNT_SAMPLES || region.puts?.atMs !== roundAtMs) return false;
  const slowMs = policy.tickMs * policy.slowProbeEveryTicks;
  const models = evidenceModels(policy);
  for (const name of signalNames) {
    const evidence = evidenceOf(region, name);
    if (evidence === undefined) {
      if (needed.includes(name)) return false;
      continue;
    }
    const ageMs = roundAtMs - evidence.sampledAtMs;
    if (evidence.alarmed || ageMs < 0 || evidence.sinceMs > evidence.sampledAtMs) return false;
    if (signals[name].pace === 'slow' ? ageMs > slowMs : ageMs > 0) return false;
    if (signals[name].pace === 'fast' && levelOf(evidence, models[name], roundAtMs) !== 'up') return false;
  }
  return true;
}

export interface Skip {
  readonly rounds: number;
  /** When the last of them began, and how long after that it decided; by the observer's clock. */
  readonly lastRoundAtMs: number;
  readonly quietMs: number;
  readonly cells: readonly WatchedCell[];
  /** The last of these rounds in which a stream did not take a record, and what is known of the streams after it. */
  readonly streamFailure?: Pick<StreamFailure, 'after' | 'streams' | 'report'> | undefined;
}

/** When, by the observer's clock, the last slow round among those skipped began; undefined if there was none. */
export function lastSlowRound(
  ticks: number,
  { rounds, lastRoundAtMs }: Pick<Skip, 'rounds' | 'lastRoundAtMs'>,
  policy: Policy,
): number | undefined {
  const lastTick = ticks + rounds - 1;
  const slowTick = lastTick - (lastTick % policy.slowProbeEveryTicks);
  return slowTick < ticks ? undefined : lastRoundAtMs - (lastTick - slowTick) * policy.tickMs;
}

/** The memory after so many quiet rounds. */
export function skipped(memory: Memory, skip: Skip, policy: Policy): Memory {
  const { rounds, lastRoundAtMs } = skip;
  const slowAtMs = lastSlowRound(memory.ticks, skip, policy);
  const slowPeriodMs = policy.tickMs * policy.slowProbeEveryTicks;
  const firstAtMs = lastRoundAtMs - (rounds - 1) * policy.tickMs;
  const fast = { rounds, lastAtMs: lastRoundAtMs, periodMs: policy.tickMs };
  const slow =
    slowAtMs === undefined
      ? undefined
      : {
          rounds: Math.floor((slowAtMs - firstAtMs) / slowPeriodMs) + 1,
          lastAtMs: slowAtMs,
          periodMs: slowPeriodMs,
        };
  const { evidence, ticks } = memory;
  const skippedPuts = { ticks, rounds, lastAtMs: lastRoundAtMs };
  const after = (role: Role): RegionEvidence => ({
    ...quietEvidence(evidence[role], { fast, slow }, policy),
    ...quietPuts(evidence[role], skippedPuts, policy),
  });
  const { streams, ...rest } = evidence;
  const quiet = streams && streamsAfter(streams, skip, policy);
  const lastTookMs = skip.streamFailure?.after === rounds - 1 ? skip.streamFailure.report.tookMs : 0;
  return {
    ...memory,
    evidence: {
      ...rest,
      ...(quiet && { streams: quiet }),
      primary: after('primary'),
      standby: after('standby'),
      gain: quietGain(evidence, skippedPuts, policy),
    },
    decision: { ...memory.decision, decidedAtMs: lastRoundAtMs + Math.max(skip.quietMs, lastTookMs) },
    ticks: ticks + rounds,
    lastRoundAtMs,
  };
}

function streamsAfter(
  streams: StreamsEvidence,
  { rounds, lastRoundAtMs, cells, streamFailure }: Skip,
  policy: Policy,
): StreamsEvidence | undefined {
  const known = streamFailure?.streams ?? streams;
  const since = rounds - ((streamFailure?.after ?? -1) + 1);
  return since === 0 ? known : quietStreams(known, { rounds: since, lastAtMs: lastRoundAtMs, cells }, policy);
}

interface Successes {
  readonly rounds: number;
  readonly lastAtMs: number;
  readonly periodMs: number;
}

function quietEvidence(
  region: RegionEvidence,
  { fast, slow }: { readonly fast: Successes; readonly slow: Successes | undefined },
  policy: Policy,
): RegionEvidence {
  const models = evidenceModels(policy);
  const after: { -readonly [Name in keyof RegionEvidence]: RegionEvidence[Name] } = { ...region };
  for (const name of countedSignals) {
    if (name === 'kinesisWrite' || name === 'kinesisErrors') continue;
    const before = evidenceOf(region, name);
    const successes = signals[name].pace === 'fast' ? fast : slow;
    if (before === undefined || successes === undefined) continue;
    const samples = modelSettings(name, policy).samplesPerRound;
    after[name] = succeeded(before, { ...successes, samples }, models[name]);
  }
  return after;
}

/** Evidence after rounds of successes. */
function succeeded(
  before: SignalEvidence,
  { rounds, lastAtMs, periodMs, samples }: Successes & { readonly samples: number },
  model: EvidenceModel,
): SignalEvidence {
  let evidence = before;
  for (let round = 0; round < rounds && evidence.score > 0; round++) {
    const atMs = lastAtMs - (rounds - 1 - round) * periodMs;
    for (let n = 0; n < samples; n++) evidence = addSample(evidence, { failed: false, atMs }, model);
  }
  const isDone = evidence.score > 0 || (before.score > 0 && evidence.sampledAtMs === lastAtMs);
  return isDone ? evidence : { ...evidence, score: 0, okAtMs: lastAtMs, sampledAtMs: lastAtMs };
}

/** With one metric lost, the one before it is still within the five minutes in which the observer expects to see one. */
const LONGEST_SLOW_PERIOD_MS = 120_000;

/**
 * Rounds after a lone failure of this signal until its score is zero again; undefined where one failure may matter.
 *
 * Lemma: one failing sample lifts a score from zero to one failure's weight. That is below `suspect`, which takes more
 * than one, and raises no alarm where the threshold is above it or failures must be sustained. All levels stay as they
 * were (its last success is a round old at most, and evidence is fresh for several), so the decision is the same as
 * without it; and successes alone take the score back to zero, after which it is not remembered but for its time, which
 * counts only beside an alarm. So a failure with no other of its signal in the rounds given here, and no trouble, may be
 * skipped as well.
 */
export function roundsToForget(name: SignalName, policy: Policy): number | undefined {
  const { failureWeight, threshold, sustainMs } = evidenceModels(policy)[name];
  if (threshold <= failureWeight && sustainMs <= 0) return undefined;
  // A metric that was not put is missed only if the one before it is too old by then.
  if (signals[name].pace === 'slow' && policy.tickMs * policy.slowProbeEveryTicks > LONGEST_SLOW_PERIOD_MS)
    return undefined;
  const rounds = roundsToZero(name, failureWeight, policy);
  if (name !== 'kinesisWrite') return rounds;
  // A put feeds two tests, and is counted among those of the last rounds.
  const { failureWeight: small } = evidenceModels(policy).kinesisErrors;
  return Math.max(rounds, roundsToZero('kinesisErrors', small, policy), WINDOW_ROUNDS);
}

/** Quiet rounds, of the fast kind, that certainly bring a score to zero. */
function roundsToZero(name: SignalName, score: number, policy: Policy): number {
  const { successWeight } = evidenceModels(policy)[name];
  const rounds = Math.ceil(score / successWeight / modelSettings(name, policy).samplesPerRound) + 1;
  return signals[name].pace === 'slow' ? (rounds + 1) * policy.slowProbeEveryTicks : rounds;
}

/** Quiet rounds until the score of this signal is zero: meanwhile a failure of it is not a lone one. */
export function roundsToCalm(region: RegionEvidence, name: SignalName, policy: Policy): number {
  const score = evidenceOf(region, name)?.score ?? 0;
  return score === 0 ? 0 : roundsToZero(name, score, policy);
}
