import { ConfigError } from '../config/errors.ts';
import { ofAsker } from '../operate/credentials.ts';
import { errorFacts, RefusedError, UsageError } from '../operate/errors.ts';
import { problemOf } from '../operate/reading.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import type { OutputFlags } from './options.ts';

/** What a verb found or did: a document for machines, a screen for people, and the status. */
export interface Outcome {
  readonly exit: ExitCode;
  readonly document: unknown;
  readonly screen: string;
}

/** Runs a verb, prints exactly one document or screen, and sets the exit status. */
export async function perform(io: Io, flags: OutputFlags, act: () => Promise<Outcome>): Promise<void> {
  const outcome = await Promise.try(act).catch((error: unknown) => outcomeOf(error, io));
  if (flags.json) io.out(JSON.stringify(outcome.document, null, 2));
  else if (outcome instanceof Failure) io.err(outcome.screen);
  else io.out(outcome.screen);
  process.exitCode = outcome.exit;
}

class Failure implements Outcome {
  readonly exit: ExitCode;
  readonly document: unknown;
  readonly screen: string;

  constructor(exit: ExitCode, error: Error, io: Io) {
    this.exit = exit;
    this.document = {
      ok: false,
      exit,
      error: { name: error.name, message: error.message, ...errorFacts(error) },
    };
    this.screen = `${io.colors.red('error')} ${error.message}`;
  }
}

function outcomeOf(error: unknown, io: Io): Outcome {
  if (!(error instanceof Error)) return new Failure(exitCodes.failed, new Error(String(error)), io);
  const told = ofAsker(error);
  return new Failure(exitOf(told), named(told), io);
}

export function exitOf(error: Error): ExitCode {
  if (error instanceof UsageError || error instanceof ConfigError) return exitCodes.usage;
  if (error instanceof RefusedError) return exitCodes.refused;
  if (error.name === 'InterruptedError') return exitCodes.interrupted;
  return exitCodes.failed;
}

/** An SDK error says little without its name. */
function named(error: Error): Error {
  const ours =
    /^(Usage|Config|Credentials|NotAllowed|Refused|Interrupted|State\w*|Fenced|Unanswered|World|Conductor\w*)Error$/.test(
      error.name,
    );
  return ours ? error : Object.assign(new Error(problemOf(error)), { name: error.name });
}
