import { type ContestantName, contestantNames } from './contestants.ts';
import type { Round } from './rounds.ts';

export type Results = Readonly<Record<ContestantName, readonly Round[]>>;

const asked = [
  'sdkDefault',
  'sdkTuned',
  'spillwaySdk',
  'spillway',
  'raw',
] as const satisfies ContestantName[];

/** The figures of one workload: medians over its rounds, and ratios of those medians. */
export function figuresOf(results: Results) {
  const rate = (name: ContestantName): number => median(results[name].map((round) => round.recordsPerSecond));
  const rounded = (from: (name: ContestantName) => number, names: readonly ContestantName[]) =>
    Object.fromEntries(names.map((name) => [name, from(name)]));
  return {
    recordsPerSecond: rounded((name) => Math.round(rate(name)), asked),
    ratio: {
      toSdkDefault: ratio(rate('spillway'), rate('sdkDefault')),
      toSdkTuned: ratio(rate('spillway'), rate('sdkTuned')),
      toRaw: ratio(rate('spillway'), rate('raw')),
      toWire: ratio(rate('spillway'), rate('wire')),
    },
    wireRecordsPerSecond: Math.round(rate('wire')),
    /** `spillway` in JSON, like all others. */
    json: {
      recordsPerSecond: Math.round(rate('spillwayJson')),
      toSdkDefault: ratio(rate('spillwayJson'), rate('sdkDefault')),
      toSdkTuned: ratio(rate('spillwayJson'), rate('sdkTuned')),
      toRaw: ratio(rate('spillwayJson'), rate('raw')),
    },
    /** Slowest and fastest round. */
    spread: Object.fromEntries(
      contestantNames.map((name) => {
        const rates = results[name].map((round) => Math.round(round.recordsPerSecond));
        return [name, [Math.min(...rates), Math.max(...rates)] as const];
      }),
    ),
    cpuMsPer1000: rounded(
      (name) => round2(median(results[name].map((round) => round.cpuMsPer1000))),
      contestantNames,
    ),
    sinkLoad: rounded(
      (name) => round2(median(results[name].map((round) => round.sinkLoad))),
      contestantNames,
    ),
  };
}

export type Figures = ReturnType<typeof figuresOf>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function ratio(a: number, b: number): number {
  return round2(a / b);
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A Markdown table, as in docs/benchmarks.md. */
export function tableOf(
  title: string,
  {
    figures,
    peakRssMiB,
  }: { readonly figures: Figures; readonly peakRssMiB?: Readonly<Record<string, number>> },
): string {
  const { recordsPerSecond, wireRecordsPerSecond, json, spread, cpuMsPer1000, sinkLoad } = figures;
  const rates: Readonly<Record<string, number | undefined>> = {
    ...recordsPerSecond,
    wire: wireRecordsPerSecond,
    spillwayJson: json.recordsPerSecond,
  };
  const memory = peakRssMiB === undefined ? [] : ['peak RSS, MiB'];
  const head = [title, 'records/s', 'slowest to fastest round', 'CPU ms per 1,000', 'sink load', ...memory];
  const rows = contestantNames.map((name) => [
    name,
    thousands(rates[name]),
    (spread[name] ?? []).map(thousands).join(' to '),
    String(cpuMsPer1000[name]),
    String(sinkLoad[name]),
    ...(peakRssMiB === undefined ? [] : [String(peakRssMiB[name])]),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const { toSdkDefault, toSdkTuned, toRaw, toWire } = figures.ratio;
  return [
    line(head),
    line(head.map((_, column) => (column === 0 ? '---' : '--:'))),
    ...rows.map(line),
    '',
    `spillway to sdkDefault ${toSdkDefault}, to sdkTuned ${toSdkTuned}, to raw ${toRaw}, to wire ${toWire}`,
    `in JSON: to sdkDefault ${json.toSdkDefault}, to sdkTuned ${json.toSdkTuned}, to raw ${json.toRaw}`,
    '',
  ].join('\n');
}

function thousands(value: number | undefined): string {
  return value === undefined ? '-' : value.toLocaleString('en-US');
}
