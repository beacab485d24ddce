import { looksHarder } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import type { PutOperation } from '../../lambda/core/put-plan.ts';
import type { Role } from '../../lambda/core/role.ts';
import { type StreamOutcomes, streamOperation } from '../../lambda/core/stream-evidence.ts';
import { PUTS_PER_STREAM, STREAMS_PER_ROUND, type StreamProbe } from '../../lambda/core/stream-plan.ts';
import type { Regions } from '../config/config.ts';
import type { Fate } from '../scenario/faults.ts';
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

export interface ProbedRound {
  readonly atMs: number;
  /** Number of the round, of this observer. */
  readonly round: number;
}

export interface StreamProbeReport {
  readonly probed: readonly StreamOutcomes[];
  readonly tookMs: number;
  /** Every record was taken, in the usual time. */
  readonly isQuiet: boolean;
}

/** As in lambda/core/stream-plan.ts: puts to a stream of the standby, in one round, at most. */
const STANDBY_PUTS = 2;
export const SLOTS_PER_STREAM = PUTS_PER_STREAM + STANDBY_PUTS;
/** Places for baseline failures, of one round. */
export const STREAM_SLOTS = STREAMS_PER_ROUND * SLOTS_PER_STREAM;

/** What befalls the records of a round: slots that fail for no reason, and what the noise and the scenario do to the others. */
interface Luck {
  readonly failing: readonly number[];
  readonly fate: (call: KnownCall, atMs: number) => Fate;
}

const unharmed: Fate = { delayMs: 0 };
const nothing: StreamProbeReport = { probed: [], tookMs: 0, isQuiet: true };

/** The marked records that one observer puts into the cells' own streams. */
export class StreamProbing {
  readonly #options: StreamProbingOptions;
  /** By cell; a thousand cells that are never probed cost nothing. */
  readonly #known = new Map<string, StreamCalls>();
  /** Of plans whose rounds all bring the same, while nothing can fail. */
  readonly #quiet = new WeakMap<readonly StreamProbe[], StreamProbeReport>();
  readonly #dice = new Dice();

  constructor(options: StreamProbingOptions) {
    this.#options = options;
  }

  known(cell: string): StreamCalls {
    const before = this.#known.get(cell);
    if (before !== undefined) return before;
    const { calls, source, regions } = this.#options;
    const put = (region: string): Readonly<Record<PutOperation, KnownCall>> => {
      const call = { source, region, service: 'kinesis', stream: cell };
      return {
        PutRecords: calls.know({ ...call, operation: 'PutRecords' }),
        PutRecord: calls.know({ ...call, operation: 'PutRecord' }),
      };
    };
    const made = { primary: put(regions.primary), standby: put(regions.standby) };
    this.#known.set(cell, made);
    return made;
  }

  probe(plan: readonly StreamProbe[], at: ProbedRound): StreamProbeReport {
    const { baseline, calls } = this.#options;
    const failing = baseline.take(at.round);
    if (plan.length === 0) return nothing;
    const quiet = failing === noSlots ? this.#quietReport(plan, at.atMs) : undefined;
    if (quiet !== undefined) return quiet;
    this.#dice.at(this.#options.seed, 5, at.round);
    const fate = (call: KnownCall, atMs: number): Fate => calls.fate(call, atMs, this.#dice.next);
    return this.#probeAll(plan, at, { failing, fate });
  }

  /** What a round to come will bring, if nothing hits it but what fails for no reason. */
  foresee(plan: readonly StreamProbe[], at: ProbedRound): StreamProbeReport {
    const failing = this.#options.baseline.foreseen(at.round);
    // The timelines of the noise are not asked: they only go forward.
    return this.#probeAll(plan, at, { failing, fate: () => unharmed });
  }

  #probeAll(plan: readonly StreamProbe[], { atMs, round }: ProbedRound, luck: Luck): StreamProbeReport {
    let tookMs = 0;
    let isQuiet = true;
    const probed = plan.map((probe, place): StreamOutcomes => {
      const known = this.known(probe.cell);
      const put: Put = ({ role, n, slot, offsetMs }) => {
        const call = known[role][streamOperation(n)];
        const own = place * SLOTS_PER_STREAM + slot;
        const outcome = this.#put(call, { atMs: atMs + offsetMs, round, slot: own, ...luck });
        tookMs = Math.max(tookMs, offsetMs + outcome.latencyMs);
        isQuiet &&= outcome.ok && outcome.latencyMs === call.latencyMs;
        return outcome;
      };
      return { cell: probe.cell, ...putAll(probe, put) };
    });
    return { probed, tookMs, isQuiet };
  }

  /** A round of turns in which nothing can fail: the same each time. */
  #quietReport(plan: readonly StreamProbe[], atMs: number): StreamProbeReport | undefined {
    for (const { cell, why } of plan) {
      const { PutRecords, PutRecord } = this.known(cell).primary;
      if (why !== 'turn' || PutRecords.latencyMs > this.#options.policy.probeTimeoutMs) return undefined;
      if (mayFail(PutRecords, atMs) || mayFail(PutRecord, atMs)) return undefined;
    }
    const known = this.#quiet.get(plan);
    if (known !== undefined) return known;
    let tookMs = 0;
    const probed = plan.map(({ cell, firstPuts }): StreamOutcomes => {
      const { answered, latencyMs } = this.known(cell).primary.PutRecords;
      tookMs = Math.max(tookMs, latencyMs);
      return { cell, primary: Array<ProbeOutcome>(firstPuts).fill(answered), standby: [] };
    });
    const made = { probed, tookMs, isQuiet: true };
    this.#quiet.set(plan, made);
    return made;
  }

  #put(
    call: KnownCall,
    at: {
      readonly atMs: number;
      readonly round: number;
      readonly slot: number;
    } & Luck,
  ): ProbeOutcome {
    const { policy, baseline } = this.#options;
    const { round, slot, failing, fate } = at;
    if (failing !== noSlots && failing.includes(slot))
      return baseline.outcome(round, slot, call.latencyMs, policy.probeTimeoutMs);
    return outcomeOf(call, fate(call, at.atMs), policy.probeTimeoutMs);
  }
}

const mayFail = ({ faults, noise }: KnownCall, atMs: number): boolean =>
  faults.length > 0 || noise.activeAt(atMs).length > 0;

type StreamCalls = Readonly<Record<Role, Readonly<Record<PutOperation, KnownCall>>>>;

type Put = (to: {
  readonly role: Role;
  /** Number among the puts to this role's stream. */
  readonly n: number;
  readonly slot: number;
  readonly offsetMs: number;
}) => ProbeOutcome;

/** Further puts follow the first ones, if one of those fails by the fault of the region. */
function putAll(
  { firstPuts, morePuts, standbyPuts }: StreamProbe,
  put: Put,
): Readonly<Record<Role, readonly ProbeOutcome[]>> {
  const primary: ProbeOutcome[] = [];
  let firstMs = 0;
  for (let n = 0; n < firstPuts; n++) {
    const outcome = put({ role: 'primary', n, slot: n, offsetMs: 0 });
    firstMs = Math.max(firstMs, outcome.latencyMs);
    primary.push(outcome);
  }
  if (looksHarder(primary)) {
    for (let n = firstPuts; n < firstPuts + morePuts; n++)
      primary.push(put({ role: 'primary', n, slot: n, offsetMs: firstMs }));
  }
  const standby: ProbeOutcome[] = [];
  for (let n = 0; n < standbyPuts; n++)
    standby.push(put({ role: 'standby', n, slot: PUTS_PER_STREAM + n, offsetMs: 0 }));
  return { primary, standby };
}
