import { ofAsker } from '../operate/credentials.ts';
import { errorFacts } from '../operate/errors.ts';
import { problemOf } from '../operate/reading.ts';
import { type ExitCode, exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { withNextStep } from './next-step.ts';
import type { OutputFlags } from './options.ts';
import { wrapped } from './wrap.ts';

/** The output of a verb: a document for machines, a screen for people. */
export interface Told {
  readonly document: unknown;
  /** Empty: everything has been printed already. */
  readonly screen: string;
  /** A file of its own kind, like a shell script, in which no line may be broken. */
  readonly verbatim?: true;
}

/** What a verb found or did, and the status. */
export interface Outcome extends Told {
  readonly exit: ExitCode;
}

/** What went wrong: a document for machines, words for people. */
export interface Failure {
  readonly exit: ExitCode;
  readonly document: object;
  readonly words: string;
}

/** How a verb ended. With nothing but a status, the verb has printed its output already. */
export type End = Outcome | Failure | { readonly exit: ExitCode };

/**
 * Prints the output now, for a verb that goes on until Ctrl-C. Call it at most once: a later failure is
 * printed on standard error.
 */
export type Tell = (told: Told) => void;

/** Runs a verb, prints exactly one document or screen, and sets the exit status. */
export async function perform(
  io: Io,
  flags: OutputFlags,
  act: (tell: Tell) => Promise<End> | End,
): Promise<void> {
  let json = flags.json === true;
  const tell: Tell = (told) => {
    printed(io, told, json);
    json = false;
  };
  try {
    const end = await act(tell);
    if ('words' in end) failed(io, end, json);
    else if ('document' in end) printed(io, end, json);
    process.exitCode = end.exit;
  } catch (error) {
    process.exitCode = fail(io, json, error);
  }
}

function printed(io: Io, { document, screen, verbatim }: Told, json: boolean): void {
  if (json) io.out(jsonText(document, io));
  else if (screen !== '') io.out(verbatim ? screen : wrapped(screen, io.columns));
}

/** Formats a document: one line for programs, indented for people. */
export const jsonText = (document: unknown, { terminal }: Pick<Io, 'terminal'>): string =>
  JSON.stringify(document, null, terminal ? 2 : undefined);

/** Says what went wrong: a document on standard output with --json, else words on standard error. @returns the status */
export function fail(io: Io, json: boolean, thrown: unknown): ExitCode {
  const failure = failureOf(io, thrown);
  // Nobody reads the output.
  if (failure.exit !== exitCodes.unread) failed(io, failure, json);
  return failure.exit;
}

function failed(io: Io, { document, words }: Failure, json: boolean): void {
  if (json) io.out(jsonText(document, io));
  else io.err(wrapped(words, io.columns));
}

export function failureOf({ env, colors }: Pick<Io, 'env' | 'colors'>, thrown: unknown): Failure {
  const error = toldError(thrown);
  const exit = exitOf(error);
  const { name } = error;
  const message = withNextStep(error.message, env);
  return {
    exit,
    document: { ok: false, exit, error: { name, message, ...errorFacts(error) } },
    words: exit === exitCodes.interrupted ? message : `${colors.red('error')} ${message}`,
  };
}

/** The exit status by the name of the error; any other error means that the verb failed. */
const exits: Readonly<Record<string, ExitCode>> = {
  UsageError: exitCodes.usage,
  PolicyError: exitCodes.usage,
  ConfigError: exitCodes.usage,
  ScenarioError: exitCodes.usage,
  DrainUsageError: exitCodes.usage,
  SpoolDirectoryError: exitCodes.usage,
  RefusedError: exitCodes.refused,
  InterruptedError: exitCodes.interrupted,
  UnreadError: exitCodes.unread,
};

export const exitOf = ({ name }: Error): ExitCode => exits[name] ?? exitCodes.failed;

/** Errors of the SDK, of Node and of the language, which say little without their name; ours say what to do next. */
const foreign =
  /^(?:Error|\w*(?:Exception|Fault)|\w*ProviderError|TimeoutError|AbortError|AggregateError|TypeError|RangeError|SyntaxError|ReferenceError|Unknown\w*)$/;

function toldError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown));
  const error = ofAsker(thrown);
  const isForeign = foreign.test(error.name) || '$metadata' in error;
  return isForeign ? Object.assign(new Error(problemOf(error)), { name: error.name }) : error;
}
