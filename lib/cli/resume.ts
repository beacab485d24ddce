import { Command } from 'commander';
import { controlVerb } from './control.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, withChange } from './options.ts';
import { perform } from './verb.ts';

/** `spillway resume`: ends a pause or a maintenance window early, and clears a control item nobody can read. */
export function resumeCommand(io: Io): Command {
  return withChange(
    new Command('resume').description(
      'End a pause or a maintenance window before its time; clear a control item that cannot be understood.',
    ),
  )
    .addHelpText('after', '\nExample:\n  spillway resume --reason "load test is over"')
    .action((flags: ChangeFlags) =>
      perform(io, flags, () => controlVerb({ io, verb: 'resume', flags, actOf: () => ({ kind: 'resume' }) })),
    );
}
