import { Command } from 'commander';
import { controlVerb } from './control.ts';
import type { Io } from './io.ts';
import { type OverrideFlags, withChange, withExpiry, withScope } from './options.ts';
import { perform } from './verb.ts';

const HOUR_MS = 3_600_000;
const bounds = { defaultMs: 2 * HOUR_MS, maxMs: 24 * HOUR_MS } as const;

interface PauseFlags extends OverrideFlags {
  readonly force?: true;
}

/** `spillway pause`: stops evacuations from starting by themselves until the pause ends. */
export function pauseCommand(io: Io): Command {
  const command = new Command('pause').description(
    'Stop new evacuations from starting by themselves. An evacuation under way is not undone, and `failover` still works.',
  );
  return withExpiry(withScope(withChange(command)), bounds)
    .option('--force', 'go ahead although this ends a longer pause earlier')
    .addHelpText('after', '\nExample:\n  spillway pause --for 2h --reason "load test in us-east-1"')
    .action((flags: PauseFlags) =>
      perform(io, flags, () =>
        controlVerb({
          io,
          verb: 'pause',
          flags,
          actOf: ({ owner, reason, nowMs }) => ({
            kind: 'pause',
            override: { owner, reason, untilMs: nowMs + (flags.for ?? bounds.defaultMs) },
            force: flags.force ?? false,
          }),
        }),
      ),
    );
}
