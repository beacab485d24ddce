import type { Policy } from '../../lambda/core/policy.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { StreamOutcomes } from '../../lambda/core/stream-evidence.ts';
import { STREAMS_PER_ROUND, type StreamProbe } from '../../lambda/core/stream-plan.ts';
import type { Regions } from '../config/config.ts';
import { type BaselineFailures, noSlots } from './baseline.ts';
import { type Calls, type KnownCall, outcomeOf } from './calls.ts';
import { Dice } from './random.ts';

export interface StreamProbingOptions {
  readonly calls: Calls;
  readonly policy: Policy;
  readonly source: string;
  readonly regions: Pick<Regions, 'primary' | 'standby'>;
  readonly seed: number;
  readonly baseline: BaselineFailures;
}

export interface StreamProbeReport {
  readonly probed: readonly StreamOutcomes[];
  readonly tookMs: number;
  /** Every record was taken, in the usual time. */
  readonly isQuiet: boolean;
}

/** Puts of one stream in a round, at most: six to the primary and two to the standby. */
export const SLOTS_PER_STREAM = 8;
/** Places for baseline failures, of one round. */
export const STREAM_SLOTS = STREAMS_PER_ROUND * SLOTS_PER_STREAM;

const nothing: StreamProbeReport = { probed: [], tookMs: 0, isQuiet: true };

/** The marked records that one observer puts into the cells' own streams. */
export class StreamProbing {
  readonly #options: StreamProbingOptions;
  /** By cell; a thousand cells that are never probed cost nothing. */
  readonly #known = new Map<string, Readonly<Record<Role, KnownCall>>>();
  readonly #dice = new Dice();

  constructor(options: StreamProbingOptions) {
    this.#options = options;
  }

  known(cell: string): Readonly<Record<Role, KnownCall>> {
    const before = this.#known.get(cell);
    if (before !== undefined) return before;
    const { calls, source, regions } = this.#options;
    const put = (region: string): KnownCall =>
      calls.know({ source, region, service: 'kinesis', operation: 'PutRecords', stream: cell });
    const made = { primary: put(regions.primary), standby: put(regions.standby) };
    this.#known.set(cell, made);
    return made;
  }

  probe(
    plan: readonly StreamProbe[],
    { atMs, round }: { readonly atMs: number; readonly round: number },
  ): StreamProbeReport {
    const failing = this.#options.baseline.take(round);
    if (plan.length === 0) return nothing;
    this.#dice.at(this.#options.seed, 5, round);
    let tookMs = 0;
    let isQuiet = true;
    const probed = plan.map((probe, place): StreamOutcomes => {
      const known = this.known(probe.cell);
      const put: Put = ({ role, slot, offsetMs }) => {
        const own = place * SLOTS_PER_STREAM + slot;
        const outcome = this.#put(known[role], { atMs: atMs + offsetMs, round, slot: own, failing });
        tookMs = Math.max(tookMs, offsetMs + outcome.latencyMs);
        isQuiet &&= outcome.ok && outcome.latencyMs === known[role].latencyMs;
        return outcome;
      };
      return { cell: probe.cell, ...putAll(probe, put) };
    });
    return { probed, tookMs, isQuiet };
  }

  #put(
    call: KnownCall,
    at: {
      readonly atMs: number;
      readonly round: number;
      readonly slot: number;
      readonly failing: readonly number[];
    },
  ): ProbeOutcome {
    const { calls, policy, baseline } = this.#options;
    const { round, slot, failing } = at;
    if (failing !== noSlots && failing.includes(slot))
      return baseline.outcome(round, slot, call.latencyMs, policy.probeTimeoutMs);
    return outcomeOf(call, calls.fate(call, at.atMs, this.#dice.next), policy.probeTimeoutMs);
  }
}

type Put = (to: { readonly role: Role; readonly slot: number; readonly offsetMs: number }) => ProbeOutcome;

/** Further puts follow the first ones, if one of those fails. */
function putAll(
  { firstPuts, morePuts, standbyPuts }: StreamProbe,
  put: Put,
): Readonly<Record<Role, readonly ProbeOutcome[]>> {
  const times = (count: number, role: Role, from: number, offsetMs: number): readonly ProbeOutcome[] =>
    Array.from({ length: count }, (_, n) => put({ role, slot: from + n, offsetMs }));
  const first = times(firstPuts, 'primary', 0, 0);
  const firstMs = Math.max(0, ...first.map(({ latencyMs }) => latencyMs));
  const more = first.every(({ ok }) => ok) ? [] : times(morePuts, 'primary', firstPuts, firstMs);
  const standby = times(standbyPuts, 'standby', firstPuts + morePuts, 0);
  return { primary: [...first, ...more], standby };
}
