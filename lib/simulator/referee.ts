import type { GroupMove } from '../../lambda/core/cell-quorum.ts';
import type { StreamOutcomes } from '../../lambda/core/stream-evidence.ts';
import { observerRegions } from '../config/config.ts';
import type { Fault } from '../scenario/schema.ts';
import { hasUnseenVote, invariants } from './invariants.ts';
import {
  type Facts,
  newObserverFacts,
  noteRound,
  noteStored,
  type ObserverFacts,
  type Step,
} from './ledger.ts';
import type { ObserverNode, RoundSeen, StoredVote } from './observer-node.ts';
import { cellsMoved, type Place } from './places.ts';
import type { SimulatedSystem } from './system.ts';
import type { Violation } from './types.ts';

export interface RefereeOptions {
  readonly system: SimulatedSystem;
  readonly conductor: 'alive' | 'dead';
  readonly liar: string | undefined;
  readonly faults: readonly Fault[];
  /** How many lies the scenario has. */
  readonly lies: number;
  readonly hasNoise: boolean;
  readonly epochMs: number;
  readonly nowMs: () => number;
  /** What only the world can tell at this moment. */
  readonly world: () => Pick<
    Facts,
    'places' | 'allLatched' | 'switchOf' | 'producersOf' | 'voteDarkSince' | 'switchDarkSince'
  >;
  readonly onViolation: (violation: Violation) => void;
}

const MAX_VIOLATIONS = 20;

/** Keeps the ledger, and checks every invariant after every step that may break one. */
export class Referee {
  readonly violations: Violation[] = [];
  readonly #options: RefereeOptions;
  readonly #observers: readonly ObserverFacts[];
  readonly #oneSided: boolean;
  /** Where DNS was when each observer began its round. */
  readonly #regionRead: Place[] = [];
  readonly #flips = new Map<string, number>();
  #excused = false;

  constructor(options: RefereeOptions) {
    this.#options = options;
    const regions = observerRegions(options.system.regions);
    this.#observers = regions.map(newObserverFacts);
    const { hasNoise, liar, lies, faults } = options;
    this.#oneSided = !hasNoise && liar === undefined && lies === 0 && isOneSided(faults, regions);
  }

  /** Votes that live now, as stored: a liar's does not count. */
  get liveVotes(): number {
    const nowMs = this.#options.nowMs();
    return this.#observers.filter(({ standing, liveUntilMs }) => standing && liveUntilMs > nowMs).length;
  }

  roundBegins(index: number, region: Place): void {
    this.#regionRead[index] = region;
  }

  roundEnds(seen: RoundSeen): void {
    const { index, times } = seen.node.options;
    const facts = this.#observers[index];
    if (facts === undefined) return;
    const { system, nowMs, world } = this.#options;
    const atMs = nowMs();
    const inStandby = world().places.region === 'standby';
    const cast = noteRound(seen, { facts, system, atMs, inStandby, offsetMs: times.offsetAt(atMs) });
    if (cast !== undefined) this.#check(cast);
  }

  roundsSkipped(index: number, lastMs: number): void {
    const facts = this.#observers[index];
    if (facts === undefined) return;
    facts.standbyWroteMs = lastMs;
    facts.standbyReadMs = lastMs;
  }

  /** Records for the cells' streams, of a round that was skipped. */
  streamsProbed(index: number, probed: readonly StreamOutcomes[], atMs: number): void {
    this.#observers[index]?.streams.note(probed, atMs);
  }

  voteStored(node: ObserverNode, before: StoredVote | undefined): void {
    const { index } = node.options;
    const facts = this.#observers[index];
    if (facts === undefined) return;
    const { system, epochMs, nowMs } = this.#options;
    const ended = noteStored(node, before, {
      facts,
      atMs: nowMs(),
      epochMs,
      voteTtlMs: system.policy.voteTtlMs,
      regionRead: this.#regionRead[index] ?? 'primary',
    });
    if (ended !== undefined) this.#check(ended);
  }

  dnsChanges(step: Omit<Extract<Step, { readonly kind: 'dns' }>, 'kind'>): void {
    const { from, to } = step;
    const moved = cellsMoved(from, to);
    for (const cell of moved) this.#flips.set(cell, this.#flipsOf(cell) + 1);
    if (moved.length > 0 || from.region !== to.region) this.#excused ||= hasUnseenVote(this.#facts());
    this.#check({ kind: 'dns', ...step });
  }

  cellMoves(move: GroupMove): void {
    this.#check({ kind: 'cell', move });
  }

  readonly #flipsOf = (cell: string): number => this.#flips.get(cell) ?? 0;

  #facts(): Facts {
    const { system, conductor, liar, nowMs, world } = this.#options;
    return {
      ...world(),
      system,
      conductor,
      liar,
      oneSided: this.#oneSided,
      observers: this.#observers,
      atMs: nowMs(),
      flipsOf: this.#flipsOf,
      excused: this.#excused,
    };
  }

  #check(step: Step): void {
    const facts = this.#facts();
    for (const invariant of invariants) {
      const detail = invariant.check(step, facts);
      if (detail === undefined) continue;
      const violation = { atMs: facts.atMs, invariant: invariant.name, detail };
      this.#options.onViolation(violation);
      if (this.violations.length < MAX_VIOLATIONS) this.violations.push(violation);
    }
  }
}

/** Every fault is seen by one and the same observer alone. */
function isOneSided(faults: readonly Fault[], observers: readonly string[]): boolean {
  const seers = new Set(faults.flatMap(({ seenFrom }) => seenFrom ?? ['*']));
  const [only] = seers;
  return seers.size === 1 && only !== undefined && observers.includes(only);
}
