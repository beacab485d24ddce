import { voteOf } from '../../lambda/core/lifecycle.ts';
import type { Calls, KnownCall } from './calls.ts';
import { type Agenda, ranks } from './events.ts';
import type { RoundSeen } from './observer-node.ts';
import { between, Dice, seedFor } from './random.ts';

export interface ConductorOptions {
  readonly standby: string;
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly seed: number;
  /** Sets the switches of all cells to hold. */
  readonly latchAll: () => void;
}

/** From the start of the workflow to its first write. */
const FIRST_STEP_MS = { from: 2_000, to: 8_000 } as const;
/** The workflow tries a failed step again, with a limit. */
const RETRY_MS = 5_000;
const MAX_TRIES = 60;

/**
 * Latches after a move, and never releases. The observer in the standby starts it when DNS is there and its
 * own vote says so; the execution's name is the epoch, so that a second start has no effect.
 */
export class Conductor {
  readonly #options: ConductorOptions;
  readonly #write: KnownCall;
  readonly #dice = new Dice();
  readonly #seed: number;
  #begunEpoch = 0;

  constructor(options: ConductorOptions) {
    this.#options = options;
    const { calls, standby } = options;
    this.#seed = seedFor(options.seed, 'conductor');
    this.#write = calls.know({ source: standby, region: standby, service: 'dynamodb', operation: 'PutItem' });
  }

  observe({ readings, result }: RoundSeen): void {
    const { epoch, phase } = result.decision.state;
    if (readings.quorum !== 'standby' || voteOf(phase) !== 'EVACUATE' || epoch <= this.#begunEpoch) return;
    this.#begunEpoch = epoch;
    const { agenda } = this.#options;
    const delayMs = between(this.#dice.at(this.#seed, epoch).next(), FIRST_STEP_MS.from, FIRST_STEP_MS.to);
    agenda.at(agenda.nowMs + delayMs, { rank: ranks.conductor, run: () => this.#try(1) });
  }

  #try(attempt: number): void {
    const { agenda, calls, latchAll } = this.#options;
    this.#dice.at(this.#seed, 0, agenda.nowMs);
    if (calls.fate(this.#write, agenda.nowMs, this.#dice.next).failure === undefined) latchAll();
    else if (attempt < MAX_TRIES)
      agenda.at(agenda.nowMs + RETRY_MS, { rank: ranks.conductor, run: () => this.#try(attempt + 1) });
  }
}
