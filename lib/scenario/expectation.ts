import type { Scenario } from './schema.ts';

/** The outcome of a scenario, in real time or in virtual time. */
export interface Outcome {
  readonly verdict: 'failover' | 'hold';
  readonly diagnosis: string;
  /** How often the signal's answer changed. */
  readonly flips: number;
  /** Cells that ended elsewhere than expected: `orders ended in us-east-1`. */
  readonly strays: readonly string[];
  /** From the first fault until DNS first named the standby; null = never. */
  readonly flipMs: number | null;
  /** From the first fault until every producer was in the standby; null = that never happened. */
  readonly rtoMs: number | null;
  /** True when the run ended before the scenario did. */
  readonly cut: boolean;
  /** When its first fault begins, from t = 0. */
  readonly firstFaultMs: number;
}

/** Cells that ended elsewhere than they should: those that move at `to`, all others at `from`. */
export function straysOf(ends: {
  /** Where each cell was at the end. */
  readonly places: Readonly<Record<string, string>>;
  /** Absent: all of them. */
  readonly moving?: readonly string[] | undefined;
  readonly from: string;
  readonly to: string;
}): readonly string[] {
  const { places, moving = Object.keys(places), from, to } = ends;
  return Object.entries(places)
    .filter(([cell, place]) => place !== (moving.includes(cell) ? to : from))
    .map(([cell, place]) => `${cell} ended in ${place}`);
}

/** The subject of an expectation. */
export type Expectation = 'verdict' | 'diagnosis' | 'moves' | 'end' | 'arrival';

export interface Unmet {
  readonly about: Expectation;
  readonly text: string;
}

/** Finds each expectation that was not met. Drills and simulations are judged by this one rule. */
export const unmetExpectations = (expect: Scenario['expect'], outcome: Outcome): readonly string[] =>
  unmetOnes(expect, outcome).map(({ text }) => text);

/** Finds each expectation that was not met, with its subject. */
export const unmetOnes = (expect: Scenario['expect'], outcome: Outcome): readonly Unmet[] => [
  ...unmet(expect, outcome),
];

function* unmet(expect: Scenario['expect'], outcome: Outcome): Generator<Unmet> {
  const { verdict, flips, rtoMs } = outcome;
  if (verdict !== expect.verdict) {
    yield { about: 'verdict', text: `expected ${expect.verdict}, saw ${verdict}` };
  }
  // Slow diagnoses take minutes, so a run that was cut short and rightly held need not have reached one.
  const diagnosisDue = expect.diagnosis !== undefined && (expect.verdict === 'failover' || !outcome.cut);
  if (diagnosisDue && outcome.diagnosis !== expect.diagnosis) {
    const text = `expected diagnosis ${expect.diagnosis}, observers said ${outcome.diagnosis}`;
    yield { about: 'diagnosis', text };
  }
  if (expect.verdict !== 'failover' || verdict !== 'failover') return;
  if (flips > 1) yield { about: 'moves', text: `DNS moved ${flips} times instead of once` };
  for (const text of outcome.strays) yield { about: 'end', text };
  const fromMs = (expect.afterMs ?? outcome.firstFaultMs) - outcome.firstFaultMs;
  if (outcome.flipMs !== null && outcome.flipMs < fromMs) {
    yield { about: 'arrival', text: `moved ${fromMs - outcome.flipMs} ms before anything was to move` };
  }
  if (rtoMs === null) {
    yield { about: 'arrival', text: 'the producers did not settle in the standby' };
    return;
  }
  const tookMs = rtoMs - fromMs;
  if (expect.withinMs !== undefined && tookMs > expect.withinMs) {
    yield { about: 'arrival', text: `took ${tookMs} ms, expected within ${expect.withinMs} ms` };
  }
}
