import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration } from '../scenario/duration.ts';

export interface TargetFlags {
  readonly config?: string;
  readonly world?: string;
  readonly local?: true;
  readonly dns?: string;
}

export interface OutputFlags {
  readonly json?: true;
}

export interface ChangeFlags extends TargetFlags, OutputFlags {
  readonly reason?: string;
  readonly owner?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  /** Flags of a verb that has guards. */
  readonly check?: true;
  readonly verbose?: true;
}

/** Flags of a verb that may be about single cells alone. */
export interface ScopeFlags {
  readonly cells?: readonly string[];
}

/** `--cells` of an override: it then holds for the moves of these cells alone. */
export const withScope = (command: Command): Command =>
  command.option(
    '--cells <names>',
    'only the moves of these cells by themselves, separated by commas; the votes of the region go on (default: every move)',
    listArgument,
  );

export interface OverrideFlags extends ChangeFlags, ScopeFlags {
  readonly for?: number;
}

const targetRule = `
Where it looks:
  --world FILE   a local world, as \`spillway drill --keep\` writes it (world.json)
  --local        the local world that is running now, if there is exactly one under .spillway/runs
  neither        AWS, with the credentials and AWS_ENDPOINT_URL of the environment
  A local world is never used without one of the two flags. DNS servers: --dns, else SPILLWAY_DNS_SERVERS, else
  the local world's, else the system's.`;

/** Options of every verb that looks at a deployment. */
export function withTarget(command: Command): Command {
  return command
    .option('--config <file>', 'the config (default: spillway.config.ts or .json here)')
    .addOption(
      new Option('--world <file>', 'facts of a local world, to use instead of AWS').conflicts('local'),
    )
    .option('--local', 'use the one local world that is running')
    .option('--dns <servers>', 'DNS servers to ask, address:port separated by commas')
    .addHelpText('after', targetRule);
}

export function withJson(command: Command): Command {
  return command.option(
    '--json',
    'print one JSON document to standard output; progress goes to standard error',
  );
}

/** Options of every verb that changes something. */
export function withChange(command: Command): Command {
  return withJson(withTarget(command))
    .option('--reason <text>', 'why; required, and kept in the journal')
    .option('--owner <name>', 'who, as you want to be called; kept beside the identity of the credentials')
    .option('--yes', 'do not ask; without a terminal this is required')
    .option('--dry-run', 'change nothing: print what would be done, and by which AWS calls');
}

/** Options of a verb that changes something and that guards may refuse. */
export function withGuards(command: Command): Command {
  return withChange(command)
    .addOption(
      new Option(
        '--check',
        'ask the guards and do nothing: would the act be refused (status 3), by which guards, until when',
      ).conflicts('dryRun'),
    )
    .option('--verbose', 'with --dry-run: each call with its parameters');
}

export interface Bounds {
  readonly defaultMs: number;
  readonly maxMs: number;
}

const MIN_OVERRIDE_MS = 60_000;

/** `--for`: how long an override lives. No override that an operator sets at night may last for ever. */
export function withExpiry(command: Command, { defaultMs, maxMs }: Bounds): Command {
  const longest = formatDuration(maxMs);
  return command.option(
    '--for <duration>',
    `end by itself after this long, at most ${longest} (default: ${formatDuration(defaultMs)})`,
    (text) => {
      const ms = durationArgument(text);
      if (ms >= MIN_OVERRIDE_MS && ms <= maxMs) return ms;
      throw new InvalidArgumentError(`Write a duration from 1m to ${longest}; it can be renewed later.`);
    },
  );
}

/** A default in milliseconds, shown as one would write it: `10m`, or in the words given. */
export function durationOption(
  flags: string,
  description: string,
  { defaultMs, words = formatDuration(defaultMs), parse = durationArgument }: DurationOptions,
): Option {
  return new Option(flags, description).argParser(parse).default(defaultMs, words);
}

export interface DurationOptions {
  readonly defaultMs: number;
  readonly words?: string;
  readonly parse?: (text: string) => number;
}

export function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'Not a duration.');
  }
}

export function wholeArgument({ min, max }: { readonly min: number; readonly max: number }) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  };
}

export const listArgument = (text: string): readonly string[] => {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Name at least one, separated by commas.');
  return names;
};

/** As `timeArgument`, of something that has happened. */
export function pastArgument(nowMs: () => number) {
  const parse = timeArgument(nowMs);
  return (text: string): number => {
    const ms = parse(text);
    if (ms <= nowMs()) return ms;
    throw new InvalidArgumentError('This time is in the future: name one that has passed.');
  };
}

/** A time in the past: `2026-11-25T03:10Z`, or `20m` for twenty minutes ago. */
export function timeArgument(nowMs: () => number) {
  return (text: string): number => {
    if (/^\d/.test(text) && /^[\dhmsd]+$/.test(text)) return nowMs() - durationArgument(text);
    // Without a zone, a time would mean another moment on each operator's machine.
    const ms = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isFinite(ms)) return ms;
    throw new InvalidArgumentError(
      'Write a time with its zone, like 2026-11-25T03:10Z, or how long ago, like 20m.',
    );
  };
}
