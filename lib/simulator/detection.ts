import { type Scenario, type ScenarioInput, scenarioSchema, toScenario } from '../scenario/schema.ts';
import { type ScenarioJob, type ScenarioVariant, scenarioTask } from './jobs.ts';
import { runJobs } from './pool.ts';
import { type Percentiles, percentilesOfAll } from './statistics.ts';
import type { SimulatedSystem } from './system.ts';

/** Failing fractions of writes, from a total failure to a failure that a region's customers hardly see. */
export const failingFractions = [1, 0.5, 0.3, 0.2, 0.12, 0.05, 0.03, 0.01] as const;
/** These must not lead to a move, so their runs are watched for longer. */
const HOLDS_UP_TO = 0.12;

/** One fraction: how long the observers take to decide, and how many runs do. */
export interface DetectionRow {
  readonly fraction: number;
  /** How long each run was watched. */
  readonly watchedMs: number;
  /** Over all runs; null = too many runs never decided. */
  readonly decideMs: Percentiles;
  /** Share of the runs that decided. */
  readonly decided: number;
  /** Over all runs: how long until K observers say that the primary is at fault, which pages. */
  readonly pagedMs: Percentiles;
}

/** Puts to the primary fail at this rate from t = 0, and nothing else does. The expectation is not judged. */
export function failingWrites(fraction: number): Scenario {
  const input: ScenarioInput = {
    name: `writes-fail-at-${String(fraction).replace('.', '-')}`,
    title: `${fraction * 100} % of the puts to the primary fail`,
    duration: fraction <= HOLDS_UP_TO ? '6h' : '1h',
    faults: [
      {
        at: '0s',
        where: { region: 'primary', service: 'kinesis', operations: ['PutRecord', 'PutRecords'] },
        effect: { kind: 'error', status: 500, code: 'InternalFailure' },
        rate: fraction,
      },
    ],
    expect: { verdict: fraction <= HOLDS_UP_TO ? 'hold' : 'failover' },
  };
  return toScenario(scenarioSchema.parse(input));
}

export const untilDecided = (system: SimulatedSystem, scenario: Scenario): ScenarioVariant => ({
  system,
  scenario,
  noise: 'none',
  conductor: 'alive',
  until: 'decided',
});

export interface DetectionOptions {
  readonly system: SimulatedSystem;
  /** Runs per fraction, with the seeds 1 to `runs`: every fraction has the same luck. */
  readonly runs: number;
  readonly workers: number;
  readonly fractions?: readonly number[];
  readonly onRun?: () => void;
  readonly signal?: AbortSignal;
}

/** Measures the time to decide for each failing fraction. */
export async function detectionTable(options: DetectionOptions): Promise<readonly DetectionRow[]> {
  const { system, runs, workers, fractions = failingFractions, onRun, signal } = options;
  const variants = fractions.map((fraction) => untilDecided(system, failingWrites(fraction)));
  const times: (number | null)[][] = variants.map(() => []);
  const pages: (number | null)[][] = variants.map(() => []);
  const results = runJobs(scenarioTask, {
    shared: variants,
    jobs: everySeed(variants.length, runs),
    workers,
    ...(signal === undefined ? {} : { signal }),
  });
  let count = 0;
  for await (const { decideMs, pagedMs } of results) {
    times[count % variants.length]?.push(decideMs);
    pages[count++ % variants.length]?.push(pagedMs);
    onRun?.();
  }
  return fractions.map((fraction, index) => {
    const decideMs = times[index] ?? [];
    return {
      fraction,
      watchedMs: variants[index]?.scenario.durationMs ?? 0,
      decideMs: percentilesOfAll(decideMs),
      decided: decideMs.filter((ms) => ms !== null).length / runs,
      pagedMs: percentilesOfAll(pages[index] ?? []),
    };
  });
}

/** Each variant with the seeds 1 to `runs`, in turn: variants take unlike times, and progress should tell how long it is. */
export function* everySeed(variants: number, runs: number): Generator<ScenarioJob> {
  for (let seed = 1; seed <= runs; seed++) {
    for (let variant = 0; variant < variants; variant++) yield { variant, seed };
  }
}

/** As Markdown, with padded columns as the formatter would have them. */
export function detectionMarkdown(rows: readonly DetectionRow[]): string {
  const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`);
  return markdownTable([
    ['failing writes', 'moved p50', 'p95', 'runs that move', 'paged p50', 'p95', 'watched for'],
    ...rows.map(({ fraction, decideMs, decided, pagedMs, watchedMs }) => [
      `${Number((fraction * 100).toFixed(3))} %`,
      seconds(decideMs.p50),
      seconds(decideMs.p95),
      `${Number((decided * 100).toFixed(1))} %`,
      seconds(pagedMs.p50),
      seconds(pagedMs.p95),
      `${Number((watchedMs / 3_600_000).toFixed(2))} h`,
    ]),
  ]);
}

/** The first row is the head; columns are padded. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
}

const BEGIN = '<!-- detection:begin -->';
const END = '<!-- detection:end -->';

/** Puts `table` between the two comments. @throws RangeError when the text does not have both, once, in order. */
export function replaceDetection(text: string, table: string): string {
  const [before, rest, ...more] = text.split(BEGIN);
  const [, after, ...others] = (rest ?? '').split(END);
  if (rest === undefined || after === undefined || more.length + others.length > 0) {
    throw new RangeError(`needs ${BEGIN} and, after it, ${END}, once each`);
  }
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
