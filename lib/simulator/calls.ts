import { classifyError, type ErrorClass, type ProbeOutcome } from '../../lambda/core/probe.ts';
import type { Regions } from '../config/config.ts';
import { throttleOf } from '../scenario/error-response.ts';
import { type Call, type FailingEffect, type Fate, fateOf } from '../scenario/faults.ts';
import type { Fault } from '../scenario/schema.ts';
import { Timeline } from './timeline.ts';

/** A call that is made again and again, with the faults that can hit it found once. */
export interface KnownCall {
  readonly call: Call;
  /** Faults of the scenario that cover it, in file order. */
  readonly faults: readonly Fault[];
  /** Faults of the noise that may cover it. */
  readonly noise: Timeline<Fault>;
  readonly answered: ProbeOutcome;
  readonly latencyMs: number;
}

export interface CallsOptions {
  readonly roles: Regions;
  readonly faults: readonly Fault[];
  readonly noise: readonly Fault[];
  readonly latencyMs: (source: string, region: string) => number;
}

const clear: Fate = { delayMs: 0 };

/** All calls of the simulated world; the scenario and the noise decide what happens to each. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #timelines = new Map<string, Timeline<Fault>>();
  /** Streams that have noise of their own. */
  readonly #namedStreams: ReadonlySet<string>;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#namedStreams = new Set(options.noise.flatMap(({ where }) => where.streams ?? []));
  }

  know(call: Call): KnownCall {
    const { roles, faults, latencyMs } = this.#options;
    const ownMs = latencyMs(call.source, call.region);
    return {
      call,
      faults: faults.filter((fault) => canHit(fault, call, roles)),
      noise: this.#noiseOn(call),
      latencyMs: ownMs,
      answered: { ok: true, latencyMs: ownMs },
    };
  }

  fate({ call, faults, noise }: KnownCall, elapsedMs: number, random: () => number): Fate {
    const active = noise.activeAt(elapsedMs);
    if (faults.length === 0 && active.length === 0) return clear;
    const { roles } = this.#options;
    // Without planned faults nothing is drawn for them.
    if (faults.length === 0) return fateOf(call, { scenario: { faults: active }, roles, elapsedMs, random });
    const planned = passedInPart(fateOf(call, { scenario: { faults }, roles, elapsedMs, random }), random);
    if (active.length === 0) return planned;
    const chance = fateOf(call, { scenario: { faults: active }, roles, elapsedMs, random });
    const failure = planned.failure ?? chance.failure;
    const delayMs = planned.delayMs + chance.delayMs;
    return failure === undefined ? { delayMs } : { delayMs, failure };
  }

  /** One timeline for each pair of places, service and stream that the noise names: thousands of faults a year are searched for each call. */
  #noiseOn(call: Call): Timeline<Fault> {
    const { source, region, service, byProducer = false } = call;
    const stream = this.#namedStreams.has(call.stream ?? '') ? call.stream : '';
    const key = `${source} ${region} ${service} ${byProducer} ${stream}`;
    const known = this.#timelines.get(key);
    if (known !== undefined) return known;
    const { roles, noise } = this.#options;
    const made = new Timeline(
      noise.filter((fault) => canHit({ ...fault, where: withoutOperations(fault) }, call, roles)),
    );
    this.#timelines.set(key, made);
    return made;
  }
}

/** A probe's batch holds one record: a call that fails in part passes if that one is not among those refused. */
function passedInPart(fate: Fate, random: () => number): Fate {
  const { failure, delayMs } = fate;
  if (failure?.kind !== 'partial') return fate;
  return random() < failure.rate ? fate : { delayMs };
}

function withoutOperations({ where: { operations: _, ...where } }: Fault): Fault['where'] {
  return where;
}

/**
 * Whether a fault covers a call: asks `fateOf` itself, with a copy of the fault that is always active and
 * always hits.
 */
function canHit(fault: Fault, call: Call, roles: Regions): boolean {
  const always: Fault = { ...fault, atMs: 0, untilMs: 1, rate: 1, effect: { kind: 'reset' } };
  return (
    fateOf(call, { scenario: { faults: [always] }, roles, elapsedMs: 0, random: () => 0 }).failure !==
    undefined
  );
}

/** What the caller sees of a call, with this much time left to wait. */
export function outcomeOf(known: KnownCall, fate: Fate, timeoutMs: number): ProbeOutcome {
  const { call, latencyMs } = known;
  const { delayMs, failure } = fate;
  if (failure === undefined && delayMs === 0 && latencyMs <= timeoutMs) return known.answered;
  const answeredMs = Math.round(latencyMs + delayMs);
  if (failure?.kind === 'timeout' || failure?.kind === 'blackhole' || answeredMs > timeoutMs)
    return timedOut(timeoutMs);
  if (failure === undefined) return { ok: true, latencyMs: answeredMs };
  const { errorClass, detail } = explained(failure, call.service);
  return { ok: false, latencyMs: answeredMs, errorClass, detail };
}

const timedOut = (timeoutMs: number): ProbeOutcome => ({
  ok: false,
  latencyMs: timeoutMs,
  errorClass: classifyError({ name: 'TimeoutError' }),
  detail: 'TimeoutError',
});

interface Explanation {
  readonly errorClass: ErrorClass;
  readonly detail: string;
}
/** By effect and service: each is the same object in every call. */
const explanations = new WeakMap<FailingEffect, Map<string, Explanation>>();

/** How a call that fails so looks to its caller. */
export function explained(failure: FailingEffect, service: string): Explanation {
  const ofEffect = explanations.get(failure) ?? new Map<string, Explanation>();
  const known = ofEffect.get(service);
  if (known !== undefined) return known;
  const facts = factsOf(failure, service);
  const made = { errorClass: classifyError(facts), detail: facts.code ?? facts.name };
  explanations.set(failure, ofEffect.set(service, made));
  return made;
}

function factsOf(failure: FailingEffect, service: string): { name: string; code?: string; status?: number } {
  switch (failure.kind) {
    case 'error':
      return { name: failure.code, status: failure.status };
    case 'throttle': {
      const { code, status } = throttleOf(service);
      return { name: code, status };
    }
    case 'partial':
      return { name: failure.code };
    case 'dns':
      return { name: 'Error', code: 'ENOTFOUND' };
    case 'reset':
      return { name: 'Error', code: 'ECONNRESET' };
    case 'timeout':
    case 'blackhole':
      return { name: 'TimeoutError' };
    default:
      return failure satisfies never;
  }
}
