import type { Scenario } from './schema.ts';

/** What a scenario came to, in real time or in virtual time. */
export interface Outcome {
  readonly verdict: 'failover' | 'hold';
  readonly diagnosis: string;
  /** How often the signal's answer changed. */
  readonly flips: number;
  /** Signals that ended elsewhere than in the standby: `orders ended in us-east-1`. */
  readonly strays: readonly string[];
  /** From the first fault until every producer was in the standby; null = they did not get there. */
  readonly rtoMs: number | null;
  /** It ended before the scenario did. */
  readonly cut: boolean;
}

/** Each expectation that did not hold. The one rule that drills and simulations are judged by. */
export function unmetExpectations(expect: Scenario['expect'], outcome: Outcome): readonly string[] {
  return [...unmet(expect, outcome)];
}

function* unmet(expect: Scenario['expect'], outcome: Outcome): Generator<string> {
  const { verdict, flips, rtoMs } = outcome;
  if (verdict !== expect.verdict) yield `expected ${expect.verdict}, saw ${verdict}`;
  // Slow diagnoses take minutes: a run that was cut short cannot demand them of a region that rightly holds.
  const diagnosisDue = expect.diagnosis !== undefined && (expect.verdict === 'failover' || !outcome.cut);
  if (diagnosisDue && outcome.diagnosis !== expect.diagnosis) {
    yield `expected diagnosis ${expect.diagnosis}, observers said ${outcome.diagnosis}`;
  }
  if (expect.verdict !== 'failover' || verdict !== 'failover') return;
  if (flips > 1) yield `DNS moved ${flips} times instead of once`;
  yield* outcome.strays;
  if (rtoMs === null) yield 'the producers did not settle in the standby';
  else if (expect.withinMs !== undefined && rtoMs > expect.withinMs) {
    yield `took ${rtoMs} ms, expected within ${expect.withinMs} ms`;
  }
}
