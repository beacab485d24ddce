import { Command, CommanderError } from 'commander';
import { ackCommand } from './ack.ts';
import { approveCommand } from './approve.ts';
import { auditCommand } from './audit.ts';
import { completionCommand } from './completion.ts';
import { costCommand } from './cost.ts';
import { doctorCommand } from './doctor.ts';
import { drainCommand } from './drain.ts';
import { drainedCommand } from './drained.ts';
import { drillCommand } from './drill.ts';
import { exitCodes, exitMeanings } from './exit-codes.ts';
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
import { whyCommand } from './why.ts';

/** Runs the command line and returns the exit status. Verbs set `process.exitCode` themselves when they end. */
export async function spillway(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const program = spillwayProgram(io);
  try {
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}

export function spillwayProgram(io: Io): Command {
  const statuses = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padEnd(4)} ${exitMeanings[name as keyof typeof exitCodes]}`,
  );
  const program = new Command('spillway')
    .description('Evacuates a Kinesis workload from an impaired AWS region, and proves weekly that it would.')
    .enablePositionalOptions() // options after a verb belong to the verb, and after its subcommand to that
    .showHelpAfterError('(spillway --help lists the verbs)')
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
  program.addCommand(drillCommand(io)).addCommand(localCommand()).addCommand(simulateCommand());
  for (const make of [auditCommand, completionCommand]) program.addCommand(make(io));
  program.commandsGroup('Records:');
  program.addCommand(spoolCommand()).addCommand(drainCommand());
  takeOver(program, io);
  return program;
}

/** Commander would exit by itself, with status 1 for wrong usage, and write past the caller's streams. */
function takeOver(command: Command, io: Io): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => io.out(text.replace(/\n$/, '')),
    writeErr: (text) => io.err(text.replace(/\n$/, '')),
  });
  for (const child of command.commands) takeOver(child, io);
}
