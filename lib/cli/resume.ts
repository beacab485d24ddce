import { Command, Option } from 'commander';
import type { Resumable } from '../operate/control-change.ts';
import { controlVerb } from './control.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, type ScopeFlags, withChange, withScope } from './options.ts';
import { perform } from './verb.ts';

interface ResumeFlags extends ChangeFlags, ScopeFlags {
  readonly pause?: true;
  readonly maintenance?: true;
  readonly all?: true;
}

/** `spillway resume`: ends a pause or a maintenance window early, and clears a control item nobody can read. */
export function resumeCommand(io: Io): Command {
  return withScope(
    withChange(
      new Command('resume').description(
        'End the pause and the maintenance window that are in force; clear a control item that cannot be understood.',
      ),
    ),
  )
    .addOption(new Option('--pause', 'end the pause alone').conflicts(['maintenance', 'all']))
    .addOption(
      new Option('--maintenance', 'end the maintenance window alone, even one that has not begun').conflicts([
        'all',
      ]),
    )
    .option('--all', 'end both, even a window that has not begun')
    .addHelpText('after', '\nExample:\n  spillway resume --reason "load test is over"')
    .action((flags: ResumeFlags) =>
      perform(io, flags, () =>
        controlVerb({ io, verb: 'resume', flags, actOf: () => ({ kind: 'resume', what: whatOf(flags) }) }),
      ),
    );
}

function whatOf({ pause, maintenance, all }: ResumeFlags): Resumable {
  if (all) return 'all';
  if (pause) return 'pause';
  return maintenance ? 'maintenance' : 'active';
}
