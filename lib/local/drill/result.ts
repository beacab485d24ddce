import type { Call } from '../../aws/call-log.ts';
import type { Config } from '../../config/config.ts';
import { audit } from '../../operate/audit.ts';
import { straysOf, unmetOnes } from '../../scenario/expectation.ts';
import { onsetMs } from '../../scenario/onset.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { ConsumerCount } from './consumer-measure.ts';
import type { Acknowledgement, DrillEvent } from './events.ts';
import type { FailbackEnd, FailbackSeen } from './fail-back.ts';
import type { FloodEnd, FloodSeen } from './flood.ts';
import {
  commonDiagnosis,
  countRecords,
  detectMs,
  type Found,
  finalRegions,
  flipMs,
  flips,
  latchedMs,
  type RecordCount,
  rtoMs,
} from './measure.ts';
import { movingIn } from './moving.ts';
import type { FailureKind } from './next-step.ts';
import type { PaceSummary } from './pace.ts';

/**
 * The last line of `spillway drill --json`. Times are milliseconds from the first fault's start; null =
 * never.
 */
export interface DrillResult {
  readonly scenario: string;
  readonly verdict: 'failover' | 'hold';
  readonly expected: 'failover' | 'hold';
  readonly ok: boolean;
  /** False: something was late because the machine was slow, which says nothing about Spillway. */
  readonly judged: boolean;
  /** Why the drill could not be judged. */
  readonly notJudged?: string;
  /** Each expectation that did not hold. */
  readonly failures: readonly string[];
  /** The subject of each failure, in the same order. */
  readonly failedBy: readonly FailureKind[];
  readonly diagnosis: string;
  /** When the K-th observer's EVACUATE was stored. */
  readonly detectMs: number | null;
  /** When DNS first named the standby. */
  readonly flipMs: number | null;
  /** When every producer of the cells that are to move began to land 95 % of its puts in the standby. */
  readonly rtoMs: number | null;
  /** When every switch of the cells that are to move was stored as held in the standby. */
  readonly latchedMs: number | null;
  /** Where the signal of each cell was at the end. */
  readonly cells: Readonly<Record<string, string>>;
  readonly records: RecordCount;
  /** What the consumers in both regions did with these records. */
  readonly consumers: ConsumerCount;
  readonly flips: number;
  /** The failback, of a drill with one. */
  readonly failback?: FailbackEnd;
  /** The flood, of a drill with one. */
  readonly flood?: FloodEnd;
  /** Number of AWS calls, and of calls that the failover path must not make. */
  readonly audit: { readonly calls: number; readonly violations: number };
  /** Speed of the world, minute by minute. */
  readonly pace: PaceSummary;
  readonly seed: number;
}

export interface Evidence {
  readonly config: Config;
  readonly scenario: Scenario;
  readonly faultAtMs: number;
  /** Events from the moment the scenario began. */
  readonly events: readonly DrillEvent[];
  readonly acknowledgements: readonly Acknowledgement[];
  /** When the faults ended, or when watching ended. */
  readonly endMs: number;
  readonly failback: FailbackSeen | undefined;
  readonly flood?: FloodSeen | undefined;
  /** Problems of the operator's own failover, if there was one. */
  readonly operatorFailures: readonly string[];
  readonly calls: readonly Call[];
  readonly found: Found;
  readonly consumed: ConsumerCount;
  /** Puts that were rejected; with a spool there must be none. */
  readonly rejected: number;
  /** The drill ended before the scenario did. */
  readonly cut: boolean;
  readonly pace: PaceSummary;
  /** Why this machine was too slow for anything that takes time to be judged; undefined when it was not. */
  readonly slowness: string | undefined;
  readonly seed: number;
}

/** Failures that no slow machine excuses. */
const neverExcused: ReadonlySet<FailureKind> = new Set([
  ...(['lost', 'order', 'rejected', 'audit'] as const),
  'consumer-order',
]);
/** Consumers may take so much longer than producers: records wait for a poll, and behind those of the same shard. */
const CONSUMER_MARGIN_MS = 15_000;

/** Judges what was seen against what the scenario expects. */
export function judge(evidence: Evidence): DrillResult {
  const { config, scenario, faultAtMs, events } = evidence;
  const { standby } = config.regions;
  const moved = flips(events);
  const moving = movingIn(config, scenario);
  const measured = {
    scenario: scenario.name,
    verdict: moved === 0 ? ('hold' as const) : ('failover' as const),
    expected: scenario.expect.verdict,
    diagnosis: commonDiagnosis(events, evidence),
    detectMs: detectMs(events, { faultAtMs, votesToEvacuate: config.policy.votesToEvacuate }),
    flipMs: flipMs(events, { faultAtMs, standby }),
    rtoMs: rtoMs(beforeFlood(evidence), { faultAtMs, standby, producers: moving.producers }),
    latchedMs: latchedMs(events, { faultAtMs, groups: moving.groups }),
    cells: cellsAtEnd(config, events),
    records: countRecords(evidence.acknowledgements, evidence.found),
    consumers: evidence.consumed,
    flips: moved,
  };
  const judged = audit(evidence.calls, config.regions.primary);
  const failures = [
    ...expectations(measured, evidence),
    ...about('operator-failover', evidence.operatorFailures),
    ...about('failback', evidence.failback?.failures ?? []),
    ...about('flood', evidence.flood?.failures ?? []),
    ...about(
      'audit',
      judged.distinct.map(
        ({ call, rule, times }) =>
          `${call.who} called ${call.service} ${call.operation} in ${call.region} ${times} times (${rule})`,
      ),
    ),
  ];
  const excused = failures.length > 0 && !failures.some(({ about }) => neverExcused.has(about));
  const notJudged = excused ? evidence.slowness : undefined;
  const { scenario: name, verdict, expected, ...rest } = measured;
  return {
    scenario: name,
    verdict,
    expected,
    ok: failures.length === 0,
    judged: notJudged === undefined,
    ...(notJudged === undefined ? {} : { notJudged }),
    ...rest,
    ...(evidence.failback === undefined
      ? {}
      : { failback: { ok: evidence.failback.ok, ms: evidence.failback.ms } }),
    ...(evidence.flood === undefined ? {} : { flood: floodEnd(evidence.flood) }),
    audit: { calls: judged.calls, violations: judged.violations },
    failures: failures.map(({ text }) => text),
    failedBy: failures.map((failure) => failure.about),
    pace: evidence.pace,
    seed: evidence.seed,
  };
}

/** An operator moves traffic before a flood, which is no recovery from the scenario's faults. */
const beforeFlood = ({ acknowledgements, flood }: Evidence): readonly Acknowledgement[] =>
  flood === undefined ? acknowledgements : acknowledgements.filter(({ atMs }) => atMs < flood.sinceMs);

const floodEnd = ({ failures: _failures, sinceMs: _sinceMs, ...end }: FloodSeen): FloodEnd => end;

function cellsAtEnd({ cells, regions }: Config, events: readonly DrillEvent[]): Record<string, string> {
  const last = finalRegions(events);
  return Object.fromEntries(cells.map(({ name }) => [name, last.get(name) ?? regions.primary]));
}

interface Failure {
  readonly about: FailureKind;
  readonly text: string;
}

const about = (kind: FailureKind, texts: readonly string[]): readonly Failure[] =>
  texts.map((text) => ({ about: kind, text }));

function* ofConsumers(
  { consumers, verdict }: Pick<DrillResult, 'consumers' | 'verdict'>,
  { expect }: Scenario,
): Generator<Failure> {
  const { lost, reordered, rtoMs } = consumers;
  if (lost > 0) {
    yield { about: 'unprocessed', text: `${lost} acknowledged records were processed by no consumer` };
  }
  if (reordered > 0) {
    const text = `${reordered} records were processed after a later one of their key by the same consumer`;
    yield { about: 'consumer-order', text };
  }
  if (verdict !== 'failover' || expect.verdict !== 'failover') return;
  if (rtoMs === null) {
    yield { about: 'consumer-arrival', text: 'the consumers did not come back to their normal delay' };
  } else if (expect.withinMs !== undefined && rtoMs > expect.withinMs + CONSUMER_MARGIN_MS) {
    const limitMs = expect.withinMs + CONSUMER_MARGIN_MS;
    const text = `the consumers took ${rtoMs} ms, expected within ${limitMs} ms`;
    yield { about: 'consumer-arrival', text };
  }
}

function* expectations(
  measured: Omit<
    DrillResult,
    'ok' | 'judged' | 'notJudged' | 'failures' | 'failedBy' | 'pace' | 'seed' | 'audit' | 'failback' | 'flood'
  >,
  { scenario, config, cut, rejected, failback }: Evidence,
): Generator<Failure> {
  const { records, verdict } = measured;
  const { regions } = config;
  if (records.acknowledged === 0) {
    yield { about: 'nothing-acknowledged', text: 'no record was acknowledged, so nothing was shown' };
  }
  if (records.lost > 0) {
    yield { about: 'lost', text: `${records.lost} acknowledged records are in neither stream` };
  }
  if (records.reordered > 0) {
    yield { about: 'order', text: `${records.reordered} records came after a later one of their key` };
  }
  yield* ofConsumers(measured, scenario);
  if (rejected > 0) yield { about: 'rejected', text: `${rejected} puts were rejected` };
  if (verdict === 'failover' && records.spooled > 0) {
    yield { about: 'on-disk', text: `${records.spooled} records are still on disk` };
  }
  const strays = straysOf({
    places: measured.cells,
    // After a failback every cell is back.
    moving: failback === undefined ? scenario.expect.cells : [],
    from: regions.primary,
    to: regions.standby,
  });
  // The failback is judged by itself; the scenario expects one move.
  const flips = failback === undefined ? measured.flips : measured.flips - 1;
  const firstFaultMs = onsetMs(scenario);
  yield* unmetOnes(scenario.expect, { ...measured, flips, strays, cut, firstFaultMs });
  if (verdict === 'failover' && measured.latchedMs === null) {
    yield { about: 'latch', text: 'not every switch was latched' };
  }
}
