import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { UsageError } from '../operate/errors.ts';
import { readStatus } from '../operate/read-status.ts';
import type { Status } from '../operate/status-document.ts';
import { resolveTarget, type Target } from '../operate/target.ts';
import { type ExitCode, exitCodes } from '../shell/exit-codes.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { type OutputFlags, type TargetFlags, withJson, withTarget } from './options.ts';
import { statusScreen } from './screens/status.ts';
import { type End, perform } from './verb.ts';
import { wrapped } from './wrap.ts';

interface StatusFlags extends TargetFlags, OutputFlags {
  readonly watch?: true;
}

const WATCH_MS = 2_000;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

/** `spillway status`: where traffic goes, who says what, and what is out of order. */
export function statusCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('status').description(
        'Show on one screen where DNS sends each cell, votes, diagnoses, switches, overrides. Ends with status 4 when not all is well.',
      ),
    ),
  )
    .option('--watch', 'refresh every 2 s, until Ctrl-C')
    .addHelpText(
      'after',
      `
The command asks DNS, the observers' regions and the standby, each with a time-out of its own; never the primary, and no
control plane. With any region down it answers within 5 s, and shows which region does not answer.

Examples:
  spillway status
  spillway status --json --world .spillway/runs/RUN/world.json`,
    )
    .action((flags: StatusFlags) => perform(io, flags, () => status(io, flags)));
}

const options = (io: Io) => ({ who: 'cli status', nowMs: io.nowMs, say: io.err });

async function status(io: Io, flags: StatusFlags): Promise<End> {
  if (flags.watch && flags.json)
    throw new UsageError('--watch is for people: leave --json out, or call it again and again.');
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  if (flags.watch) return watch(io, target);
  const found = await readStatus(target, options(io));
  return { exit: exitOfStatus(found), document: found, screen: statusScreen(found, io) };
}

async function watch(io: Io, target: Target): Promise<End> {
  const interrupted = interruption(() => {}, { unread: io.unread });
  try {
    while (!interrupted.signal.aborted) {
      const found = await readStatus(target, options(io));
      io.out(`${io.terminal ? CLEAR_SCREEN : ''}${wrapped(statusScreen(found, io), io.columns)}`);
      await sleep(WATCH_MS, undefined, { signal: interrupted.signal }).catch(() => {});
    }
    return { exit: io.unread.aborted ? exitCodes.unread : exitCodes.interrupted };
  } finally {
    interrupted.dispose();
  }
}

export const exitOfStatus = ({ ok }: Pick<Status, 'ok'>): ExitCode =>
  ok ? exitCodes.done : exitCodes.unhealthy;
