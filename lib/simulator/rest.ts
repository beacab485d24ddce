import type { Memory } from '../../lambda/core/memory.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { BaselineFailures } from './baseline.ts';
import { isIdle, roundsToForget } from './idle.ts';
import { type ObserverNode, RUN_PERIOD_MS } from './observer-node.ts';
import { firstSlowSlot } from './probing.ts';

export interface QuietQuestion {
  readonly node: ObserverNode;
  readonly memory: Memory;
  /** When its next round is due. */
  readonly nextMs: number;
  readonly policy: Policy;
  readonly nowMs: number;
  readonly clockMs: number;
}

/** A round's own length is known only roughly once something is slow: that much earlier it is looked at again. */
const SLACK_MS = 100;
const NONE = Number.POSITIVE_INFINITY;

/** How many of the coming rounds of an idle observer cannot matter. 0: it is not idle. Infinite: nothing ever comes. */
export function quietRounds(question: QuietQuestion): number {
  const { node, memory, nextMs, policy, nowMs, clockMs } = question;
  if (!isIdle(memory, policy, clockMs)) return 0;
  const busyMs = node.quietMs + SLACK_MS;
  // A run that takes over in the middle of a round ends it, and its own first round sets another beat.
  const seamMs = (((node.options.startMs - nextMs) % policy.tickMs) + policy.tickMs) % policy.tickMs;
  if (seamMs !== 0 && seamMs <= busyMs) return 0;
  const untilMs = Math.min(
    troubleMs(node, nowMs),
    RUN_PERIOD_MS % policy.tickMs === 0 ? NONE : nextRunMs(node, nowMs),
  );
  const byTrouble = Math.max(0, Math.ceil((untilMs - busyMs - nextMs) / policy.tickMs));
  return Math.min(byTrouble, quietByBaseline(question, byTrouble));
}

function nextRunMs(node: ObserverNode, nowMs: number): number {
  const { startMs } = node.options;
  return startMs + (Math.floor((nowMs - startMs) / RUN_PERIOD_MS) + 1) * RUN_PERIOD_MS;
}

/** When the next fault, absence, clock step or late run may touch this observer. */
function troubleMs(node: ObserverNode, nowMs: number): number {
  let earliest = NONE;
  for (const { faults, noise } of node.known) {
    earliest = Math.min(earliest, noise.nextMs(nowMs));
    for (const { atMs, untilMs } of faults)
      if (untilMs > nowMs) earliest = Math.min(earliest, Math.max(atMs, nowMs));
  }
  const { absences, clockSteps, lateRuns } = node.options.trouble;
  for (const { fromMs, untilMs } of absences)
    if (untilMs > nowMs) earliest = Math.min(earliest, Math.max(fromMs, nowMs));
  earliest = Math.min(earliest, clockSteps.find(({ atMs }) => atMs > nowMs)?.atMs ?? NONE);
  return Math.min(earliest, nextLateRunMs(node, lateRuns, nowMs));
}

function nextLateRunMs(node: ObserverNode, lateRuns: ReadonlyMap<number, number>, nowMs: number): number {
  // In order, as they were drawn.
  for (const n of lateRuns.keys()) {
    const dueMs = node.options.startMs + n * RUN_PERIOD_MS;
    if (node.runStartsMs(n) > nowMs) return dueMs;
  }
  return NONE;
}

interface Failing {
  readonly round: number;
  /** Rounds until it is forgotten, if it stays alone. */
  readonly forgottenAfter: number | undefined;
}

/** Rounds until baseline failures that may matter: two that are near each other. Lone ones leave no trace. */
function quietByBaseline({ node, memory, policy, nextMs }: QuietQuestion, limit: number): number {
  const { primary, standby } = node.options.baseline;
  const from = node.nextRound;
  const queues = [
    comingFailures(primary, { from, memory, policy }),
    comingFailures(standby, { from, memory, policy }),
  ];
  const next = (): Failing => {
    const [a, b] = queues as [FailureQueue, FailureQueue];
    return a.peek().round <= b.peek().round ? a.pop() : b.pop();
  };
  let current = next();
  for (;;) {
    const quiet = current.round - from;
    if (quiet >= limit) return limit;
    const following = next();
    const forgotten = current.forgottenAfter === undefined ? NONE : current.round + current.forgottenAfter;
    if (following.round <= forgotten || forgotten - from >= limit) return quiet;
    // It may have been a time-out: its round must end before the next is due, and before a run takes over.
    if (policy.probeTimeoutMs + node.quietMs + SLACK_MS >= policy.tickMs) return quiet;
    if (seamNear({ node, policy, startMs: nextMs + quiet * policy.tickMs })) return quiet;
    current = following;
  }
}

/** Whether a run takes over while a round that began here may still wait for its time-outs. */
function seamNear({
  node,
  policy,
  startMs,
}: {
  readonly node: ObserverNode;
  readonly policy: Policy;
  readonly startMs: number;
}): boolean {
  const sinceMs = (((startMs - node.options.startMs) % RUN_PERIOD_MS) + RUN_PERIOD_MS) % RUN_PERIOD_MS;
  return RUN_PERIOD_MS - sinceMs <= policy.probeTimeoutMs + node.quietMs + SLACK_MS;
}

interface FailureQueue {
  readonly peek: () => Failing;
  readonly pop: () => Failing;
}

function comingFailures(
  failures: BaselineFailures,
  { from, memory, policy }: { readonly from: number; readonly memory: Memory; readonly policy: Policy },
): FailureQueue {
  let n = 0;
  const slowDue = (round: number): boolean =>
    (memory.ticks + round - from) % policy.slowProbeEveryTicks === 0;
  const seek = (): Failing => {
    for (;;) {
      const position = failures.peek(n);
      if (position === NONE) return { round: NONE, forgottenAfter: undefined };
      const round = Math.floor(position / failures.slots);
      const slot = position % failures.slots;
      const slow = slot >= firstSlowSlot(policy);
      // A slow probe that is not due is not made, so it does not fail.
      if (round >= from && (!slow || slowDue(round)))
        return { round, forgottenAfter: forgottenAfter(slot, policy) };
      n++;
    }
  };
  return {
    peek: seek,
    pop: () => {
      const found = seek();
      n++;
      return found;
    },
  };
}

function forgottenAfter(slot: number, policy: Policy): number | undefined {
  if (slot < policy.putsPerRound) return roundsToForget('kinesisWrite', policy);
  if (slot < policy.putsPerRound + 2) return roundsToForget('kinesisRead', policy);
  // Reachability: a failure beside answers is none. One round, for its length.
  if (slot < firstSlowSlot(policy)) return 1;
  return roundsToForget('cloudWatch', policy);
}
