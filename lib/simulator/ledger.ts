import type { GroupMove } from '../../lambda/core/cell-quorum.ts';
import type { DecisionState } from '../../lambda/core/decide.ts';
import { voteOf } from '../../lambda/core/lifecycle.ts';
import { levelsOf, type RegionLevels } from '../../lambda/core/observation.ts';
import type { RoundReadings } from '../../lambda/core/round.ts';
import type { DnsAnswers } from './dns.ts';
import type { ObserverNode, RoundSeen, StoredVote } from './observer-node.ts';
import type { Place, Places } from './places.ts';
import type { SwitchState } from './state-table.ts';
import { countOf, type PutCount, StreamLedger } from './stream-ledger.ts';
import type { SimulatedSystem } from './system.ts';

// What the invariants look at: what truly happened, kept beside the world and not asked of the code under test.

export interface ObserverFacts {
  readonly region: string;
  /** Its marked records in the cells' own streams. */
  readonly streams: StreamLedger;
  /** Since when it has had, or had, its last live EVACUATE vote without a break. */
  liveFromMs: number;
  /** True time until which its last EVACUATE vote lives, or lived; never: -Infinity. */
  liveUntilMs: number;
  /** DNS was in the standby while its vote stood. */
  movedUnderVote: boolean;
  /** When its last vote ended under which DNS had moved, and its clock's offset then. */
  endedMs: number;
  endedOffsetMs: number;
  /** Of the last rounds that were computed, its puts to the primary; oldest first. */
  readonly primaryPuts: PutCount[];
  standbyWroteMs: number;
  standbyReadMs: number;
  /** The last vote it stored is EVACUATE. */
  standing: boolean;
  /** A vote of it has lapsed before it was renewed: it was away, or could not store, or its clock was wrong. */
  lapsed: boolean;
}

/** A minute of rounds. */
const ROUNDS_COUNTED = 12;

/** What just happened, as far as an invariant cares. */
export type Step =
  | {
      readonly kind: 'cast';
      readonly observer: ObserverFacts;
      readonly before: DecisionState;
      readonly after: DecisionState;
      readonly readings: RoundReadings;
      readonly standby: RegionLevels;
      readonly offsetMs: number;
    }
  /** A vote that was still live was replaced by HOLD. `regionRead` is where DNS was when the round that did it began. */
  | { readonly kind: 'ended'; readonly observer: ObserverFacts; readonly regionRead: Place }
  /** The conductor begins to move cells by their switch. */
  | { readonly kind: 'cell'; readonly move: GroupMove }
  | { readonly kind: 'dns'; readonly from: Places; readonly to: Places; readonly answers: DnsAnswers };

/** What the producers of a cell truly saw of late, and how many of them did not say so. */
export interface ProducerFacts {
  /** For how long more than the minimum gain of the puts to the primary failed by the region's fault. */
  readonly failingMs: number;
  /** Largest share of liars. */
  readonly liarShare: number;
}

export interface Facts {
  readonly system: SimulatedSystem;
  readonly conductor: 'alive' | 'dead';
  readonly liar: string | undefined;
  /** Every fault is seen by one and the same observer alone, and there is no noise. */
  readonly oneSided: boolean;
  readonly observers: readonly ObserverFacts[];
  readonly atMs: number;
  readonly places: Places;
  /** Every switch holds. */
  readonly allLatched: boolean;
  /** The switch that holds this cell. */
  readonly switchOf: (cell: string) => SwitchState;
  /** Changes of the signal of a cell. */
  readonly flipsOf: (cell: string) => number;
  readonly producersOf: (cell: string) => ProducerFacts;
  /** A vote has lapsed, or was not to be seen when DNS changed. */
  readonly excused: boolean;
  /** Share of the checkers' requests since then that did not see a vote, or a switch, that was there. */
  readonly voteDarkSince: (region: string, atMs: number) => number;
  readonly switchDarkSince: (cell: string, atMs: number) => number;
}

const NEVER = Number.NEGATIVE_INFINITY;

export const newObserverFacts = (region: string): ObserverFacts => ({
  region,
  streams: new StreamLedger(),
  liveFromMs: NEVER,
  liveUntilMs: NEVER,
  movedUnderVote: false,
  endedMs: NEVER,
  endedOffsetMs: 0,
  primaryPuts: [],
  standbyWroteMs: NEVER,
  standbyReadMs: NEVER,
  standing: false,
  lapsed: false,
});

export interface RoundContext {
  readonly facts: ObserverFacts;
  readonly system: SimulatedSystem;
  readonly atMs: number;
  readonly inStandby: boolean;
  readonly offsetMs: number;
}

/** Takes in a round; returns the cast, if it was one. */
export function noteRound({ before, readings, result }: RoundSeen, context: RoundContext): Step | undefined {
  const { facts, system, atMs, offsetMs } = context;
  if (facts.primaryPuts.length >= ROUNDS_COUNTED) facts.primaryPuts.shift();
  facts.primaryPuts.push(countOf(readings.primary.kinesisWrite ?? []));
  if (readings.streams !== undefined) facts.streams.note(readings.streams.probed, atMs);
  if (readings.standby.kinesisWrite?.some(({ ok }) => ok)) facts.standbyWroteMs = atMs;
  if (readings.standby.kinesisRead?.some(({ ok }) => ok)) facts.standbyReadMs = atMs;
  const wasVote = voteOf(before.decision.phase);
  const isVote = voteOf(result.memory.decision.phase);
  if (wasVote === 'EVACUATE') {
    if (context.inStandby) facts.movedUnderVote = true;
    if (isVote === 'HOLD') {
      if (facts.movedUnderVote) {
        facts.endedMs = atMs;
        facts.endedOffsetMs = offsetMs;
      }
      facts.movedUnderVote = false;
    }
    return undefined;
  }
  if (isVote === 'HOLD') return undefined;
  return {
    kind: 'cast',
    observer: facts,
    before: before.decision,
    after: result.memory.decision,
    readings,
    standby: levelsOf(result.memory.evidence.standby, system.policy, readings.nowMs),
    offsetMs,
  };
}

export interface StoredContext {
  readonly facts: ObserverFacts;
  readonly atMs: number;
  readonly epochMs: number;
  readonly voteTtlMs: number;
  readonly regionRead: Place;
}

/** How far the endpoint's clock may be behind: as in lambda/core/vote.ts. */
const CLOCK_TOLERANCE_MS = 5_000;

/** Takes in a stored vote; returns its end, if a live one ended. */
export function noteStored(
  node: ObserverNode,
  before: StoredVote | undefined,
  context: StoredContext,
): Step | undefined {
  const { facts, atMs, epochMs, voteTtlMs } = context;
  const { stored } = node;
  if (stored === undefined) return undefined;
  const wasLive = atMs < facts.liveUntilMs;
  if (before?.vote === 'EVACUATE' && !wasLive) facts.lapsed = true;
  facts.standing = stored.vote === 'EVACUATE';
  if (facts.standing) {
    if (!wasLive) facts.liveFromMs = atMs;
    const fromFuture = stored.decidedAtMs > epochMs + atMs + CLOCK_TOLERANCE_MS;
    facts.liveUntilMs = fromFuture
      ? Math.min(facts.liveUntilMs, atMs)
      : Math.min(stored.expiresAtMs - epochMs, atMs + voteTtlMs + CLOCK_TOLERANCE_MS);
    if (facts.liveUntilMs <= atMs) facts.lapsed = true;
    return undefined;
  }
  facts.liveUntilMs = Math.min(facts.liveUntilMs, atMs);
  return before?.vote === 'EVACUATE' && wasLive
    ? { kind: 'ended', observer: facts, regionRead: context.regionRead }
    : undefined;
}
