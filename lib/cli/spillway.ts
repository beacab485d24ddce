import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { UsageError } from '../operate/errors.ts';
import { exitCodes, exitMeanings } from '../shell/exit-codes.ts';
import { type Io, processIo } from './io.ts';
import { fail, jsonText } from './verb.ts';
import { loadVerbs, verbsFor } from './verbs.ts';
import { wrapped } from './wrap.ts';

/** Runs the command line and returns the exit status. Verbs set `process.exitCode` themselves when they end. */
export async function spillway(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const json = asksForJson(argv);
  try {
    const program = await spillwayProgram(io, { json, verbs: verbsFor(argv.slice(2)) });
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(io, json, error);
    if (error.exitCode === 0) return exitCodes.done;
    // Commander has already printed the message in words.
    return json ? fail(io, json, usageError(error)) : exitCodes.usage;
  }
}

/** Finds --json before anything is parsed, because the parser's own errors are printed as a document, too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json');
}

function usageError({ code, message }: CommanderError): UsageError {
  // In this case the message only says that help was shown.
  if (code === 'commander.help') return new UsageError('Name a verb: spillway --help lists them.');
  return new UsageError(`${message.replace(/^error: /, '')} (spillway VERB --help has the options.)`);
}

export interface ProgramOptions {
  readonly json?: boolean;
  /** The verbs to load. Default: all. */
  readonly verbs?: readonly string[];
}

export async function spillwayProgram(
  io: Io,
  { json = false, verbs = verbsFor([]) }: ProgramOptions = {},
): Promise<Command> {
  const { version } = packageJson;
  const statuses = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padEnd(4)} ${exitMeanings[name as keyof typeof exitCodes]}`,
  );
  const program = new Command('spillway')
    .description('Evacuates a Kinesis workload from an impaired AWS region, and proves weekly that it can.')
    .option('--json', 'print one JSON document to standard output; goes before or after the verb')
    .version(json ? jsonText({ ok: true, version }, io) : version, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      `\nExit status:\n${statuses.join('\n')}\n\nAt 3 a.m.: spillway status, then spillway why, then docs/runbook.md.`,
    );
  for (const { group, commands } of await loadVerbs(verbs)) {
    program.commandsGroup(group);
    for (const make of commands) program.addCommand(make(io));
  }
  takeOver(program, { io, json });
  return program;
}

/** The width of help in a pipe: its prose is still read by people. */
const PIPE_HELP_COLUMNS = 100;

interface Output {
  readonly io: Io;
  readonly json: boolean;
}

/** Commander would exit by itself, with status 1 for wrong usage, and write past the caller's streams. */
function takeOver(command: Command, output: Output): void {
  const { io, json } = output;
  const shown = (text: string): string => wrapped(text.replace(/\n$/, ''), io.columns);
  const helpWidth = Number.isFinite(io.columns) ? io.columns : PIPE_HELP_COLUMNS;
  command
    .exitOverride()
    .showHelpAfterError(
      `(${pathOf(command)} --help has ${command.commands.length > 0 ? 'the verbs' : 'the options'})`,
    )
    // --json means the same before and after the verb.
    .hook('preAction', (self, acting) => {
      if (self.opts().json) acting.setOptionValue('json', true);
    })
    .configureOutput({
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      writeOut: (text) => io.out(shown(text)),
      // With --json, the document has the message.
      writeErr: (text) => (json ? undefined : io.err(shown(text))),
      outputError: (text, write) => write(text.replace(/^error:/, io.colors.red('error'))),
    });
  // Otherwise a parent verb would take the options that follow its subverb.
  if (command.commands.length > 0) command.enablePositionalOptions();
  for (const child of command.commands) takeOver(child, output);
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
