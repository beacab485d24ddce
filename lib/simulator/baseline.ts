import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { hash, stream, uniform } from './random.ts';

export interface BaselineOptions {
  readonly seed: number;
  /** Share of the calls of a healthy region that fail, each on its own. 0 = none. */
  readonly rate: number;
  /** Calls a round may make, each with a place of its own. */
  readonly slots: number;
}

export const noSlots: readonly number[] = [];

/**
 * Calls that fail for no reason at all, each on its own. Whole years of them are drawn as the gaps between failures:
 * the gaps of independent trials are geometric, so nothing is approximated, and what lies between two needs no draw.
 */
export class BaselineFailures {
  readonly #options: BaselineOptions;
  readonly #random: () => number;
  /** Positions of coming failures, counted in slots since round 0; filled as far as they were asked for. */
  readonly #coming: number[] = [];
  #drawn = -1;

  constructor(options: BaselineOptions) {
    this.#options = options;
    this.#random = stream(options.seed);
  }

  /** Slots that fail in this round. Rounds before it are forgotten. */
  take(round: number): readonly number[] {
    if (this.#options.rate <= 0) return noSlots;
    const { slots } = this.#options;
    const from = round * slots;
    let taken: number[] | undefined;
    for (;;) {
      const next = this.peek(0);
      if (next >= from + slots) return taken ?? noSlots;
      this.#coming.shift();
      if (next < from) continue;
      taken ??= [];
      taken.push(next - from);
    }
  }

  /** Slots that will fail in a round to come. */
  foreseen(round: number): readonly number[] {
    const { slots } = this.#options;
    const from = round * slots;
    let found: number[] | undefined;
    for (let n = 0; ; n++) {
      const next = this.peek(n);
      if (next >= from + slots) return found ?? noSlots;
      if (next < from) continue;
      found ??= [];
      found.push(next - from);
    }
  }

  /** Position of the n-th failure to come; infinite if there is none. */
  peek(n: number): number {
    if (this.#options.rate <= 0) return Number.POSITIVE_INFINITY;
    while (this.#coming.length <= n) this.#coming.push(this.#draw());
    return this.#coming[n] ?? Number.POSITIVE_INFINITY;
  }

  get slots(): number {
    return this.#options.slots;
  }

  #draw(): number {
    const gap = Math.floor(Math.log(1 - this.#random()) / Math.log(1 - this.#options.rate));
    this.#drawn += 1 + gap;
    return this.#drawn;
  }

  /** How it fails: what a caller sees of a process that ends, a connection that is cut, a packet that is lost. */
  outcome(round: number, slot: number, latencyMs: number, timeoutMs: number): ProbeOutcome {
    const kind = uniform(hash(this.#options.seed, round, slot));
    if (kind < 0.6) return { ok: false, latencyMs, errorClass: 'server', detail: 'InternalFailure' };
    if (kind < 0.8) return { ok: false, latencyMs, errorClass: 'reset', detail: 'ECONNRESET' };
    return { ok: false, latencyMs: timeoutMs, errorClass: 'timeout', detail: 'TimeoutError' };
  }
}
