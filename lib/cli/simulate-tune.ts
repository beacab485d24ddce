import { writeFile } from 'node:fs/promises';
import { UsageError } from '../operate/errors.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { type Chart, type ChartPoint, scatterSvg } from '../simulator/chart.ts';
import { markdownTable } from '../simulator/detection.ts';
import type { Percentiles } from '../simulator/statistics.ts';
import { nameOf, observersOf, type TuneRow, tune, tuneGrid } from '../simulator/tune.ts';
import { Progress } from './progress.ts';
import { inSeconds, type SimulateContext } from './simulate-context.ts';
import type { Outcome } from './verb.ts';

const DEFAULT_RUNS = 200;
const DEFAULT_YEARS = 2;
const DEFAULT_SVG = 'spillway-tune.svg';

/**
 * Shows the trade-off between detection delay and false alarms, over thresholds and K of N, as a table and a
 * chart.
 */
export async function simulateTune(context: SimulateContext): Promise<Outcome> {
  const { system, flags, workers, say, signal } = context;
  const { runs = DEFAULT_RUNS, years = DEFAULT_YEARS, svg: file = DEFAULT_SVG } = flags;
  const { points, refused } = tuneGrid(system);
  await write(file, '');
  say(`${points.length} policies, each with 2 x ${runs} outages and ${years} years of noise`);
  const beganMs = performance.now();
  const runsDone = new Progress({ total: points.length * 2 * runs, unit: 'outages' });
  // Created with the first years; otherwise the time of the outages would count as time of the years.
  let yearsDone: Progress | undefined;
  let rows: readonly TuneRow[];
  try {
    rows = await tune({
      points,
      runs,
      years,
      workers,
      onRun: () => runsDone.add(1),
      onYears: (count) => {
        runsDone.clear();
        yearsDone ??= new Progress({ total: points.length * years, unit: 'years' });
        yearsDone.add(count);
      },
      signal,
    });
  } finally {
    runsDone.clear();
    yearsDone?.clear();
  }
  const seconds = Number(((performance.now() - beganMs) / 1_000).toFixed(1));
  await write(file, scatterSvg(chartOf(rows, years)));
  say(markdownTable(tableOf(rows)));
  say(
    '* Pareto-optimal: no other policy is better in p95 (all), p95 (half), false votes or failovers without being worse in another of them',
  );
  for (const point of refused)
    say(`left out, because a config would refuse it: ${nameOf(point)}: ${point.reason}`);
  say(`chart: ${file}; ${seconds} s`);
  return { exit: exitCodes.done, document: resultOf(rows, { runs, years, file, seconds }), screen: '' };
}

/**
 * Writes the chart; called before the work too, because a chart that cannot be written should not cost
 * minutes.
 */
async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new UsageError(`${file} cannot be written: name another with --svg. ${String(cause)}`, { cause });
  }
}

function tableOf(rows: readonly TuneRow[]): readonly (readonly string[])[] {
  const both = ({ p50, p95 }: Percentiles): readonly string[] => [inSeconds(p50), inSeconds(p95)];
  const rate = (perYear: number): string => String(Number(perYear.toPrecision(3)));
  return [
    [
      '',
      'impaired',
      'alarms/year',
      'blip',
      'K of N',
      'all fail: p50',
      'p95',
      'half of them fail: p50',
      'p95',
      'false votes/year',
      'failovers/year',
      'at most (95 %)',
    ],
    ...rows.map((row) => [
      `${row.efficient ? '*' : ''}${row.own ? ' yours' : ''}`.trim(),
      String(row.system.policy.impairedFailureRate),
      String(row.system.policy.falseAlarmsPerYear),
      inSeconds(row.system.policy.blipMs),
      `${row.system.policy.votesToEvacuate} of ${observersOf(row)}`,
      ...both(row.total),
      ...both(row.half),
      rate(row.falseVotes.perYear),
      rate(row.failovers.perYear),
      rate(row.failovers.upper95PerYear),
    ]),
  ];
}

function chartOf(rows: readonly TuneRow[], years: number): Chart {
  const ownQuorum = rows.find(({ own }) => own);
  const seriesOf = (row: TuneRow): string => {
    const { blipMs, votesToEvacuate } = row.system.policy;
    const same =
      ownQuorum === undefined ||
      (votesToEvacuate === ownQuorum.system.policy.votesToEvacuate &&
        observersOf(row) === observersOf(ownQuorum));
    return same ? `blip ${blipMs / 1_000} s` : 'another K of N';
  };
  const series = [...new Set(rows.map(seriesOf))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const points = (delay: (row: TuneRow) => Percentiles): readonly ChartPoint[] =>
    rows.flatMap((row) => {
      const { p95 } = delay(row);
      if (p95 === null) return [];
      return [
        {
          x: row.falseVotes.upper95PerYear,
          y: p95 / 1_000,
          series: series.indexOf(seriesOf(row)),
          marked: row.efficient,
          ringed: row.own,
          title: `${nameOf(row)}: ${p95 / 1_000} s, at most ${row.falseVotes.upper95PerYear.toPrecision(3)} false votes and ${row.failovers.upper95PerYear.toPrecision(3)} failovers a year`,
        },
      ];
    });
  return {
    title: 'Detection delay against false votes',
    description: `Each point is a policy. Further left: fewer votes of single observers in ${years} years of noise. Further down: a faster decision.`,
    xLabel: 'false votes a year, upper 95 % bound',
    yLabel: 'time to decide, p95 (s)',
    series,
    notes: [
      'Filled: no other policy is better in one respect and as good in the rest. Ringed: yours.',
      'A policy that does not decide in 95 % of the runs is not drawn.',
    ],
    panels: [
      { title: 'All writes fail', points: points(({ total }) => total) },
      { title: 'Half of the writes fail', points: points(({ half }) => half) },
    ],
  };
}

function resultOf(
  rows: readonly TuneRow[],
  { runs, years, file, seconds }: { runs: number; years: number; file: string; seconds: number },
): object {
  return {
    ok: true,
    runs,
    years,
    svg: file,
    seconds,
    rows: rows.map((row) => {
      const { impairedFailureRate, falseAlarmsPerYear, blipMs, votesToEvacuate } = row.system.policy;
      return {
        impairedFailureRate,
        falseAlarmsPerYear,
        blipMs,
        votesToEvacuate,
        observers: observersOf(row),
        own: row.own,
        efficient: row.efficient,
        decideMs: { all: row.total, half: row.half },
        falseVotes: row.falseVotes,
        failovers: row.failovers,
      };
    }),
  };
}
