import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { UsageError } from '../operate/errors.ts';
import { exitCodes, exitMeanings } from '../shell/exit-codes.ts';
import { ackCommand } from './ack.ts';
import { approveCommand } from './approve.ts';
import { auditCommand } from './audit.ts';
import { completionCommand } from './completion.ts';
import { costCommand } from './cost.ts';
import { doctorCommand } from './doctor.ts';
import { drainCommand } from './drain.ts';
import { drainedCommand } from './drained.ts';
import { drillCommand } from './drill.ts';
import { failbackCommand } from './failback.ts';
import { failoverCommand } from './failover.ts';
import { historyCommand } from './history.ts';
import { initCommand } from './init.ts';
import { type Io, processIo } from './io.ts';
import { localCommand } from './local.ts';
import { maintenanceCommand } from './maintenance.ts';
import { pauseCommand } from './pause.ts';
import { resumeCommand } from './resume.ts';
import { simulateCommand } from './simulate.ts';
import { spoolCommand } from './spool.ts';
import { statusCommand } from './status.ts';
import { fail, jsonText } from './verb.ts';
import { whyCommand } from './why.ts';
import { wrapped } from './wrap.ts';

/** Runs the command line and returns the exit status. Verbs set `process.exitCode` themselves when they end. */
export async function spillway(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const json = asksForJson(argv);
  try {
    await spillwayProgram(io, { json }).parseAsync([...argv]);
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(io, json, error);
    if (error.exitCode === 0) return exitCodes.done;
    // In words it has been said by commander.
    return json ? fail(io, json, usageError(error)) : exitCodes.usage;
  }
}

/** Known before anything is parsed: the parser's own errors are told as a document, too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json');
}

function usageError({ code, message }: CommanderError): UsageError {
  // Then the message is only that help was shown.
  if (code === 'commander.help') return new UsageError('Name a verb: spillway --help lists them.');
  return new UsageError(`${message.replace(/^error: /, '')} (spillway VERB --help has the options.)`);
}

export function spillwayProgram(io: Io, { json = false }: { readonly json?: boolean } = {}): Command {
  const { version } = packageJson;
  const statuses = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padEnd(4)} ${exitMeanings[name as keyof typeof exitCodes]}`,
  );
  const program = new Command('spillway')
    .description('Evacuates a Kinesis workload from an impaired AWS region, and proves weekly that it would.')
    .option('--json', 'print one JSON document to standard output; goes before the verb, or behind it')
    .version(json ? jsonText({ ok: true, version }, io) : version, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      `\nExit status:\n${statuses.join('\n')}\n\nAt 3 a.m.: spillway status, then spillway why, then docs/runbook.md.`,
    );
  program.commandsGroup('Look:');
  for (const make of [statusCommand, whyCommand, historyCommand]) program.addCommand(make(io));
  program.commandsGroup('Act:');
  const acts = [failoverCommand, failbackCommand, approveCommand, pauseCommand, resumeCommand];
  for (const make of [...acts, maintenanceCommand, ackCommand, drainedCommand]) program.addCommand(make(io));
  program.commandsGroup('Prepare:');
  for (const make of [initCommand, doctorCommand, costCommand]) program.addCommand(make(io));
  for (const make of [drillCommand, localCommand, simulateCommand]) program.addCommand(make(io));
  for (const make of [auditCommand, completionCommand]) program.addCommand(make(io));
  program.commandsGroup('Records:');
  for (const make of [spoolCommand, drainCommand]) program.addCommand(make(io));
  takeOver(program, { io, json });
  return program;
}

/** Prose in a pipe is still read by people. */
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
    // Before the verb and behind it: the same.
    .hook('preAction', (self, acting) => {
      if (self.opts().json) acting.setOptionValue('json', true);
    })
    .configureOutput({
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      writeOut: (text) => io.out(shown(text)),
      // With --json the document says it.
      writeErr: (text) => (json ? undefined : io.err(shown(text))),
      outputError: (text, write) => write(text.replace(/^error:/, io.colors.red('error'))),
    });
  // Else a verb above would take the options that are behind the verb below.
  if (command.commands.length > 0) command.enablePositionalOptions();
  for (const child of command.commands) takeOver(child, output);
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
