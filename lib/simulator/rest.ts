import type { Memory } from '../../lambda/core/memory.ts';
import { signalNames } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { maxPuts } from '../../lambda/core/put-plan.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { BaselineFailures } from './baseline.ts';
import { isIdle, roundsToCalm, roundsToForget } from './idle.ts';
import { streamsAreIdle } from './idle-streams.ts';
import { RUN_PERIOD_MS } from './observer-times.ts';
import { firstSlowSlot, isFurtherPut, signalOfSlot } from './probing.ts';
import { type Foreseen, type ForesightQuestion, foreseeStreams } from './stream-foresight.ts';
import type { ProbedRound, StreamProbeReport } from './stream-probing.ts';

/** The observer that may rest: an ObserverNode. */
export interface RestingNode {
  /** Longest time that a round takes while nothing is slow. */
  readonly quietMs: number;
  readonly nextRound: number;
  readonly options: {
    readonly times: { readonly startMs: number };
    readonly baseline: Readonly<Record<Role | 'streams', BaselineFailures>>;
  };
  nextTroubleMs(nowMs: number): number;
  /** What a round to come puts into the cells' streams, while this memory rests. */
  foresee(memory: Memory, at: ProbedRound): StreamProbeReport;
}

export interface QuietQuestion {
  readonly node: RestingNode;
  readonly memory: Memory;
  /** When its next round is due. */
  readonly nextMs: number;
  readonly policy: Policy;
  readonly cells: readonly WatchedCell[];
  readonly nowMs: number;
  readonly clockMs: number;
}

/**
 * The length of a round is known only roughly once something is slow, so the observer is looked at again this
 * much earlier.
 */
const SLACK_MS = 100;
const NONE = Number.POSITIVE_INFINITY;

const restless: Foreseen = { rounds: 0, failures: [] };

/**
 * How many of the coming rounds of an idle observer cannot matter, and in which of them a stream does not take a record. 0
 * rounds: it is not idle. Infinite: nothing ever comes.
 */
export function quietRounds(question: QuietQuestion): Foreseen {
  const { node, memory, nextMs, policy, cells, nowMs, clockMs } = question;
  if (!isIdle(memory, policy, clockMs) || !streamsAreIdle(memory.evidence.streams, { cells, ...memory }))
    return restless;
  const busyMs = node.quietMs + SLACK_MS;
  // A run that takes over in the middle of a round ends it, and its own first round sets another beat.
  const seamMs = (((node.options.times.startMs - nextMs) % policy.tickMs) + policy.tickMs) % policy.tickMs;
  if (seamMs !== 0 && seamMs <= busyMs) return restless;
  const untilMs = Math.min(
    node.nextTroubleMs(nowMs),
    recoveredMs(question),
    RUN_PERIOD_MS % policy.tickMs === 0 ? NONE : nextRunMs(node, nowMs),
  );
  const byTrouble = Math.max(0, Math.ceil((untilMs - busyMs - nextMs) / policy.tickMs));
  if (byTrouble === 0) return restless;
  const byCanary = quietByBaseline(question, byTrouble);
  const byStreams = foreseeStreams(streamsQuestion(question), byCanary);
  if (byStreams.rounds === byCanary) return byStreams;
  // A failure of the canary that is not forgotten by then has to be computed, too.
  const rounds = byStreams.rounds === 0 ? 0 : quietByBaseline(question, byStreams.rounds);
  return { rounds, failures: byStreams.failures.filter(({ after }) => after < rounds) };
}

function streamsQuestion(question: QuietQuestion): ForesightQuestion {
  const { node, memory, nextMs, policy, cells, nowMs, clockMs } = question;
  const startMs = (after: number): number => nextMs + after * policy.tickMs;
  return {
    streams: memory.evidence.streams,
    cells,
    policy,
    baseline: node.options.baseline.streams,
    nextRound: node.nextRound,
    firstAtMs: nextMs + clockMs - nowMs,
    probe: (after) =>
      node.foresee(memory, {
        atMs: startMs(after),
        round: node.nextRound + after,
      }),
    endsInTime: (after) => endsInTime(question, startMs(after)),
  };
}

/** Whether a round that may wait for a time-out has ended before the next is due, and before a run takes over. */
const endsInTime = ({ node, policy }: Pick<QuietQuestion, 'node' | 'policy'>, startMs: number): boolean =>
  policy.probeTimeoutMs + node.quietMs + SLACK_MS < policy.tickMs && !seamNear(node, startMs, policy);

function nextRunMs({ options }: RestingNode, nowMs: number): number {
  const { startMs } = options.times;
  return startMs + (Math.floor((nowMs - startMs) / RUN_PERIOD_MS) + 1) * RUN_PERIOD_MS;
}

/** When the diagnosis turns from Recovering to Healthy. */
function recoveredMs({ memory: { decision }, policy, nowMs, clockMs }: QuietQuestion): number {
  if (decision.impairedAtMs === null) return NONE;
  const leftMs = decision.impairedAtMs + policy.recoveryMs - clockMs;
  return leftMs <= 0 ? NONE : nowMs + leftMs;
}

interface Failing {
  readonly round: number;
  /** Of which signal of which role. */
  readonly key: string;
  /** Rounds until it is forgotten, if it stays alone. */
  readonly forgottenAfter: number;
}

/** Rounds until baseline failures that may matter: two of a signal that are near each other. Lone ones leave no trace. */
function quietByBaseline(question: QuietQuestion, limit: number): number {
  const { node } = question;
  const from = node.nextRound;
  const calmFrom = calmRounds(question);
  const coming = new ComingFailures(question, calmFrom);
  const lone: Failing[] = [];
  let until = from + limit;
  for (let n = 0; ; n++) {
    const current = coming.at(n);
    if (current.round >= until) break;
    if (mayMatter(question, { current, n, coming, calmFrom })) {
      until = current.round;
      break;
    }
    lone.push(current);
  }
  // What is not forgotten by then must be in the memory: begin with it, and with what is not forgotten when it comes.
  for (const { round, forgottenAfter } of lone.toReversed())
    if (round + forgottenAfter >= until) until = round;
  return until - from;
}

interface Candidate {
  readonly current: Failing;
  readonly n: number;
  readonly coming: ComingFailures;
  readonly calmFrom: ReadonlyMap<string, number>;
}

function mayMatter(
  { node, policy, nextMs }: QuietQuestion,
  { current, n, coming, calmFrom }: Candidate,
): boolean {
  const { round, key, forgottenAfter } = current;
  if (!Number.isFinite(forgottenAfter) || round <= (calmFrom.get(key) ?? -1)) return true;
  // It may have been a time-out.
  if (!endsInTime({ node, policy }, nextMs + (round - node.nextRound) * policy.tickMs)) return true;
  for (let m = n + 1; ; m++) {
    const other = coming.at(m);
    if (other.round > round + forgottenAfter) return false;
    // Two in one round may be two time-outs, whatever they are of.
    if (other.key === key || other.round === round) return true;
  }
}

/** Whether a run takes over while a round that began here may still wait for a time-out. */
function seamNear(node: RestingNode, startMs: number, policy: Policy): boolean {
  const sinceMs = (((startMs - node.options.times.startMs) % RUN_PERIOD_MS) + RUN_PERIOD_MS) % RUN_PERIOD_MS;
  return RUN_PERIOD_MS - sinceMs <= policy.probeTimeoutMs + node.quietMs + SLACK_MS;
}

/** For signals whose score is not zero yet: the round from which on it is. */
function calmRounds({ node, memory, policy }: QuietQuestion): ReadonlyMap<string, number> {
  const calm = new Map<string, number>();
  for (const role of ['primary', 'standby'] as const) {
    for (const name of signalNames) {
      const rounds = roundsToCalm(memory.evidence[role], name, policy);
      if (rounds === 0) continue;
      const key = `${role} ${name === 'kinesisErrors' ? 'kinesisWrite' : name}`;
      calm.set(key, Math.max(calm.get(key) ?? 0, node.nextRound + rounds));
    }
  }
  return calm;
}

/** The baseline failures of one observer from its next round on, of both roles, in order. */
class ComingFailures {
  readonly #question: QuietQuestion;
  readonly #found: Failing[] = [];
  readonly #next = { primary: 0, standby: 0 };
  /** Until this round further puts may be made: a put that failed is not forgotten before. */
  readonly #looksHarderUntil: Record<Role, number>;
  readonly #forgetsPuts: number;

  constructor(question: QuietQuestion, calmFrom: ReadonlyMap<string, number>) {
    this.#question = question;
    this.#looksHarderUntil = {
      primary: calmFrom.get('primary kinesisWrite') ?? -1,
      standby: calmFrom.get('standby kinesisWrite') ?? -1,
    };
    this.#forgetsPuts = roundsToForget('kinesisWrite', question.policy) ?? NONE;
  }

  at(n: number): Failing {
    while (this.#found.length <= n) this.#found.push(this.#draw());
    return this.#found[n] ?? { round: NONE, key: '', forgottenAfter: NONE };
  }

  #draw(): Failing {
    const primary = this.#seek('primary');
    const standby = this.#seek('standby');
    const first = primary.round <= standby.round ? primary : standby;
    this.#next[first === primary ? 'primary' : 'standby']++;
    return first;
  }

  #seek(role: Role): Failing {
    const { node, memory, policy } = this.#question;
    const failures: BaselineFailures = node.options.baseline[role];
    for (;;) {
      const position = failures.peek(this.#next[role]);
      if (position === NONE) return { round: NONE, key: role, forgottenAfter: NONE };
      const round = Math.floor(position / failures.slots);
      const slot = position % failures.slots;
      const slow = slot >= firstSlowSlot(policy);
      const due = isFurtherPut(slot, policy)
        ? round <= this.#looksHarderUntil[role]
        : !slow || (memory.ticks + round - node.nextRound) % policy.slowProbeEveryTicks === 0;
      // A probe that is not due is not made, so it does not fail.
      if (round >= node.nextRound && due) {
        if (slot < maxPuts(policy)) this.#looksHarderUntil[role] = round + this.#forgetsPuts;
        return this.#failing(role, round, slot);
      }
      this.#next[role]++;
    }
  }

  #failing(role: Role, round: number, slot: number): Failing {
    const { policy } = this.#question;
    const name = signalOfSlot(slot, policy);
    // Reachability: one failure beside answers is none. One round, for its length.
    const forgottenAfter = name === 'reachability' ? 1 : (roundsToForget(name, policy) ?? NONE);
    return { round, key: `${role} ${name}`, forgottenAfter };
  }
}
