import { Command, InvalidArgumentError, Option } from 'commander';
import type { StateTable } from '../../lambda/state/state-table.ts';
import type { Config } from '../config/config.ts';
import { awaitDrain } from '../operate/await-drain.ts';
import { assertTaken } from '../operate/credentials.ts';
import { RefusedError } from '../operate/errors.ts';
import { named } from '../operate/findings.ts';
import { type Selection, select } from '../operate/groups.ts';
import { refusalsToFailBack } from '../operate/guards.ts';
import { readStored } from '../operate/read-status.ts';
import { stateTable } from '../operate/state.ts';
import { type Acting, change } from './change.ts';
import { failbackRemoved } from './failback-removed.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, durationArgument, listArgument, wholeArgument, withChange } from './options.ts';
import { runConductor } from './run-conductor.ts';
import { progress } from './spinner.ts';
import { type Outcome, perform } from './verb.ts';

interface FailbackFlags extends ChangeFlags {
  readonly cells?: readonly string[];
  readonly all?: true;
  readonly removed?: true;
  readonly percent?: number;
  readonly pause: number;
  readonly afterDrain?: true;
  readonly drainWait: number;
  readonly force?: true;
  readonly wait?: number;
}

const DEFAULT_PAUSE_MS = 300_000;
const DEFAULT_DRAIN_WAIT_MS = 3_600_000;
const TABLE_TIMEOUT_MS = 3_000;
/** Each stage releases, and then watches for the length of the pause. */
const STAGE_MARGIN_MS = 120_000;

/** `spillway failback`: an operator lets traffic return to the primary, in stages, watched. */
export function failbackCommand(io: Io): Command {
  return withChange(
    new Command('failback').description(
      'Let cells return to the primary, stage by stage. Refused (status 3) until the primary has been healthy for long.',
    ),
  )
    .option('--cells <names>', 'cells, or groups of them, separated by commas', listArgument)
    .option('--all', 'every cell that is in the standby')
    .addOption(
      new Option('--removed', 'release the switches that removed cells have left in the standby').conflicts([
        'cells',
        'all',
      ]),
    )
    .option(
      '--percent <n>',
      'share of the groups to move in each stage (default: 100)',
      wholeArgument({ min: 1, max: 100 }),
    )
    .option(
      '--pause <duration>',
      'watch the primary this long after each stage (default: 5m)',
      pauseArgument,
      DEFAULT_PAUSE_MS,
    )
    .option(
      '--after-drain',
      'wait until `spillway drained` has marked the records stranded in the primary as read',
    )
    .option(
      '--drain-wait <duration>',
      'wait for that this long at most, then end with 3 (default: 1h; 0s: look once)',
      durationArgument,
      DEFAULT_DRAIN_WAIT_MS,
    )
    .option('--force', 'although a guard refuses; the journal says so')
    .option(
      '--wait <duration>',
      'follow the conductor this long, then end with 4 (default: as long as its stages take; 0s: start it and end with 0)',
      durationArgument,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  spillway failback --cells orders --reason "first cell, inc-4711"\n  spillway failback --all --percent 25 --pause 10m --after-drain --reason "inc-4711 is over"',
    )
    .action((flags: FailbackFlags) =>
      perform(io, flags, () =>
        change({ io, verb: 'failback', flags, act: (acting) => failback(io, flags, acting) }),
      ),
    );
}

/** Shorter than a switch's way through DNS, nothing could be seen; longer, the conductor does not take. */
function pauseArgument(text: string): number {
  const ms = durationArgument(text);
  if (ms >= 10_000 && ms <= 3_600_000) return ms;
  throw new InvalidArgumentError('The pause is from 10s to 1h.');
}

async function failback(io: Io, flags: FailbackFlags, acting: Acting): Promise<Outcome> {
  const { target, clients, owner, reason, dry } = acting;
  const { config } = target;
  const selection = flags.removed ? undefined : select(config, flags);
  const percent = flags.percent ?? 100;
  const pauseSeconds = Math.round(flags.pause / 1_000);
  const stored = await readStored(config, { clients, nowMs: io.nowMs });
  if (!dry) assertTaken(stored.credentials);
  const refusals = refusalsToFailBack(config, stored);
  if (!dry && refusals.length > 0 && !flags.force) {
    throw new RefusedError(refusals.map(withTime), 'Traffic stays where it is.');
  }
  if (selection === undefined) return failbackRemoved(acting);
  await acting.consent(preview(acting, selection, { percent, pauseSeconds }));
  const stages = Math.ceil(100 / percent);
  const waitMs = flags.wait ?? stages * (flags.pause + STAGE_MARGIN_MS);
  const table = stateTable(config, clients, TABLE_TIMEOUT_MS);
  if (flags.afterDrain && !flags.force && !dry) await drainAwaited(io, flags, { table, config, selection });
  return runConductor({ io, acting, table, waitMs }, (epoch) => ({
    action: 'failback',
    epoch,
    owner,
    reason,
    percent,
    pauseSeconds,
    ...(flags.afterDrain ? { afterDrain: true } : {}),
    ...(flags.force ? { force: true } : {}),
    ...(selection.everything ? {} : { groups: [...selection.groups] }),
  }));
}

async function drainAwaited(
  io: Io,
  flags: FailbackFlags,
  scope: { readonly table: StateTable; readonly config: Config; readonly selection: Selection },
): Promise<void> {
  const shown = progress(io);
  const interrupted = interruption(() => shown.say('interrupted: nothing has been done'));
  try {
    await awaitDrain({
      table: scope.table,
      cells: scope.config.cells,
      groups: scope.selection.groups,
      waitMs: flags.drainWait,
      signal: interrupted.signal,
      say: shown.say,
    });
  } finally {
    shown.stop();
    interrupted.dispose();
  }
}

function withTime({ rule, reason, untilMs }: ReturnType<typeof refusalsToFailBack>[number]) {
  return {
    rule,
    reason: untilMs === undefined ? reason : `${reason}, until ${new Date(untilMs).toISOString()}`,
  };
}

function preview(
  { target, owner }: Acting,
  { cells, carried }: Selection,
  { percent, pauseSeconds }: { readonly percent: number; readonly pauseSeconds: number },
): string {
  const { primary, standby } = target.config.regions;
  return [
    `${cells.length} of ${target.config.cells.length} cells: ${named(cells)}`,
    ...(carried.length === 0 ? [] : [`of these, because they share a switch: ${named(carried)}`]),
    `before  those in ${standby} are held there by their switches`,
    `after   ${primary}, ${percent} % of the groups at a time, watched for ${pauseSeconds} s after each; by ${owner}`,
    'It stops by itself, and returns to the standby what it has moved, if the primary falters.',
  ].join('\n');
}
