import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployFailedError } from '../local/deploy/errors.ts';
import { DrillError } from '../local/drill/errors.ts';
import {
  type AbortKind,
  type LookAt,
  type NextStep,
  nextStep,
  type StepContext,
} from '../local/drill/next-step.ts';
import type { DrillResult } from '../local/drill/result.ts';
import { LocalStackEnvironmentError, LocalStackStartError } from '../local/localstack/errors.ts';
import { RunDirectoryError } from '../local/run-directory.ts';
import type { Registered } from '../local/running/run-entry.ts';
import { formatDuration } from '../scenario/duration.ts';
import { type ExitCode, exitCodes } from '../shell/exit-codes.ts';
import { shellLine } from '../shell/shell-words.ts';
import { colors } from './colors.ts';
import type { DrillFlags } from './drill-flags.ts';
import type { Io } from './io.ts';
import { type Failure, failureOf, type Outcome } from './verb.ts';

/** What is known of a run when it ends, however far the run came. */
export interface RunFacts {
  readonly flags: DrillFlags;
  /** '' until the config is read. */
  primary: string;
  seed?: number;
  directory?: string;
  /** Set while the world is left standing. */
  worldFile?: string;
  beside: () => readonly Registered[];
}

export const WAIT_SUGGESTED = '15m';

/** Adds to the result what a reader needs next: where the files are, and after a failure what to do. */
export async function resultEnd(result: DrillResult, run: RunFacts): Promise<Outcome> {
  const others = run.beside().map(({ pid, user, what, sinceMs, runDirectory }) => ({
    ...{ pid, user, what, sinceMs },
    ...(runDirectory === undefined ? {} : { runDirectory }),
  }));
  const beside = others.length === 0 ? {} : { beside: others };
  const kinds = result.judged ? result.failedBy : (['too-slow'] as const);
  const step = result.ok ? undefined : nextStep(kinds, await contextOf(run));
  return {
    exit: exitOfResult(result),
    document: { ...result, runDirectory: run.directory, ...beside, ...documentOf(step) },
    screen: [summary(result), ...besideLines(others.length), ...stepLines(step)].join('\n'),
  };
}

export function exitOfResult({ ok, judged }: DrillResult): ExitCode {
  if (ok) return exitCodes.done;
  return judged ? exitCodes.failed : exitCodes.unhealthy;
}

/** The outcome of a drill that could not be carried out. */
export async function abortEnd(
  io: Pick<Io, 'env' | 'colors'>,
  error: unknown,
  run: RunFacts,
): Promise<Failure> {
  const failure = failureOf(io, error);
  const tooSlow = isTooSlow(error);
  const exit = tooSlow ? exitCodes.unhealthy : failure.exit;
  const step = await abortStep(error, exit, run);
  const document = {
    ...{ ...failure.document, exit },
    ...(tooSlow ? { judged: false } : {}),
    ...(run.directory === undefined ? {} : { runDirectory: run.directory }),
    ...documentOf(step),
  };
  return { exit, document, words: [failure.words, ...stepLines(step)].join('\n') };
}

const isTooSlow = (error: unknown): boolean => error instanceof DrillError && error.kind === 'too-slow';

async function abortStep(error: unknown, exit: ExitCode, run: RunFacts): Promise<NextStep | undefined> {
  if (exit === exitCodes.usage) return undefined;
  if (exit === exitCodes.refused) {
    const nextCommand = `${repeatCommand(run)} --wait-for-other ${WAIT_SUGGESTED}`;
    return { lookAt: [], nextCommand, why: 'waits until the other drill has ended' };
  }
  return nextStep([abortKindOf(error)], await contextOf(run));
}

/** The errors that the SDK's clients throw for an answer that did not come in time. */
const timeouts: readonly string[] = ['TimeoutError', 'AbortError'];
const abortKinds: readonly (readonly [new (...args: never[]) => Error, AbortKind])[] = [
  [DeployFailedError, 'deploy'],
  [LocalStackEnvironmentError, 'install'],
  [LocalStackStartError, 'localstack-start'],
  [RunDirectoryError, 'run-folder'],
];

function abortKindOf(error: unknown): AbortKind {
  if (error instanceof DrillError) return error.kind;
  if (error instanceof Error && timeouts.includes(error.name)) return 'unanswered';
  return abortKinds.find(([type]) => error instanceof type)?.[1] ?? 'other';
}

async function contextOf(run: RunFacts): Promise<StepContext> {
  const { flags, primary, directory, worldFile } = run;
  const simulated = [flags.blackout, flags.killObserver, flags.flood].every((one) => one === undefined);
  return {
    files: directory === undefined ? [] : await filesIn(directory),
    repeat: repeatCommand(run),
    primary,
    disturbed: run.beside().length > 0,
    ...(directory === undefined ? {} : { directory }),
    ...(worldFile === undefined ? {} : { worldFile }),
    ...(simulated ? { simulate: simulateCommand(flags) } : {}),
  };
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const below = await Promise.all(
    ['', 'localstack/', 'consumers/'].map(async (part) => {
      const names = await readdir(join(directory, part)).catch(() => []);
      return names.map((name) => `${part}${name}`);
    }),
  );
  return below.flat().toSorted();
}

function repeatCommand({ flags, seed }: Pick<RunFacts, 'flags' | 'seed'>): string {
  const given: readonly (readonly [string, string | undefined])[] = [
    ['--scenario', flags.scenario],
    ['--config', flags.config],
    ['--for', lengthOf(flags.for)],
    ['--kill-observer', flags.killObserver],
    ['--recovery', lengthOf(flags.recovery)],
    ['--blackout', flags.blackout],
    ['--flood', flags.flood?.toString()],
    ['--flood-for', lengthOf(flags.floodFor)],
    ['--seed', (seed ?? flags.seed)?.toString()],
  ];
  const words = given.flatMap(([option, value]) => (value === undefined ? [] : [option, value]));
  return shellLine(['spillway', 'drill', ...words, ...(flags.failback ? ['--failback'] : [])]);
}

const lengthOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : formatDuration(ms);

function simulateCommand({ scenario, config }: DrillFlags): string {
  const own = config === undefined ? [] : ['--config', config];
  return shellLine(['spillway', 'simulate', '--scenario', scenario, ...own, '--seeds', '1', '--trace']);
}

const documentOf = (step: NextStep | undefined): { lookAt?: readonly LookAt[]; nextCommand?: string } =>
  step === undefined ? {} : { lookAt: step.lookAt, nextCommand: step.nextCommand };

function stepLines(step: NextStep | undefined): readonly string[] {
  if (step === undefined) return [];
  return [
    ...(step.lookAt.length === 0 ? [] : ['look at:']),
    ...step.lookAt.map(({ file, shows }) => `  ${file}  ${colors.dim(shows)}`),
    `next: ${step.nextCommand}`,
    `  ${colors.dim(step.why)}`,
  ];
}

const besideLines = (count: number): readonly string[] =>
  count === 0
    ? []
    : [
        `  ${colors.yellow('!')} ${count === 1 ? 'another drill' : `${count} other drills`} ran beside this one: the timings below cannot be trusted`,
      ];

function summary(result: DrillResult): string {
  const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`);
  const { records, consumers } = result;
  const headline = headlineOf(result);
  return [
    '',
    `${colors.bold(result.scenario)} ${headline}: ${result.verdict} (expected ${result.expected}), ${result.diagnosis}`,
    `  detected ${seconds(result.detectMs)} · DNS moved ${seconds(result.flipMs)} · producers moved ${seconds(result.rtoMs)}`,
    `  records: ${records.acknowledged} acknowledged, ${records.delivered} delivered, ${records.lost} lost, ${records.duplicates} duplicates, ${records.reordered} out of order, ${records.spooled} on disk`,
    `  consumers: ${consumers.processed} processed, ${consumers.lost} not, ${consumers.duplicates} twice, ${consumers.reordered} out of order, ${consumers.late} late from the other region, ${consumers.stranded} only after the outage; back to normal ${seconds(consumers.rtoMs)}`,
    `  switches latched ${seconds(result.latchedMs)} · DNS moves: ${result.flips}`,
    ...(result.failback === undefined
      ? []
      : [`  failed back: producers back ${seconds(result.failback.ms)}`]),
    ...floodLines(result.flood),
    `  AWS calls: ${result.audit.calls}; calls that the failover path must not make: ${result.audit.violations}`,
    ...result.failures.map((failure) => `  ${colors.red('✗')} ${failure}`),
    ...(result.notJudged === undefined ? [] : [`  ${colors.yellow('!')} ${result.notJudged}`]),
  ].join('\n');
}

function floodLines(flood: DrillResult['flood']): readonly string[] {
  if (flood === undefined) return [];
  const { requestsPerSecond, forMs, sent, refused, reserved, expected, answersChanged } = flood;
  const share = sent === 0 ? 0 : Math.round((100 * refused) / sent);
  const words = { holds: 'was to hold', 'may end': 'could end', ends: 'was to end within minutes' };
  return [
    `  flood: ${requestsPerSecond} requests/s for ${forMs / 1_000} s, ${share} % refused with ${reserved} reserved; the latch ${words[expected]}, and ${answersChanged} DNS answers changed`,
  ];
}

function headlineOf({ ok, judged }: DrillResult): string {
  if (ok) return colors.green('met its expectation');
  return judged ? colors.red('did NOT meet its expectation') : colors.yellow('could not be judged');
}
