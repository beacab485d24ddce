import { UsageError } from '../operate/errors.ts';
import { shellLine } from '../shell/shell-words.ts';
import type { SimulatedSystem } from '../simulator/system.ts';
import type { NoiseLevel, TraceEvent } from '../simulator/types.ts';
import type { Io } from './io.ts';
import type { SeedRange } from './simulate-input.ts';

export interface SimulateFlags {
  readonly scenario?: string;
  readonly seeds?: SeedRange;
  readonly years?: number;
  readonly detection?: true;
  readonly tune?: true;
  readonly runs?: number;
  readonly config?: string;
  readonly policy?: string;
  readonly conductor?: 'alive' | 'dead';
  readonly noise?: NoiseLevel;
  readonly workers?: number;
  readonly trace?: true;
  readonly write?: string;
  readonly svg?: string;
  readonly json?: true;
}

/** What every mode of `spillway simulate` is given. */
export interface SimulateContext {
  readonly system: SimulatedSystem;
  readonly flags: SimulateFlags;
  /** The most threads; a mode with fewer jobs uses fewer. */
  readonly workers: number;
  readonly io: Pick<Io, 'colors'>;
  /** Prints a line for people: on standard output, or on standard error beside --json. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Thrown when a run threw. The message says how to repeat the run. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}

/** The options that each mode has no use for: an option that is silently ignored would mislead. */
const useless = {
  scenario: ['runs', 'write', 'svg'],
  years: ['scenario', 'runs', 'conductor', 'noise', 'write', 'svg'],
  detection: ['scenario', 'seeds', 'years', 'tune', 'conductor', 'noise', 'trace', 'svg'],
  tune: ['scenario', 'seeds', 'conductor', 'noise', 'trace', 'write'],
} as const satisfies Record<string, readonly (keyof SimulateFlags)[]>;

/** @throws UsageError */
export function checkFlags(flags: SimulateFlags): void {
  const mode = flags.detection
    ? 'detection'
    : flags.tune
      ? 'tune'
      : flags.years === undefined
        ? 'scenario'
        : 'years';
  const wrong = useless[mode].find((name) => flags[name] !== undefined);
  if (wrong === undefined) return;
  const what = mode === 'scenario' ? 'without --detection or --tune' : `with --${mode}`;
  throw new UsageError(`--${wrong} has no use ${what}; leave one of them out.`);
}

/** A trace line has the time first, so that lines sort. */
export function traceLine({ atMs, what, text }: TraceEvent): string {
  const sign = atMs < 0 ? '-' : '+';
  const ms = Math.abs(Math.round(atMs));
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const clock = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}`;
  return `${sign}${clock}.${String(ms % 1_000).padStart(3, '0')} ${what.padEnd(9)} ${text}`;
}

/** The one command that repeats a seed with its trace, as it can be pasted into a shell. */
export function replayCommand(flags: SimulateFlags, own: readonly string[], seed: number): string {
  const shared = [
    ...(flags.config === undefined ? [] : ['--config', flags.config]),
    ...(flags.policy === undefined ? [] : ['--policy', flags.policy]),
    ...(flags.conductor === undefined ? [] : ['--conductor', flags.conductor]),
    ...(flags.noise === undefined ? [] : ['--noise', flags.noise]),
  ];
  const words = ['npx', 'spillway', 'simulate', ...own, '--seeds', `${seed}..${seed}`, '--trace', ...shared];
  return shellLine(words);
}

export const inSeconds = (ms: number | null): string =>
  ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`;
