import type { Regions } from '../config/config.ts';
import { PRODUCERS } from './fields.ts';
import type { Effect, Fault, Scenario } from './schema.ts';

// Which faults hit a call. Pure: the fault proxy asks in real time, a simulation in virtual time.

/** One API call, as far as faults are concerned. */
export interface Call {
  /** Region of the caller. */
  readonly source: string;
  /** Region that is called. */
  readonly region: string;
  /** The name in `serviceNames`, or the signing name of a service that is not listed there. */
  readonly service: string;
  readonly operation: string;
  /** The cell whose stream is called, or `canary`; absent where the call is to no stream, or to another one. */
  readonly stream?: string | undefined;
  /** The caller is a producer of the user's. */
  readonly byProducer?: boolean;
}

/** A fault's effect that makes the call fail. Latency alone does not. */
export type FailingEffect = Exclude<Effect, { readonly kind: 'latency' }>;

/** The only operation that answers for each of its records, and so can fail in part. */
const PARTIAL_OPERATION = 'PutRecords';

/** What happens to a call: first the delay, then the failure, if there is one. */
export interface Fate {
  /** 0 = no delay. */
  readonly delayMs: number;
  readonly failure?: FailingEffect;
}

export interface FateQuestion {
  readonly scenario: Pick<Scenario, 'faults'>;
  readonly roles: Regions;
  /** Time since t = 0 of the scenario. */
  readonly elapsedMs: number;
  /** Uniform in [0, 1). Drawn once for each active fault that covers the call, in file order. */
  readonly random: () => number;
}

/**
 * Draws what happens to a call. Every fault that covers the call is drawn on its own, at its rate of that moment; delays
 * of those that hit add up, and the first failing effect in file order wins. A batch call (PutRecords) is drawn once,
 * as a whole: it fails or passes with all its records. Which records a `partial` answer refuses is drawn by whoever
 * answers.
 */
export function fateOf(call: Call, { scenario, roles, elapsedMs, random }: FateQuestion): Fate {
  let delayMs = 0;
  let failure: FailingEffect | undefined;
  let partial: FailingEffect | undefined;
  for (const fault of scenario.faults) {
    if (!isActive(fault, elapsedMs) || !covers(fault, call, roles)) continue;
    // Drawn even where the outcome no longer matters, so that one fault's luck does not depend on another's.
    const hit = random() < rateAt(fault, elapsedMs);
    if (!hit) continue;
    if (fault.effect.kind === 'partial' && call.operation !== PARTIAL_OPERATION) continue;
    if (fault.effect.kind === 'latency') delayMs += fault.effect.ms;
    else if (fault.effect.kind === 'partial') partial ??= fault.effect;
    else failure ??= fault.effect;
  }
  // A call that fails wholly has no answer that could refuse some of its records.
  failure ??= partial;
  return failure === undefined ? { delayMs } : { delayMs, failure };
}

/** Whether a fault is active: from its beginning up to, but not including, its end. */
export function isActive({ atMs, untilMs }: Fault, elapsedMs: number): boolean {
  return elapsedMs >= atMs && elapsedMs < untilMs;
}

/** Fraction of calls that an active fault hits at this moment; a ramp runs over the fault's whole life. */
export function rateAt({ rate, atMs, untilMs }: Fault, elapsedMs: number): number {
  if (typeof rate === 'number') return rate;
  const progress = (elapsedMs - atMs) / (untilMs - atMs);
  return rate.from + (rate.to - rate.from) * progress;
}

function covers({ where, seenFrom }: Fault, call: Call, roles: Regions): boolean {
  return (
    isRegion(where.region, call.region, roles) &&
    (where.service === undefined || where.service === call.service) &&
    (where.operations === undefined || where.operations.includes(call.operation)) &&
    (where.streams === undefined || (call.stream !== undefined && where.streams.includes(call.stream))) &&
    (seenFrom === undefined || seenFrom.some((place) => isSource(place, call, roles)))
  );
}

const isSource = (place: string, { source, byProducer }: Call, roles: Regions): boolean =>
  place === PRODUCERS ? byProducer === true : isRegion(place, source, roles);

function isRegion(roleOrName: string, region: string, roles: Regions): boolean {
  switch (roleOrName) {
    case '*':
      return true;
    case 'primary':
      return region === roles.primary;
    case 'standby':
      return region === roles.standby;
    case 'witness':
      return roles.witnesses.includes(region);
    default:
      return region === roleOrName;
  }
}
