import { accusingKinds } from '../../lambda/core/cell-findings.ts';
import type { CellAccuser, GroupMove } from '../../lambda/core/cell-quorum.ts';
import { attemptDue } from '../../lambda/core/conductor.ts';
import { voteOf } from '../../lambda/core/lifecycle.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { Calls, KnownCall } from './calls.ts';
import { type Agenda, ranks } from './events.ts';
import type { ObserverNode, RoundSeen, StoredVote } from './observer-node.ts';
import { between, Dice, hash, seedFor } from './random.ts';
import type { SimulatedCore } from './types.ts';

export interface ConductorOptions {
  readonly standby: string;
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly seed: number;
  readonly core: Pick<SimulatedCore, 'groupsToMove'>;
  readonly votesToEvacuate: number;
  readonly cells: readonly WatchedCell[];
  readonly nodes: readonly ObserverNode[];
  readonly isLatched: (group: string) => boolean;
  /** Sets the switches of all cells to hold. */
  readonly latchAll: () => void;
  readonly latch: (group: string) => void;
  /** It begins to move cells by their switch. */
  readonly onCellMove: (move: GroupMove) => void;
}

/** From the start of the workflow to its first write. */
const FIRST_STEP_MS = { from: 2_000, to: 8_000 } as const;
/** The workflow tries a failed step again, with a limit. */
const RETRY_MS = 5_000;
const MAX_TRIES = 60;

/**
 * Latches after a move, and never releases. The observer in the standby starts it when DNS is there and its
 * own vote says so; the execution's name is the epoch, so that a second start has no effect. The same observer reads
 * what the others say about single cells, and starts it for those that a quorum accuses.
 */
export class Conductor {
  readonly #options: ConductorOptions;
  readonly #write: KnownCall;
  readonly #reads: ReadonlyMap<string, KnownCall>;
  readonly #dice = new Dice();
  readonly #seed: number;
  #begunEpoch = 0;
  /** Moves of cells that have begun, by group and time of the accusation. */
  readonly #begun = new Set<string>();

  constructor(options: ConductorOptions) {
    this.#options = options;
    const { calls, standby, nodes } = options;
    this.#seed = seedFor(options.seed, 'conductor');
    const table = (region: string, operation: string): KnownCall =>
      calls.know({ source: standby, region, service: 'dynamodb', operation });
    this.#write = table(standby, 'PutItem');
    this.#reads = new Map(nodes.map(({ region }) => [region, table(region, 'GetItem')]));
  }

  observe(seen: RoundSeen): void {
    this.#moveCells(seen);
    const { readings, result } = seen;
    const { epoch, phase } = result.decision.state;
    if (readings.quorum !== 'standby' || voteOf(phase) !== 'EVACUATE' || epoch <= this.#begunEpoch) return;
    this.#begunEpoch = epoch;
    this.#later(this.#dice.at(this.#seed, epoch).next(), this.#options.latchAll);
  }

  #later(share: number, latch: () => void): void {
    const { agenda } = this.#options;
    const delayMs = between(share, FIRST_STEP_MS.from, FIRST_STEP_MS.to);
    agenda.at(agenda.nowMs + delayMs, { rank: ranks.conductor, run: () => this.#try(latch, 1) });
  }

  #try(latch: () => void, attempt: number): void {
    const { agenda, calls } = this.#options;
    this.#dice.at(this.#seed, 0, agenda.nowMs);
    if (calls.fate(this.#write, agenda.nowMs, this.#dice.next).failure === undefined) latch();
    else if (attempt < MAX_TRIES)
      agenda.at(agenda.nowMs + RETRY_MS, { rank: ranks.conductor, run: () => this.#try(latch, attempt + 1) });
  }

  #moveCells(seen: RoundSeen): void {
    // Once the votes have moved DNS, every cell has moved with it.
    if (seen.readings.quorum === 'standby') return;
    const { core, cells, votesToEvacuate, isLatched, latch, onCellMove } = this.#options;
    const accusers = this.#accusers(seen);
    if (accusers.length === 0) return;
    for (const move of core.groupsToMove({ accusers, cells, votesToEvacuate })) {
      const { group, sinceMs } = move;
      const execution = `${group} ${sinceMs} ${attemptDue(sinceMs, seen.readings.nowMs)}`;
      if (isLatched(group) || this.#begun.has(execution)) continue;
      this.#begun.add(execution);
      onCellMove(move);
      this.#later(this.#dice.at(hash(this.#seed, 1), this.#begun.size).next(), () => latch(group));
    }
  }

  /** What the observers say of single cells, as far as the standby can read it; nothing while none accuses any. */
  #accusers({ node, readings, result }: RoundSeen): readonly CellAccuser[] {
    const { nodes, agenda } = this.#options;
    const stored = nodes.filter((other) => other !== node && accuses(other.stored));
    if (stored.length === 0 && !result.cells.some(({ kind }) => accusingKinds.has(kind))) return [];
    const others = stored.flatMap(({ region, stored: item }): readonly CellAccuser[] => {
      this.#dice.at(this.#seed, 2, agenda.nowMs);
      if (item === undefined || !this.#reaches(region)) return [];
      return [{ region, fresh: readings.nowMs < item.expiresAtMs, cells: item.cells }];
    });
    return [{ region: node.region, fresh: true, cells: result.cells }, ...others];
  }

  #reaches(region: string): boolean {
    const { calls, agenda } = this.#options;
    const known = this.#reads.get(region);
    return known !== undefined && calls.fate(known, agenda.nowMs, this.#dice.next).failure === undefined;
  }
}

const accuses = (stored: StoredVote | undefined): boolean =>
  stored?.cells.some(({ kind }) => accusingKinds.has(kind)) === true;
