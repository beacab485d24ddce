import type { Policy } from './policy.ts';

/**
 * Share of a tick: the most that one pause is lengthened, and how far behind its phase a round may be without
 * a longer pause.
 */
const DRIFT = 0.1;

export interface NextRound {
  /** When the next round is due, by the wall clock. */
  readonly atMs: number;
  /** Of the observer: the part of a tick, from 0 to below 1, after which its rounds begin. */
  readonly phase: number;
}

/**
 * Milliseconds by which the pause before the next round is longer, so that rounds come back to the observer's
 * own phase of the wall clock. Each observer has a phase of its own. Otherwise a slow minute would leave all
 * observers in step, since whoever is first is slowed by the others; from then on they would probe the same
 * shards at the same instant, which takes five reads a second ("Quotas and limits", Kinesis Data Streams
 * Developer Guide), and look at the region at a third of the times that they could. The correction never
 * brings rounds closer together than a tick, and moves them at most a tenth of a tick further apart.
 */
export function phaseDriftMs({ atMs, phase }: NextRound, { tickMs }: Pick<Policy, 'tickMs'>): number {
  const toleranceMs = tickMs * DRIFT;
  const behindMs = (((atMs - phase * tickMs) % tickMs) + tickMs) % tickMs;
  return behindMs <= toleranceMs ? 0 : Math.round(Math.min(tickMs - behindMs, toleranceMs));
}

/** Phases of so many observers, spread evenly over a tick. */
export const phaseOf = (index: number, observers: number): number => index / observers;
