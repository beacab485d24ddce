import type { SignalEvidence } from '../../lambda/core/evidence.ts';
import { evidenceModels, type RegionEvidence, type SignalName } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { maxPuts, putPlaces } from '../../lambda/core/put-plan.ts';
import { addRound, afterQuietRounds, type PutWindow } from '../../lambda/core/put-window.ts';
import {
  type GainEvidence,
  gainModel,
  type PutView,
  putViews,
  type ViewEvidence,
} from '../../lambda/core/severity.ts';

/**
 * What the puts of skipped rounds leave in the memory of an idle observer. A put that succeeds takes the scores
 * down by the weight of a success, and the core would take the same steps one by one; here they are taken on the
 * bare scores. While a failure is remembered a round makes more puts, so that the scores fall faster.
 */
export const putSignals = ['kinesisWrite', 'kinesisErrors', 'kinesisLatency'] as const;
type PutSignal = (typeof putSignals)[number];

export const evidenceOf = (region: RegionEvidence, name: SignalName): SignalEvidence | undefined =>
  name === 'kinesisLatency' ? region.kinesisLatency?.slow : region[name];

/** Puts of the round that follows so many quiet rounds. */
export function putsAfter(region: RegionEvidence, rounds: number, policy: Policy): number {
  return fall(region, rounds + 1, policy).puts[rounds] ?? policy.putsPerRound;
}

interface Fallen {
  readonly scores: Readonly<Record<PutSignal, number>>;
  /** Puts of each round until nothing was remembered any more. */
  readonly puts: readonly number[];
}

function fall(region: RegionEvidence, rounds: number, policy: Policy): Fallen {
  const models = evidenceModels(policy);
  const scores = {
    kinesisWrite: evidenceOf(region, 'kinesisWrite')?.score ?? 0,
    kinesisErrors: evidenceOf(region, 'kinesisErrors')?.score ?? 0,
    kinesisLatency: evidenceOf(region, 'kinesisLatency')?.score ?? 0,
  };
  const puts: number[] = [];
  while (puts.length < rounds && putSignals.some((name) => scores[name] > 0)) {
    const count = scores.kinesisErrors > 0 ? maxPuts(policy) : policy.putsPerRound;
    for (const name of putSignals) scores[name] = lowered(scores[name], models[name].successWeight, count);
    puts.push(count);
  }
  return { scores, puts };
}

function lowered(score: number, weight: number, times: number): number {
  let left = score;
  for (let n = 0; n < times && left > 0; n++) left = Math.max(0, left - weight);
  return left;
}

export interface Skipped {
  /** Rounds of the observer before the first that is skipped. */
  readonly ticks: number;
  readonly rounds: number;
  /** When the last of them began. */
  readonly lastAtMs: number;
}

/** One region's share of it. The learnt latency stays as it was: see idle.ts. */
export function quietPuts(
  region: RegionEvidence,
  { rounds, lastAtMs }: Skipped,
  policy: Policy,
): RegionEvidence {
  const { scores, puts } = fall(region, rounds, policy);
  const now = (name: PutSignal, evidence: SignalEvidence): SignalEvidence => ({
    ...evidence,
    score: scores[name],
    okAtMs: lastAtMs,
    sampledAtMs: lastAtMs,
  });
  const { kinesisWrite, kinesisErrors, kinesisLatency } = region;
  return {
    ...(kinesisWrite && { kinesisWrite: now('kinesisWrite', kinesisWrite) }),
    ...(kinesisErrors && { kinesisErrors: now('kinesisErrors', kinesisErrors) }),
    ...(kinesisLatency && {
      kinesisLatency: { ...kinesisLatency, slow: now('kinesisLatency', kinesisLatency.slow) },
    }),
    ...(region.puts && {
      puts: { window: windowAfter(region.puts.window, { puts, rounds }, policy), atMs: lastAtMs },
    }),
  };
}

function windowAfter(
  before: PutWindow,
  { puts, rounds }: { readonly puts: readonly number[]; readonly rounds: number },
  policy: Policy,
): PutWindow {
  let window = before;
  for (const counted of puts.slice(0, rounds)) window = addRound(window, { failed: 0, counted });
  return afterQuietRounds(window, Math.max(0, rounds - puts.length), policy.putsPerRound);
}

export interface GainBefore {
  readonly gain: GainEvidence;
  readonly primary: RegionEvidence;
  readonly standby: RegionEvidence;
}

/** The tests of gain. None of them is alarmed. */
export function quietGain(
  { gain, primary, standby }: GainBefore,
  { ticks, rounds, lastAtMs }: Skipped,
  policy: Policy,
): GainEvidence {
  const { puts } = fall(primary, rounds, policy);
  const putsOf = (round: number): number => puts[round] ?? policy.putsPerRound;
  const scores = fallenGain({ gain, standby }, { ticks, rounds, putsOf }, policy);
  const after: { -readonly [View in PutView]?: ViewEvidence } = {};
  for (const view of putViews) {
    const before = gain[view];
    if (before === undefined) continue;
    const last = lastRoundWith(view, { ticks, rounds, putsOf }, policy);
    const atMs = last === undefined ? undefined : lastAtMs - (rounds - 1 - last) * policy.tickMs;
    const [score = 0, ...without] = scores[view] ?? [before.test.score, ...before.without];
    const times = atMs === undefined ? {} : { okAtMs: atMs, sampledAtMs: atMs };
    after[view] = { test: { ...before.test, ...times, score }, without };
  }
  return after;
}

interface Rounds {
  readonly ticks: number;
  readonly rounds: number;
  readonly putsOf: (round: number) => number;
}

/** Of each view its score, and those without one shard, after rounds in which they fell. */
function fallenGain(
  { gain, standby }: Pick<GainBefore, 'gain' | 'standby'>,
  { ticks, rounds, putsOf }: Rounds,
  policy: Policy,
): Partial<Record<PutView, number[]>> {
  const scores: Partial<Record<PutView, number[]>> = {};
  for (const view of putViews) {
    const seen = gain[view];
    if (seen !== undefined) scores[view] = [seen.test.score, ...seen.without];
  }
  const remembers = (): boolean => Object.values(scores).some((list) => list.some((score) => score > 0));
  const { puts } = fall(standby, rounds, policy);
  for (let round = 0; round < rounds && remembers(); round++) {
    const window = windowAfter(standby.puts?.window ?? '', { puts, rounds: round + 1 }, policy);
    const weight = gainModel({ window, atMs: 0 }, policy)?.successWeight ?? 0;
    for (const { operation, shard } of putPlaces(ticks + round, policy).slice(0, putsOf(round))) {
      for (const view of ['all', operation] as const) {
        const list = scores[view];
        for (let n = 0; list !== undefined && n < list.length; n++) {
          if (n - 1 !== shard) list[n] = Math.max(0, (list[n] ?? 0) - weight);
        }
      }
    }
  }
  return scores;
}

/** The last of the skipped rounds that had a put of this view; undefined if none had. */
function lastRoundWith(view: PutView, { ticks, rounds, putsOf }: Rounds, policy: Policy): number | undefined {
  for (let round = rounds - 1; round >= 0; round--) {
    const places = putPlaces(ticks + round, policy).slice(0, putsOf(round));
    if (view === 'all' || places.some(({ operation }) => operation === view)) return round;
  }
  return undefined;
}
