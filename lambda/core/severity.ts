import {
  addSample,
  changesNothing,
  type EvidenceModel,
  levelOf,
  modelTimes,
  type SignalEvidence,
} from './evidence.ts';
import type { Policy } from './policy.ts';
import { errorClasses, type ProbeOutcome } from './probe.ts';
import { CANARY_SHARDS, maxPuts, putOperations, putPlaces } from './put-plan.ts';
import {
  addRound,
  afterQuietRounds,
  type FailingShare,
  failingShare,
  type PutWindow,
  putsOf,
  WINDOW_ROUNDS,
} from './put-window.ts';

/**
 * How bad a failure of writes is. The signals' tests say *that* a region fails; these say whether leaving it is
 * worth it: whether the failing fraction of the primary exceeds that of the standby by more than
 * `policy.minimumGain`.
 *
 * The test is Page's CUSUM again (see evidence.ts), between two failing fractions of the primary: one that is
 * better borne than moved away from, and one that is not. Both lie above the failing fraction of the standby,
 * as its last two minutes show it (the upper end of a score interval), by multiples of the minimum gain. The
 * mean time between false alarms of a primary that fails by no more than the bearable fraction is at least
 * `PUTS_PER_FALSE_ALARM` puts (Lorden, as in evidence.ts).
 */
export const BEARABLE_GAINS = 0.6;
export const UNBEARABLE_GAINS = 1.5;
const PUTS_PER_FALSE_ALARM = 200_000;
/**
 * Share of the threshold that the shards other than the worst one must bring by themselves, and the share of what a round
 * may add to the whole that it may add to theirs. Two rounds do not suffice: one sick shard and a blip are not a region.
 */
const AGREEING_SHARE = 0.56;
const OTHERS_SHARE = 0.8;
/** A primary cannot fail more than wholly. Above it, no gain over this standby can be shown. */
const MOST_FAILING = 0.98;
const RECENT_ROUNDS = [2, 3, 6] as const;

/** Puts are judged together and by operation: an operation that fails alone fails for those who use it. */
export const putViews = ['all', ...putOperations] as const;
export type PutView = (typeof putViews)[number];

export interface ViewEvidence {
  readonly test: SignalEvidence;
  /** By shard of the canary: the score of the test without the puts to that shard. */
  readonly without: readonly number[];
}
export type GainEvidence = Readonly<Partial<Record<PutView, ViewEvidence>>>;

/** The puts to one region, lately. */
export interface PutHistory {
  readonly window: PutWindow;
  /** When the last round began. */
  readonly atMs: number;
}

export const counts = (outcome: ProbeOutcome): boolean =>
  outcome.ok || errorClasses[outcome.errorClass].evidence;
const timesOf = ({ blipMs, tickMs }: Policy) => modelTimes({ sustainMs: blipMs, periodMs: tickMs });

export interface PutRound {
  readonly puts: readonly ProbeOutcome[];
  readonly atMs: number;
}

/** Adds the puts of a round. A gap of some rounds begins a new history: what was before it is no longer true. */
export function addPuts(
  previous: PutHistory | undefined,
  { puts, atMs }: PutRound,
  policy: Policy,
  lifeMs = timesOf(policy).staleAfterMs,
): PutHistory {
  const isFresh = previous !== undefined && Math.abs(atMs - previous.atMs) <= lifeMs;
  let [failed, counted] = [0, 0];
  for (const put of puts) {
    if (!counts(put)) continue;
    counted++;
    if (!put.ok) failed++;
  }
  return { window: addRound(isFresh ? previous.window : '', { failed, counted }), atMs };
}

/** Rounds by which the fraction that people are shown is judged: half a minute. */
const SHOWN_ROUNDS = 6;

/** The failing fraction of a region's puts, for people; undefined when none is known. */
export function shownShare(history: PutHistory | undefined): FailingShare | undefined {
  const puts = history === undefined ? undefined : putsOf(history.window, SHOWN_ROUNDS);
  return puts === undefined || puts.counted === 0 ? undefined : failingShare(puts);
}

type Models = Map<PutWindow, EvidenceModel | undefined>;
/** By policy. A healthy standby has one and the same window in every round. */
const derived = new WeakMap<Policy, Models>();
const MOST_DERIVED = 64;
let last:
  | { readonly window: PutWindow; readonly policy: Policy; readonly model: EvidenceModel | undefined }
  | undefined;

/** The test of gain over a standby that fails like this; undefined where no gain can be shown. */
export function gainModel(standby: PutHistory | undefined, policy: Policy): EvidenceModel | undefined {
  const window = standby?.window ?? '';
  if (last?.window === window && last.policy === policy) return last.model;
  const models: Models = derived.get(policy) ?? new Map();
  if (models.size === 0) derived.set(policy, models);
  if (!models.has(window)) {
    if (models.size >= MOST_DERIVED) models.clear();
    models.set(window, derivedModel(window, policy));
  }
  last = { window, policy, model: models.get(window) };
  return last.model;
}

function derivedModel(window: PutWindow, policy: Policy): EvidenceModel | undefined {
  // The last rounds by their plain fraction: a standby that begins to fail is not known for two minutes of success.
  const recent = RECENT_ROUNDS.map((rounds) => {
    const { failed, counted } = putsOf(window, rounds);
    return counted === 0 ? 0 : failed / counted;
  });
  const high = Math.max(failingShare(putsOf(window)).high, ...recent);
  const bearable = high + BEARABLE_GAINS * policy.minimumGain;
  const unbearable = Math.min(MOST_FAILING, high + UNBEARABLE_GAINS * policy.minimumGain);
  if (high + policy.minimumGain > MOST_FAILING) return undefined;
  return {
    failureWeight: Math.log(unbearable / bearable),
    successWeight: Math.log((1 - bearable) / (1 - unbearable)),
    threshold: Math.log(PUTS_PER_FALSE_ALARM),
    ...timesOf(policy),
  };
}

const wellStandbys = new WeakMap<Policy, PutHistory>();
/** The puts to a standby in which nothing fails. */
export function wellStandby(policy: Policy): PutHistory {
  const known = wellStandbys.get(policy);
  if (known !== undefined) return known;
  const made = { window: afterQuietRounds('', WINDOW_ROUNDS, policy.putsPerRound), atMs: 0 };
  wellStandbys.set(policy, made);
  return made;
}

/** Rounds of failures alone that show a large gain over a standby in which nothing fails. */
export function roundsToLargeGain(policy: Policy): number {
  const model = gainModel(wellStandby(policy), policy);
  if (model === undefined) return Number.POSITIVE_INFINITY;
  const byScore = Math.ceil(model.threshold / model.failureWeight / maxPuts(policy));
  return Math.max(byScore, leastRounds(model, policy));
}

export interface GainRound extends PutRound {
  /** Rounds of this observer before this one: with it, each put has its operation and its shard. */
  readonly ticks: number;
  readonly standby: PutHistory | undefined;
}

/** Adds the primary's puts of a round to the tests of gain. */
export function addGain(previous: GainEvidence, round: GainRound, policy: Policy): GainEvidence {
  // Successes of a primary that is well change no score, whatever the standby is like.
  const isWell =
    !round.puts.some((put) => !put.ok && counts(put)) && putViews.every((view) => isCalm(previous[view]));
  const model = gainModel(isWell ? wellStandby(policy) : round.standby, policy);
  // No gain can be shown in this round; what was shown before ages by itself.
  if (model === undefined) return previous;
  const after: { -readonly [View in PutView]?: ViewEvidence } = { ...previous };
  const { puts, atMs, ticks } = round;
  const places = putPlaces(ticks, policy);
  const most = mostOfOneRound(model, policy);
  // Only a failure has a ceiling.
  const ceilings = isWell
    ? noViews
    : new Map(putViews.map((view) => [view, ceilingsOf(previous[view], most)]));
  for (const [n, { operation, shard }] of places.entries()) {
    const put = puts[n];
    if (put === undefined) break;
    if (!counts(put)) continue;
    for (const view of ['all', operation] as const) {
      const ceiling = ceilings.get(view) ?? noCeilings;
      after[view] = addToView(after[view], { failed: !put.ok, atMs, shard, ceilings: ceiling }, model);
    }
  }
  return after;
}

/**
 * No round adds more to a score than this, however many of its puts fail. So a blip of two rounds adds two thirds of
 * what it takes: in a region that fails by 8 % already the rest is not found, in one that fails by 12 % in about one
 * of forty blips.
 */
const mostOfOneRound = (model: EvidenceModel, policy: Policy): number =>
  model.threshold / leastRounds(model, policy) + ROUNDING;
/** Rounds that failures must span. */
const leastRounds = ({ sustainMs }: EvidenceModel, { tickMs }: Policy): number =>
  Math.ceil(sustainMs / tickMs) + 1;
const ROUNDING = 1e-9;
const isCalm = (view: ViewEvidence | undefined): boolean =>
  view === undefined || (!view.test.alarmed && view.test.score === 0 && view.without === noScores);

/** What a round may take the scores of a view to, at most. */
interface Ceilings {
  readonly test: number;
  readonly without: readonly number[];
}

function ceilingsOf(view: ViewEvidence | undefined, most: number): Ceilings {
  const score = view === undefined || view.test.alarmed ? 0 : view.test.score;
  return {
    test: score + most,
    without: (view?.without ?? noScores).map((each) => each + OTHERS_SHARE * most),
  };
}

const noScores: readonly number[] = Array(CANARY_SHARDS).fill(0);
const noCeilings: Ceilings = { test: 0, without: noScores };
const noViews: ReadonlyMap<PutView, Ceilings> = new Map();

function addToView(
  previous: ViewEvidence | undefined,
  sample: {
    readonly failed: boolean;
    readonly atMs: number;
    readonly shard: number;
    readonly ceilings: Ceilings;
  },
  model: EvidenceModel,
): ViewEvidence {
  const { failed, atMs, shard: own, ceilings } = sample;
  if (!failed && previous?.without === noScores && changesNothing(previous.test, atMs)) return previous;
  const { failureWeight, successWeight, threshold } = model;
  const forgets =
    previous === undefined ||
    (!previous.test.alarmed && Math.abs(atMs - previous.test.sampledAtMs) > model.staleAfterMs);
  const before = forgets ? noScores : previous.without;
  const next = (score: number, shard: number): number =>
    failed
      ? Math.max(score, Math.min(threshold, ceilings.without[shard] ?? 0, score + failureWeight))
      : Math.max(0, score - successWeight);
  const test = addSample(previous?.test, { failed, atMs, ceiling: ceilings.test }, model);
  // A region that is well keeps one and the same array.
  if (!failed && before === noScores) return { test, without: noScores };
  const without = before.map((score, shard) => (shard === own ? score : next(score, shard)));
  return { test, without: without.every((score) => score === 0) ? noScores : without };
}

/** Adds a round's puts to one test, in which no place is told from another: of a stream whose shards are not ours. */
export function addRoundToTest(
  previous: SignalEvidence | undefined,
  { puts, atMs }: PutRound,
  { model, policy }: { readonly model: EvidenceModel; readonly policy: Policy },
): SignalEvidence | undefined {
  const isCalmTest = previous === undefined || (!previous.alarmed && previous.score === 0);
  // Successes alone say nothing new to a test in which nothing has failed.
  if (isCalmTest && !puts.some((put) => !put.ok && counts(put))) return previous;
  const score = previous === undefined || previous.alarmed ? 0 : previous.score;
  const ceiling = score + mostOfOneRound(model, policy);
  let test = previous;
  for (const put of puts) {
    if (!counts(put)) continue;
    test = addSample(test, { failed: !put.ok, atMs, ceiling }, model);
  }
  return test;
}

/**
 * What would be gained by leaving the primary. `large`: more than the minimum, shown with confidence by puts to
 * several shards. `one-shard`: shown by the puts to one shard alone, while the others are well. `small`: not
 * shown to be large.
 */
export type Gain = 'large' | 'one-shard' | 'small';

export interface GainQuestion {
  readonly standby: PutHistory | undefined;
  readonly policy: Policy;
  readonly nowMs: number;
}

/** The largest gain that any view of the puts shows. */
export function gainOf(evidence: GainEvidence, { standby, policy, nowMs }: GainQuestion): Gain {
  if (!putViews.some((view) => evidence[view]?.test.alarmed)) return 'small';
  const model = gainModel(standby, policy);
  if (model === undefined) return 'small';
  let gain: Gain = 'small';
  for (const view of putViews) {
    const seen = evidence[view];
    if (seen === undefined || levelOf(seen.test, model, nowMs) !== 'down') continue;
    const agreement = AGREEING_SHARE * model.threshold;
    const least = Math.min(...seen.without);
    if (least >= agreement) return 'large';
    if (least < agreement / 2 && Math.max(...seen.without) >= agreement) gain = 'one-shard';
  }
  return gain;
}
