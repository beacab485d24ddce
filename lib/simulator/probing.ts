import type { CountedSignal, RegionOutcomes } from '../../lambda/core/observation.ts';
import type { Policy, SiblingName } from '../../lambda/core/policy.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import type { Role } from '../../lambda/core/role.ts';
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

export interface ProbeRequest {
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
    Record<'put' | 'iterator' | 'get' | 'identity' | 'metricPut' | 'metricGet' | 'describe', KnownCall>
  >;
  readonly #siblings: readonly (readonly [SiblingName, KnownCall])[];
  readonly #dice = new Dice();
  readonly #quietPuts: readonly ProbeOutcome[];
  /** The newest metric that was put, and the newest that can be read. */
  #metricPutMs = Number.NEGATIVE_INFINITY;
  #metricVisibleMs = Number.NEGATIVE_INFINITY;

  constructor(options: ProbingOptions) {
    this.#options = options;
    const { calls, source, region } = options;
    const know = (service: string, operation: string): KnownCall =>
      calls.know({ source, region, service, operation });
    this.#known = {
      put: know('kinesis', 'PutRecord'),
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
    this.#quietPuts = Array.from({ length: options.policy.putsPerRound }, () => this.#known.put.answered);
  }

  /** Every call that a fault may hit. */
  get known(): readonly KnownCall[] {
    return [...Object.values(this.#known), ...this.#siblings.map(([, call]) => call)];
  }

  /** How long a round takes in which nothing fails. */
  get quietMs(): number {
    return this.#known.put.latencyMs + this.#known.iterator.latencyMs + this.#known.get.latencyMs;
  }

  probe({ atMs, round, slowDue, firstMetricAgeMs }: ProbeRequest): ProbeReport {
    const { policy, baseline, seed, role } = this.#options;
    const slots = baseline.take(round);
    this.#dice.at(seed, role === 'primary' ? 1 : 2, round);
    const ask: Ask = (call, slot, offsetMs, timeoutMs) => {
      if (slots !== noSlots && slots.includes(slot))
        return baseline.outcome(round, slot, call.latencyMs, timeoutMs);
      return outcomeOf(call, this.#options.calls.fate(call, atMs + offsetMs, this.#dice.next), timeoutMs);
    };
    const { outcomes, tookMs } = this.#probeKinesis(ask);
    const identity = ask(this.#known.identity, policy.putsPerRound + 2, 0, policy.probeTimeoutMs);
    const fast: RegionOutcomes = { ...outcomes, reachability: [identity] };
    if (!slowDue) return { outcomes: fast, tookMs: Math.max(tookMs, identity.latencyMs) };
    const slow = this.#probeSlowly(ask, { atMs, firstMetricAgeMs });
    return {
      outcomes: { ...fast, ...slow.outcomes },
      tookMs: Math.max(tookMs, identity.latencyMs, slow.tookMs),
    };
  }

  #probeKinesis(ask: Ask): ProbeReport {
    const { putsPerRound, probeTimeoutMs } = this.#options.policy;
    let puts = this.#quietPuts as ProbeOutcome[];
    let putMs = this.#known.put.latencyMs;
    for (let n = 0; n < putsPerRound; n++) {
      const put = ask(this.#known.put, n, 0, probeTimeoutMs);
      if (put === this.#quietPuts[n]) continue;
      if (puts === this.#quietPuts) puts = [...puts];
      puts[n] = put;
      putMs = Math.max(putMs, put.latencyMs);
    }
    const iterator = ask(this.#known.iterator, putsPerRound, putMs, probeTimeoutMs);
    const left = probeTimeoutMs - iterator.latencyMs;
    const got = iterator.ok
      ? ask(this.#known.get, putsPerRound + 1, putMs + iterator.latencyMs, left)
      : iterator;
    const readMs = iterator.ok ? iterator.latencyMs + got.latencyMs : got.latencyMs;
    return { outcomes: { kinesisWrite: puts, kinesisRead: [got] }, tookMs: putMs + readMs };
  }

  #probeSlowly(
    ask: Ask,
    { atMs, firstMetricAgeMs }: Pick<ProbeRequest, 'atMs' | 'firstMetricAgeMs'>,
  ): ProbeReport {
    const { putsPerRound, probeTimeoutMs } = this.#options.policy;
    const slot = putsPerRound + 3;
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

  /** Slow rounds that were skipped put their metrics, the last of them at this time. */
  skippedSlowRounds(lastMs: number, periodMs: number): void {
    this.#metricVisibleMs = lastMs - periodMs;
    this.#metricPutMs = lastMs;
  }
}

type Ask = (call: KnownCall, slot: number, offsetMs: number, timeoutMs: number) => ProbeOutcome;

/** Slots of one round, in the order in which they are numbered above. */
export const slotsPerRound = (policy: Policy): number =>
  policy.putsPerRound + 6 + policy.siblingProbes.length;
export const firstSlowSlot = (policy: Policy): number => policy.putsPerRound + 3;

export function signalOfSlot(slot: number, policy: Policy): CountedSignal {
  const { putsPerRound, siblingProbes } = policy;
  if (slot < putsPerRound) return 'kinesisWrite';
  if (slot < putsPerRound + 2) return 'kinesisRead';
  const slow = slot - firstSlowSlot(policy);
  if (slow < 0) return 'reachability';
  if (slow < 2) return 'cloudWatch';
  return slow === 2 ? 'controlPlane' : (siblingProbes[slow - 3] ?? 'controlPlane');
}
