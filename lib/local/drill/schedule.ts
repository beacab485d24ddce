import { onsetMs } from '../../scenario/onset.ts';
import type { Fault, Scenario } from '../../scenario/schema.ts';

/** The longest quiet time before the first fault; more is skipped, because the warm-up has shown the same. */
const LONGEST_LEAD_MS = 10_000;

/** Time from t = 0 to the first fault or lie. */
export const leadMs = (scenario: Scenario): number => onsetMs(scenario);

/** Shortens a long quiet beginning of a scenario; every fault lasts as long as before, and so does every pause. */
export function withoutLead(scenario: Scenario): Scenario {
  const firstMs = leadMs(scenario);
  const skipMs = firstMs > LONGEST_LEAD_MS ? firstMs - LONGEST_LEAD_MS : 0;
  if (skipMs === 0) return scenario;
  const sooner = <Timed extends { readonly atMs: number; readonly untilMs: number }>(one: Timed): Timed => ({
    ...one,
    atMs: one.atMs - skipMs,
    untilMs: one.untilMs - skipMs,
  });
  return {
    ...scenario,
    durationMs: scenario.durationMs - skipMs,
    faults: scenario.faults.map(sooner),
    ...(scenario.lies === undefined ? {} : { lies: scenario.lies.map(sooner) }),
  };
}

/** One line for the timeline. */
export function describeFault({ where, effect, rate, seenFrom }: Fault): string {
  const operations = where.operations === undefined ? 'every operation' : where.operations.join(', ');
  const service = where.service ?? 'every service';
  const share = typeof rate === 'number' ? percent(rate) : `${percent(rate.from)} to ${percent(rate.to)}`;
  const sight = seenFrom === undefined ? '' : `, seen from ${seenFrom.join(', ')}`;
  return `${where.region ?? '*'} ${service} ${operations}: ${effect.kind}, ${share}${sight}`;
}

const percent = (rate: number): string => `${Math.round(100 * rate)} %`;
