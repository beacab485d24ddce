import { median } from '../figures.ts';
import type { ContestantName } from './contestants.ts';
import type { Round } from './rounds.ts';

export interface Measured {
  readonly rounds: Readonly<Record<ContestantName, readonly Round[]>>;
  readonly peakMiB: Readonly<Record<ContestantName, number>>;
}

/** Ours to the KPL's: medians of the rounds of one run. */
export function figuresOf({ rounds, peakMiB }: Measured) {
  const ratio = (figure: keyof Round): number =>
    rounded(medianOf(rounds.spillway, figure) / medianOf(rounds.kpl, figure));
  return {
    toKpl: ratio('userRecordsPerSecond'),
    cpuToKpl: ratio('cpuMsPer1000'),
    memoryToKpl: rounded(peakMiB.spillway / peakMiB.kpl),
    recordsToKpl: ratio('recordsPerUserRecord'),
  };
}

/** A Markdown table, as in docs/benchmarks.md. */
export function tableOf(title: string, { rounds, peakMiB }: Measured): string {
  const head = [
    title,
    'user records/s',
    'CPU ms per 1,000',
    'peak RSS, MiB',
    'user records in a record',
    'bytes of a user record',
    'sink load',
  ];
  const rows = (['spillway', 'kpl'] as const).map((name) => {
    const of = (figure: keyof Round): number => medianOf(rounds[name], figure);
    const rates = rounds[name].map(({ userRecordsPerSecond }) => userRecordsPerSecond);
    return [
      name,
      `${thousands(of('userRecordsPerSecond'))} (${thousands(Math.min(...rates))} to ${thousands(Math.max(...rates))})`,
      of('cpuMsPer1000').toFixed(2),
      thousands(peakMiB[name]),
      (1 / of('recordsPerUserRecord')).toFixed(1),
      of('bytesPerUserRecord').toFixed(1),
      of('sinkLoad').toFixed(2),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line), ''].join('\n');
}

const medianOf = (rounds: readonly Round[], figure: keyof Round): number =>
  median(rounds.map((round) => round[figure]));

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');
