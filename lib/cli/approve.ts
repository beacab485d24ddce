import { Command } from 'commander';
import { controlVerb } from './control.ts';
import type { Io } from './io.ts';
import { type OverrideFlags, withChange, withExpiry, withScope } from './options.ts';
import { perform } from './verb.ts';

const MINUTE_MS = 60_000;
const bounds = { defaultMs: 30 * MINUTE_MS, maxMs: 240 * MINUTE_MS } as const;

/** `spillway approve`: in mode approve, gives the consent that an evacuation waits for. */
export function approveCommand(io: Io): Command {
  const command = new Command('approve').description(
    'In mode `approve`: consent to an evacuation, if the observers call for one within this time.',
  );
  return withExpiry(withScope(withChange(command)), bounds)
    .addHelpText('after', '\nExample:\n  spillway approve --for 30m --reason "seen on the wire, go"')
    .action((flags: OverrideFlags) =>
      perform(io, flags, () =>
        controlVerb({
          io,
          verb: 'approve',
          flags,
          actOf: ({ owner, reason, nowMs }) => ({
            kind: 'approve',
            override: { owner, reason, untilMs: nowMs + (flags.for ?? bounds.defaultMs) },
          }),
        }),
      ),
    );
}
