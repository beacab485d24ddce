import { Command } from 'commander';
import { UsageError } from '../operate/errors.ts';
import { controlVerb } from './control.ts';
import type { Io } from './io.ts';
import { type OverrideFlags, timeArgument, withChange, withExpiry, withScope } from './options.ts';
import { perform } from './verb.ts';

const HOUR_MS = 3_600_000;
const bounds = { defaultMs: 2 * HOUR_MS, maxMs: 168 * HOUR_MS } as const;
/** A window further ahead would surprise whoever is on call by then. */
const MAX_AHEAD_MS = 30 * 24 * HOUR_MS;

interface MaintenanceFlags extends OverrideFlags {
  readonly from?: number;
  readonly force?: true;
}

/** `spillway maintenance`: a window of planned work in which nothing moves by itself. */
export function maintenanceCommand(io: Io): Command {
  const command = new Command('maintenance').description(
    'Announce planned work: in this window no evacuation starts by itself.',
  );
  return withExpiry(withScope(withChange(command)), bounds)
    .option('--from <time>', 'when it begins, like 2026-12-01T02:00Z (default: now)', timeArgument(io.nowMs))
    .option('--force', 'go ahead although this replaces a window that it does not cover')
    .addHelpText(
      'after',
      '\nExample:\n  spillway maintenance --from 2026-12-01T02:00Z --for 3h --reason "resharding orders"',
    )
    .action((flags: MaintenanceFlags) =>
      perform(io, flags, async () => {
        const fromMs = flags.from ?? io.nowMs();
        const untilMs = fromMs + (flags.for ?? bounds.defaultMs);
        if (untilMs <= io.nowMs()) throw new UsageError('That window is over already.');
        if (fromMs - io.nowMs() > MAX_AHEAD_MS) throw new UsageError('--from is more than 30 days ahead.');
        return controlVerb({
          io,
          verb: 'maintenance',
          flags,
          actOf: ({ owner, reason }) => ({
            kind: 'maintenance',
            override: { owner, reason, fromMs, untilMs },
            force: flags.force ?? false,
          }),
        });
      }),
    );
}
