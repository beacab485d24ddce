import type { Config } from '../../config/config.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { Acknowledgement, DrillEvent } from './events.ts';
import {
  commonDiagnosis,
  countRecords,
  detectMs,
  finalRegions,
  flipMs,
  flips,
  type RecordCount,
  rtoMs,
} from './measure.ts';

/** The last line of `spillway drill --json`. Times are milliseconds from the first fault's start; null = it never happened. */
export interface DrillResult {
  readonly scenario: string;
  readonly verdict: 'failover' | 'hold';
  readonly expected: 'failover' | 'hold';
  readonly ok: boolean;
  /** Each expectation that did not hold. */
  readonly failures: readonly string[];
  readonly diagnosis: string;
  /** The K-th observer's EVACUATE was stored. */
  readonly detectMs: number | null;
  /** The first DNS answer naming the standby. */
  readonly flipMs: number | null;
  /** Every producer landed 95 % of its puts in the standby from here on. */
  readonly rtoMs: number | null;
  readonly records: RecordCount;
  readonly flips: number;
  readonly seed: number;
}

export interface Evidence {
  readonly config: Config;
  readonly scenario: Scenario;
  readonly faultAtMs: number;
  /** Events from the moment the scenario began. */
  readonly events: readonly DrillEvent[];
  readonly acknowledgements: readonly Acknowledgement[];
  readonly producers: readonly string[];
  /** What was read back from both streams, a copy each. */
  readonly found: readonly string[];
  /** Tells this drill's records from the others found. */
  readonly run: string;
  /** The drill ended before the scenario did. */
  readonly cut: boolean;
  readonly seed: number;
}

/** Judges what was seen against what the scenario expects. */
export function judge(evidence: Evidence): DrillResult {
  const { config, scenario, faultAtMs, events } = evidence;
  const { standby } = config.regions;
  const moved = flips(events);
  const measured = {
    scenario: scenario.name,
    verdict: moved === 0 ? ('hold' as const) : ('failover' as const),
    expected: scenario.expect.verdict,
    diagnosis: commonDiagnosis(events),
    detectMs: detectMs(events, { faultAtMs, votesToEvacuate: config.policy.votesToEvacuate }),
    flipMs: flipMs(events, { faultAtMs, standby }),
    rtoMs: rtoMs(evidence.acknowledgements, { faultAtMs, standby, producers: evidence.producers }),
    records: countRecords(evidence.acknowledgements, evidence),
    flips: moved,
  };
  const failures = [...expectations(measured, evidence)];
  const { scenario: name, verdict, expected, ...rest } = measured;
  return {
    scenario: name,
    verdict,
    expected,
    ok: failures.length === 0,
    ...rest,
    failures,
    seed: evidence.seed,
  };
}

function* expectations(
  measured: Omit<DrillResult, 'ok' | 'failures' | 'seed'>,
  { scenario, config, events, cut }: Evidence,
): Generator<string> {
  const { expect } = scenario;
  const { records, verdict, expected, flips: moved } = measured;
  if (verdict !== expected) yield `expected ${expected}, saw ${verdict}`;
  if (records.acknowledged === 0) yield 'no record was acknowledged, so nothing was shown';
  if (records.lost > 0) yield `${records.lost} acknowledged records are in neither stream`;
  // Slow diagnoses take minutes: a drill that was cut short cannot demand them of a region that rightly holds.
  const diagnosisDue = expect.diagnosis !== undefined && (expected === 'failover' || !cut);
  if (diagnosisDue && measured.diagnosis !== expect.diagnosis) {
    yield `expected diagnosis ${expect.diagnosis}, observers said ${measured.diagnosis}`;
  }
  if (expected !== 'failover' || verdict !== 'failover') return;
  if (moved > 1) yield `DNS moved ${moved} times instead of once`;
  for (const [cell, region] of finalRegions(events)) {
    if (region !== config.regions.standby) yield `${cell} ended in ${region}`;
  }
  if (measured.rtoMs === null) yield 'the producers did not settle in the standby';
  else if (expect.withinMs !== undefined && measured.rtoMs > expect.withinMs) {
    yield `took ${measured.rtoMs} ms, expected within ${expect.withinMs} ms`;
  }
}
