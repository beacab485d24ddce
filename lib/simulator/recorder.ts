import { voteOf } from '../../lambda/core/lifecycle.ts';
import { accusesPrimary } from '../../lambda/core/subjects.ts';
import { Conclusions } from '../scenario/conclusions.ts';
import type { RoundSeen } from './observer-node.ts';
import type { SimulationResult } from './types.ts';
import type { World, WorldHooks } from './world.ts';

export interface RecorderOptions {
  readonly standby: string;
  readonly votesToEvacuate: number;
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
  readonly #arrivedMs = new Map<number, number>();
  decidedMs: number | null = null;
  #pagedMs: number | null = null;
  readonly #accusers = new Set<string>();
  #flippedMs: number | null = null;
  #returnedMs: number | null = null;
  flips = 0;
  moves = 0;
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
      onDns: (from, to) => {
        if (from.signal === to.signal) return;
        this.flips++;
        if (to.signal === 'standby') this.moves++;
        if (to.signal === 'standby') this.#flippedMs ??= nowMs();
        else if (this.#flippedMs !== null) this.#returnedMs ??= nowMs();
      },
      onPut: ({ producer, region }) => {
        if (region === this.#options.standby && !this.#arrivedMs.has(producer))
          this.#arrivedMs.set(producer, nowMs());
      },
    };
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
      evacuates: voteOf(state.phase) === 'EVACUATE',
    });
  }

  result({ firstFaultMs, endMs, outageMs }: RecordedSpan): Omit<SimulationResult, 'seed' | 'violations'> {
    const sinceFault = (atMs: number | null): number | null => (atMs === null ? null : atMs - firstFaultMs);
    const arrived = [...this.#arrivedMs.values()];
    return {
      verdict: this.#flippedMs === null ? 'hold' : 'failover',
      diagnosis: this.#conclusions.together({ endMs, outageMs }),
      decideMs: sinceFault(this.decidedMs),
      pagedMs: sinceFault(this.#pagedMs),
      flipMs: sinceFault(this.#flippedMs),
      rtoMs: arrived.length < PRODUCERS ? null : sinceFault(Math.max(...arrived)),
      flips: this.flips,
      returnMs: sinceFault(this.#returnedMs),
      votesCast: this.votesCast,
    };
  }
}

/** As many as in world.ts. */
const PRODUCERS = 3;
