import { accusingKinds, type CellFinding } from '../../lambda/core/cell-findings.ts';
import { voteOf } from '../../lambda/core/lifecycle.ts';
import { accusesPrimary } from '../../lambda/core/subjects.ts';
import { askedBy, Conclusions } from '../scenario/conclusions.ts';
import type { RoundSeen } from './observer-node.ts';
import { cellsMoved, type Places } from './places.ts';
import type { SimulationResult } from './types.ts';
import type { World, WorldHooks } from './world.ts';

export interface RecorderOptions {
  readonly standby: string;
  readonly votesToEvacuate: number;
  readonly cells: readonly string[];
}

/** Virtual times of a run. */
export interface RecordedSpan {
  readonly firstFaultMs: number;
  readonly endMs: number;
  /** How long faults were active. */
  readonly outageMs: number;
}

/** Records the events of a run that its result needs. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #conclusions = new Conclusions();
  /** By cell, when each of its producers arrived. */
  readonly #arrivedMs = new Map<string, Map<number, number>>();
  readonly #flips = new Map<string, number>();
  #places: Places | undefined;
  decidedMs: number | null = null;
  #pagedMs: number | null = null;
  readonly #accusers = new Set<string>();
  #flippedMs: number | null = null;
  #returnedMs: number | null = null;
  /** Moves of the region, and those of a cell without it. */
  moves = 0;
  cellMoves = 0;
  votesCast = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  hooks(world: () => World): WorldHooks {
    const nowMs = (): number => world().agenda.nowMs;
    return {
      onRound: (seen) => this.#onRound(seen, nowMs()),
      onStored: (node, before) => {
        if (node.stored?.vote !== 'EVACUATE') return;
        if (before?.vote !== 'EVACUATE') this.votesCast++;
        if (world().liveVotes >= this.#options.votesToEvacuate) this.decidedMs ??= nowMs();
      },
      onCellMove: () => {
        this.decidedMs ??= nowMs();
      },
      onDns: (from, to) => this.#onDns(from, to, nowMs()),
      onPut: ({ cell, producer, region }) => {
        if (region !== this.#options.standby) return;
        const arrived = this.#arrivedMs.get(cell) ?? new Map<number, number>();
        this.#arrivedMs.set(cell, arrived);
        if (!arrived.has(producer)) arrived.set(producer, nowMs());
      },
    };
  }

  #onDns(from: Places, to: Places, nowMs: number): void {
    this.#places = to;
    const moved = cellsMoved(from, to);
    for (const cell of moved) this.#flips.set(cell, (this.#flips.get(cell) ?? 0) + 1);
    const arriving = moved.filter((cell) => to.cells[cell] === 'standby').length;
    if (arriving > 0) {
      this.#flippedMs ??= nowMs;
      if (to.region === 'standby') this.moves++;
      else this.cellMoves += arriving;
    }
    if (arriving < moved.length && this.#flippedMs !== null) this.#returnedMs ??= nowMs;
  }

  #onRound({ node, result }: RoundSeen, nowMs: number): void {
    const { diagnosis, state } = result.decision;
    if (accusesPrimary(diagnosis)) this.#accusers.add(node.region);
    else this.#accusers.delete(node.region);
    if (this.#accusers.size >= this.#options.votesToEvacuate) this.#pagedMs ??= nowMs;
    // The rounds before t = 0 say what an observer begins with: a quiet one may have no round after it that is computed.
    this.#conclusions.saw(node.region, {
      atMs: Math.max(0, nowMs),
      diagnosis,
      asks: askedBy(voteOf(state.phase), result.cells.some(asksForMove)),
    });
  }

  result({ firstFaultMs, endMs, outageMs }: RecordedSpan): Omit<SimulationResult, 'seed' | 'violations'> {
    const sinceFault = (atMs: number | null): number | null => (atMs === null ? null : atMs - firstFaultMs);
    const placed = this.#options.cells.map((cell) => [cell, this.#places?.cells[cell] ?? 'primary'] as const);
    return {
      verdict: this.#flippedMs === null ? 'hold' : 'failover',
      diagnosis: this.#conclusions.together({ endMs, outageMs }),
      decideMs: sinceFault(this.decidedMs),
      pagedMs: sinceFault(this.#pagedMs),
      flipMs: sinceFault(this.#flippedMs),
      rtoMs: sinceFault(this.#settledMs()),
      flips: Math.max(0, ...this.#flips.values()),
      returnMs: sinceFault(this.#returnedMs),
      votesCast: this.votesCast,
      cells: Object.fromEntries(placed),
      cellFailovers: this.cellMoves,
    };
  }

  /** When the last producer of the cells that moved had arrived; null while one is missing. */
  #settledMs(): number | null {
    const arrived = [...this.#flips.keys()].map((cell) => [...(this.#arrivedMs.get(cell)?.values() ?? [])]);
    if (arrived.length === 0 || arrived.some((times) => times.length < PRODUCERS)) return null;
    return Math.max(...arrived.flat());
  }
}

const asksForMove = ({ kind, refusals }: CellFinding): boolean =>
  accusingKinds.has(kind) && refusals.length === 0;

/** Of each cell, as many as in world.ts. */
const PRODUCERS = 3;
