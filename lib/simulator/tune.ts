import type { Policy } from '../../lambda/core/policy.ts';
import { observerRegions } from '../config/config.ts';
import { everySeed, failingWrites, untilDecided } from './detection.ts';
import { scenarioTask, yearsJobs, yearsTask } from './jobs.ts';
import { runJobs } from './pool.ts';
import { type Percentiles, percentilesOfAll, poissonUpperBound } from './statistics.ts';
import { type SimulatedSystem, systemProblems } from './system.ts';

/** One policy to be measured. */
export interface TunePoint {
  readonly system: SimulatedSystem;
  /** True for the policy that was given, with which the others are compared. */
  readonly own: boolean;
}

/** A policy that a config file could not hold. */
export interface RefusedPoint extends TunePoint {
  readonly reason: string;
}

export interface TuneRow extends TunePoint {
  readonly total: Percentiles;
  readonly half: Percentiles;
  readonly years: number;
  /** A year, of all observers together. */
  readonly falseVotes: Rate;
  readonly failovers: Rate;
  /** No other row is better in one of the four respects and as good in the rest. */
  readonly efficient: boolean;
}

export interface Rate {
  readonly perYear: number;
  readonly upper95PerYear: number;
}

const thresholds = {
  impairedFailureRate: [0.2, 0.3, 0.5],
  falseAlarmsPerYear: [10, 1, 0.1, 0.01],
  blipMs: [5_000, 10_000, 15_000],
} as const satisfies Partial<Record<keyof Policy, readonly number[]>>;

/**
 * The numbers of observers to compare, with K from 2 to N-1; three observers are the least that can outvote a
 * sick one.
 */
const observerCounts = [3, 4, 5] as const;
/** Taken in this order where the config names too few witnesses: far apart, and in no role yet. */
const moreWitnesses = [
  'eu-west-1',
  'us-east-2',
  'ca-central-1',
  'ap-northeast-1',
  'eu-central-1',
  'sa-east-1',
];

/**
 * The policies to compare: every combination of thresholds with the K of N at hand, and every K of N with the
 * thresholds at hand. The product of both would take hours and show little more.
 */
export function tuneGrid(system: SimulatedSystem): {
  readonly points: readonly TunePoint[];
  readonly refused: readonly RefusedPoint[];
} {
  const { policy } = system;
  const candidates: readonly SimulatedSystem[] = [
    system,
    ...thresholds.blipMs.flatMap((blipMs) =>
      thresholds.impairedFailureRate.flatMap((impairedFailureRate) =>
        thresholds.falseAlarmsPerYear.map((falseAlarmsPerYear) => ({
          ...system,
          policy: { ...policy, blipMs, impairedFailureRate, falseAlarmsPerYear },
        })),
      ),
    ),
    ...observerCounts.flatMap((observers) => quorums(system, observers)),
  ];
  const points = new Map<string, TunePoint>();
  const refused = new Map<string, RefusedPoint>();
  for (const candidate of candidates) {
    const point = { system: candidate, own: candidate === system };
    const name = nameOf(point);
    const [problem] = systemProblems(candidate);
    if (problem !== undefined && !point.own) {
      refused.set(name, { ...point, reason: `${problem.path} ${problem.problem}` });
    } else if (!points.has(name)) points.set(name, point);
  }
  return { points: [...points.values()], refused: [...refused.values()] };
}

function quorums(system: SimulatedSystem, observers: number): readonly SimulatedSystem[] {
  const { regions, policy } = system;
  const taken = new Set([regions.primary, regions.standby, ...regions.witnesses]);
  const witnesses = [...regions.witnesses, ...moreWitnesses.filter((region) => !taken.has(region))];
  return Array.from({ length: observers - 2 }, (_, index) => ({
    ...system,
    regions: { ...regions, witnesses: witnesses.slice(0, observers - 1) },
    policy: { ...policy, votesToEvacuate: index + 2 },
  }));
}

export const observersOf = ({ system }: TunePoint): number => observerRegions(system.regions).length;

/** `impaired 0.3, 0.1 alarms a year, blip 10 s, 2 of 3` */
export function nameOf(point: TunePoint): string {
  const { impairedFailureRate, falseAlarmsPerYear, blipMs, votesToEvacuate } = point.system.policy;
  return `impaired ${impairedFailureRate}, ${falseAlarmsPerYear} alarms a year, blip ${blipMs / 1_000} s, ${votesToEvacuate} of ${observersOf(point)}`;
}

const fractions = [1, 0.5] as const;

export interface TuneOptions {
  readonly points: readonly TunePoint[];
  /** Per policy and failing fraction. */
  readonly runs: number;
  /** Per policy. */
  readonly years: number;
  readonly workers: number;
  readonly onRun?: () => void;
  readonly onYears?: (years: number) => void;
  readonly signal?: AbortSignal;
}

/** Measures every policy with the same luck: differences between rows are the policies'. */
export async function tune(options: TuneOptions): Promise<readonly TuneRow[]> {
  const { points, years } = options;
  const delays = await measureDelays(options);
  const alarms = await measureAlarms(options);
  const rows = points.map((point, index): Omit<TuneRow, 'efficient'> => {
    const { votes = 0, failovers = 0 } = alarms[index] ?? {};
    return {
      ...point,
      total: percentilesOfAll(delays[index * fractions.length] ?? []),
      half: percentilesOfAll(delays[index * fractions.length + 1] ?? []),
      years,
      falseVotes: rateOf(votes, years),
      failovers: rateOf(failovers, years),
    };
  });
  const flags = paretoEfficient(rows.map(costsOf));
  return rows.map((row, index) => ({ ...row, efficient: flags[index] === true }));
}

async function measureDelays(options: TuneOptions): Promise<readonly (number | null)[][]> {
  const { points, runs, workers, onRun, signal } = options;
  const variants = points.flatMap(({ system }) =>
    fractions.map((fraction) => untilDecided(system, failingWrites(fraction))),
  );
  const delays: (number | null)[][] = variants.map(() => []);
  const jobs = everySeed(variants.length, runs);
  const shared = { shared: variants, jobs, workers, ...(signal === undefined ? {} : { signal }) };
  let count = 0;
  for await (const { decideMs } of runJobs(scenarioTask, shared)) {
    delays[count++ % variants.length]?.push(decideMs);
    onRun?.();
  }
  return delays;
}

async function measureAlarms(
  options: TuneOptions,
): Promise<readonly { readonly votes: number; readonly failovers: number }[]> {
  const { points, years, workers, onYears, signal } = options;
  const jobs = points.flatMap((_, variant) => [...yearsJobs({ variant, years, seed: 1 })]);
  const sums = points.map(() => ({ votes: 0, failovers: 0 }));
  const shared = points.map(({ system }) => system);
  let index = 0;
  for await (const result of runJobs(yearsTask, { shared, jobs, workers, ...(signal && { signal }) })) {
    const sum = sums[jobs[index++]?.variant ?? -1];
    if (sum !== undefined) {
      sum.votes += result.observerAlarms;
      sum.failovers += result.failovers;
    }
    onYears?.(result.years);
  }
  return sums;
}

const rateOf = (events: number, years: number): Rate => ({
  perYear: events / years,
  upper95PerYear: poissonUpperBound(events) / years,
});

const costsOf = ({ total, half, falseVotes, failovers }: Omit<TuneRow, 'efficient'>): readonly number[] => [
  total.p95 ?? Number.POSITIVE_INFINITY,
  half.p95 ?? Number.POSITIVE_INFINITY,
  falseVotes.perYear,
  failovers.perYear,
];

/** Which rows no other row dominates: as good in every cost, and better in one. */
export function paretoEfficient(costs: readonly (readonly number[])[]): readonly boolean[] {
  const dominates = (a: readonly number[], b: readonly number[]): boolean =>
    a.every((cost, index) => cost <= (b[index] ?? 0)) && a.some((cost, index) => cost < (b[index] ?? 0));
  return costs.map((own) => !costs.some((other) => dominates(other, own)));
}
