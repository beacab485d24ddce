import { type DiagnosisCode, diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import { voteOf } from '../../lambda/core/lifecycle.ts';
import type { RoundSeen } from './observer-node.ts';
import type { SimulationResult } from './types.ts';
import type { World, WorldHooks } from './world.ts';

export interface RecorderOptions {
  readonly observers: readonly string[];
  readonly standby: string;
  readonly votesToEvacuate: number;
}

/** Not a conclusion: too little is known yet. */
const noConclusion: readonly DiagnosisCode[] = ['Undetermined', 'Healthy'];

/** Keeps of a run what its result says. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #atVote = new Map<string, DiagnosisCode>();
  readonly #gravest = new Map<string, DiagnosisCode>();
  readonly #arrivedMs = new Map<number, number>();
  decidedMs: number | null = null;
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

  #onRound({ node, before, result }: RoundSeen, nowMs: number): void {
    if (nowMs < 0) return;
    const { diagnosis, state } = result.decision;
    if (
      voteOf(before.decision.phase) === 'HOLD' &&
      voteOf(state.phase) === 'EVACUATE' &&
      !this.#atVote.has(node.region)
    ) {
      this.#atVote.set(node.region, diagnosis);
    }
    if (noConclusion.includes(diagnosis)) return;
    const known = this.#gravest.get(node.region);
    if (known === undefined || rank(diagnosis) < rank(known)) this.#gravest.set(node.region, diagnosis);
  }

  result(firstFaultMs: number): Omit<SimulationResult, 'seed' | 'violations'> {
    const sinceFault = (atMs: number | null): number | null => (atMs === null ? null : atMs - firstFaultMs);
    const arrived = [...this.#arrivedMs.values()];
    return {
      verdict: this.#flippedMs === null ? 'hold' : 'failover',
      diagnosis: this.#mostObservers(),
      decideMs: sinceFault(this.decidedMs),
      flipMs: sinceFault(this.#flippedMs),
      rtoMs: arrived.length < PRODUCERS ? null : sinceFault(Math.max(...arrived)),
      flips: this.flips,
      returnMs: sinceFault(this.#returnedMs),
      votesCast: this.votesCast,
    };
  }

  #mostObservers(): DiagnosisCode {
    const said = this.#options.observers.map(
      (region) => this.#atVote.get(region) ?? this.#gravest.get(region) ?? 'Healthy',
    );
    const votes = Map.groupBy(said, (code) => code);
    const [first] = [...votes].sort(
      ([a, left], [b, right]) => right.length - left.length || rank(a) - rank(b),
    );
    return first?.[0] ?? 'Healthy';
  }
}

/** As many as in world.ts. */
const PRODUCERS = 3;
/** Its place in the table of diagnoses: the graver comes first. */
const rank = (code: DiagnosisCode): number => diagnosisCodes.indexOf(code);
