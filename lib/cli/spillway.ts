import { Command, CommanderError } from 'commander';
import { drainCommand } from './drain.ts';
import { drillCommand } from './drill.ts';
import { exitCodes } from './exit-codes.ts';
import { localCommand } from './local.ts';
import { simulateCommand } from './simulate.ts';
import { spoolCommand } from './spool.ts';

/** Runs the command line and returns the exit status. Verbs set `process.exitCode` themselves when they end. */
export async function spillway(argv: readonly string[]): Promise<number> {
  const program = new Command('spillway')
    .description('Evacuates a Kinesis workload from an impaired AWS region, and proves weekly that it would.')
    .showHelpAfterError('(spillway --help lists the verbs)')
    .addCommand(drainCommand())
    .addCommand(drillCommand())
    .addCommand(localCommand())
    .addCommand(simulateCommand())
    .addCommand(spoolCommand());
  overrideExits(program);
  try {
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}

/** Commander would exit by itself, with status 1 for wrong usage. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}
