import { type CountedSignal, looksHarder, type RegionOutcomes } from '../../lambda/core/observation.ts';
import type { Policy, SiblingName } from '../../lambda/core/policy.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { maxPuts, type PutOperation } from '../../lambda/core/put-plan.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { RoundPuts } from '../../lambda/core/round.ts';
import { CANARY } from '../scenario/streams.ts';
import { type BaselineFailures, noSlots } from './baseline.ts';
import { type Calls, type KnownCall, outcomeOf } from './calls.ts';
import { Dice } from './random.ts';

/** One region as one observer probes it: the calls of lambda/observer/probes.ts, without their network. */
export interface ProbingOptions {
  readonly calls: Calls;
  readonly policy: Policy;
  readonly source: string;
  readonly region: string;
  readonly role: Role;
  readonly seed: number;
  readonly baseline: BaselineFailures;
}

export interface ProbeRequest extends RoundPuts {
  readonly atMs: number;
  /** Number of the round, of this observer. */
  readonly round: number;
  readonly slowDue: boolean;
  readonly firstMetricAgeMs: number | null;
}

export interface ProbeReport {
  readonly outcomes: RegionOutcomes;
  readonly tookMs: number;
}

const siblingCalls: Readonly<Record<SiblingName, { readonly service: string; readonly operation: string }>> =
  {
    cognito: { service: 'cognito', operation: 'ListUserPools' },
    lambda: { service: 'lambda', operation: 'GetAccountSettings' },
    sqs: { service: 'sqs', operation: 'ListQueues' },
  };

/** As in lambda/observer/probes.ts. */
const METRIC_MAX_AGE_MS = 5 * 60_000;
/** CloudWatch shows a point within a minute or two [inferred]. */
const METRIC_VISIBLE_AFTER_MS = 60_000;
const missedMetric: ProbeOutcome = {
  ok: false,
  latencyMs: 50,
  errorClass: 'stale',
  detail: 'no fresh point',
};

export class Probing {
  readonly #options: ProbingOptions;
  readonly #known: Readonly<
    Record<PutOperation | 'iterator' | 'get' | 'identity' | 'metricPut' | 'metricGet' | 'describe', KnownCall>
  >;
  readonly #siblings: readonly (readonly [SiblingName, KnownCall])[];
  readonly #dice = new Dice();
  /** What a round brings in which nothing can fail, by its first puts. */
  readonly #quiet = new Map<number, ProbeReport>();
  /** The newest metric that was put, and the newest that can be read. */
  #metricPutMs = Number.NEGATIVE_INFINITY;
  #metricVisibleMs = Number.NEGATIVE_INFINITY;

  constructor(options: ProbingOptions) {
    this.#options = options;
    const { calls, source, region } = options;
    const know = (service: string, operation: string): KnownCall =>
      calls.know({
        source,
        region,
        service,
        operation,
        ...(service === 'kinesis' ? { stream: CANARY } : {}),
      });
    this.#known = {
      PutRecord: know('kinesis', 'PutRecord'),
      PutRecords: know('kinesis', 'PutRecords'),
      iterator: know('kinesis', 'GetShardIterator'),
      get: know('kinesis', 'GetRecords'),
      identity: know('sts', 'GetCallerIdentity'),
      metricPut: know('cloudwatch', 'PutMetricData'),
      metricGet: know('cloudwatch', 'GetMetricData'),
      describe: know('kinesis', 'DescribeStreamSummary'),
    };
    const siblings = options.role === 'primary' ? options.policy.siblingProbes : [];
    this.#siblings = siblings.map((name) => [
      name,
      know(siblingCalls[name].service, siblingCalls[name].operation),
    ]);
  }

  /** Every call that a fault may hit. */
  get known(): readonly KnownCall[] {
    return [...Object.values(this.#known), ...this.#siblings.map(([, call]) => call)];
  }

  /** How long a round takes in which nothing fails. */
  get quietMs(): number {
    return this.#known.PutRecord.latencyMs + this.#known.iterator.latencyMs + this.#known.get.latencyMs;
  }

  probe({ atMs, round, slowDue, firstMetricAgeMs, puts, firstPuts }: ProbeRequest): ProbeReport {
    const { policy, baseline, seed, role } = this.#options;
    const slots = baseline.take(round);
    if (!slowDue && slots === noSlots && this.#isClear(atMs)) return this.#quietReport(firstPuts);
    this.#dice.at(seed, role === 'primary' ? 1 : 2, round);
    const ask: Ask = (call, slot, offsetMs, timeoutMs) => {
      if (slots !== noSlots && slots.includes(slot))
        return baseline.outcome(round, slot, call.latencyMs, timeoutMs);
      return outcomeOf(call, this.#options.calls.fate(call, atMs + offsetMs, this.#dice.next), timeoutMs);
    };
    const { outcomes, tookMs } = this.#probeKinesis(ask, { puts, firstPuts });
    const identity = ask(this.#known.identity, maxPuts(policy) + 2, 0, policy.probeTimeoutMs);
    const fast: RegionOutcomes = { ...outcomes, reachability: [identity] };
    if (!slowDue) return { outcomes: fast, tookMs: Math.max(tookMs, identity.latencyMs) };
    const slow = this.#probeSlowly(ask, { atMs, firstMetricAgeMs });
    return {
      outcomes: { ...fast, ...slow.outcomes },
      tookMs: Math.max(tookMs, identity.latencyMs, slow.tookMs),
    };
  }

  /** Whether every fast call of a round that begins now is answered in the usual time. */
  #isClear(atMs: number): boolean {
    const { PutRecords, PutRecord, iterator, get, identity } = this.#known;
    for (const { faults } of [PutRecords, PutRecord, iterator, get, identity])
      if (faults.length > 0) return false;
    // A read has what the iterator leaves of the time. All calls to Kinesis have the same noise, apart from operations.
    if (iterator.latencyMs + get.latencyMs > this.#options.policy.probeTimeoutMs) return false;
    const endMs = atMs + this.quietMs;
    return PutRecords.noise.isClear(atMs, endMs) && identity.noise.isClear(atMs, endMs);
  }

  /** The same objects each time. */
  #quietReport(firstPuts: number): ProbeReport {
    const known = this.#quiet.get(firstPuts);
    if (known !== undefined) return known;
    const { PutRecords, get, identity } = this.#known;
    const outcomes = {
      kinesisWrite: Array<ProbeOutcome>(firstPuts).fill(PutRecords.answered),
      kinesisRead: [get.answered],
      reachability: [identity.answered],
    };
    const made = { outcomes, tookMs: Math.max(this.quietMs, identity.latencyMs) };
    this.#quiet.set(firstPuts, made);
    return made;
  }

  #probeKinesis(ask: Ask, { puts, firstPuts }: RoundPuts): ProbeReport {
    const { policy } = this.#options;
    const { probeTimeoutMs } = policy;
    const iteratorSlot = maxPuts(policy);
    const putAll = (from: number, to: number, offsetMs: number): readonly ProbeOutcome[] => {
      const outcomes: ProbeOutcome[] = [];
      for (let n = from; n < to; n++) {
        const place = puts[n];
        if (place === undefined) break;
        outcomes.push(ask(this.#known[place.operation], n, offsetMs, probeTimeoutMs));
      }
      return outcomes;
    };
    const first = putAll(0, firstPuts, 0);
    const putMs = slowest(first);
    const more = looksHarder(first) ? putAll(firstPuts, puts.length, putMs) : [];
    const iterator = ask(this.#known.iterator, iteratorSlot, putMs, probeTimeoutMs);
    const left = probeTimeoutMs - iterator.latencyMs;
    const got = iterator.ok
      ? ask(this.#known.get, iteratorSlot + 1, putMs + iterator.latencyMs, left)
      : iterator;
    const readMs = iterator.ok ? iterator.latencyMs + got.latencyMs : got.latencyMs;
    return {
      outcomes: { kinesisWrite: more.length === 0 ? first : [...first, ...more], kinesisRead: [got] },
      tookMs: putMs + Math.max(readMs, slowest(more)),
    };
  }

  #probeSlowly(
    ask: Ask,
    { atMs, firstMetricAgeMs }: Pick<ProbeRequest, 'atMs' | 'firstMetricAgeMs'>,
  ): ProbeReport {
    const { probeTimeoutMs } = this.#options.policy;
    const slot = firstSlowSlot(this.#options.policy);
    const put = ask(this.#known.metricPut, slot, 0, probeTimeoutMs);
    let read = put;
    if (put.ok) {
      this.#putMetric(atMs);
      read = ask(this.#known.metricGet, slot + 1, put.latencyMs, probeTimeoutMs);
      const expected = firstMetricAgeMs !== null && firstMetricAgeMs > METRIC_MAX_AGE_MS;
      if (read.ok && expected && atMs - this.#metricVisibleMs > METRIC_MAX_AGE_MS) read = missedMetric;
    }
    const describe = ask(this.#known.describe, slot + 2, 0, probeTimeoutMs);
    const outcomes: Partial<Record<keyof RegionOutcomes, readonly ProbeOutcome[]>> = {
      cloudWatch: [read],
      controlPlane: [describe],
    };
    let tookMs = Math.max(put.ok ? put.latencyMs + read.latencyMs : put.latencyMs, describe.latencyMs);
    for (const [index, [name, call]] of this.#siblings.entries()) {
      const outcome = ask(call, slot + 3 + index, 0, probeTimeoutMs);
      outcomes[name] = [outcome];
      tookMs = Math.max(tookMs, outcome.latencyMs);
    }
    return { outcomes, tookMs };
  }

  #putMetric(atMs: number): void {
    if (this.#metricPutMs <= atMs - METRIC_VISIBLE_AFTER_MS) this.#metricVisibleMs = this.#metricPutMs;
    this.#metricPutMs = atMs;
  }

  /** Whether every call of a round was answered, in the usual time. */
  isQuiet(report: ProbeReport): boolean {
    const { outcomes } = report;
    if (report === this.#quiet.get(outcomes.kinesisWrite?.length ?? 0)) return true;
    const usualMs = this.#known.PutRecord.latencyMs;
    for (const list of Object.values(outcomes)) {
      for (const outcome of list) if (!outcome.ok || outcome.latencyMs !== usualMs) return false;
    }
    return true;
  }

  /** Slow rounds that were skipped put their metrics, the last of them at this time. */
  skippedSlowRounds(lastMs: number, periodMs: number): void {
    this.#metricVisibleMs = lastMs - periodMs;
    this.#metricPutMs = lastMs;
  }
}

type Ask = (call: KnownCall, slot: number, offsetMs: number, timeoutMs: number) => ProbeOutcome;

function slowest(outcomes: readonly ProbeOutcome[]): number {
  let longestMs = 0;
  for (const { latencyMs } of outcomes) longestMs = Math.max(longestMs, latencyMs);
  return longestMs;
}

/** Slots of one round, in the order in which they are numbered above. */
export const slotsPerRound = (policy: Policy): number =>
  firstSlowSlot(policy) + 3 + policy.siblingProbes.length;
export const firstSlowSlot = (policy: Policy): number => maxPuts(policy) + 3;
/** Puts that are made only if one of the first of the same round fails. */
export const isFurtherPut = (slot: number, policy: Policy): boolean =>
  slot >= policy.putsPerRound && slot < maxPuts(policy);

export function signalOfSlot(slot: number, policy: Policy): CountedSignal {
  const puts = maxPuts(policy);
  if (slot < puts) return 'kinesisWrite';
  if (slot < puts + 2) return 'kinesisRead';
  const slow = slot - firstSlowSlot(policy);
  if (slow < 0) return 'reachability';
  if (slow < 2) return 'cloudWatch';
  return slow === 2 ? 'controlPlane' : (policy.siblingProbes[slow - 3] ?? 'controlPlane');
}
