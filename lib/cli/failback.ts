import { Command, InvalidArgumentError, Option } from 'commander';
import { stagesOf, tooLongToWatch, undrainedCells } from '../../lambda/core/failback.ts';
import type { Config } from '../config/config.ts';
import { awaitDrain } from '../operate/await-drain.ts';
import type { AwsClients } from '../operate/clients.ts';
import { assertTaken } from '../operate/credentials.ts';
import { type Selection, select } from '../operate/groups.ts';
import { backNotes, leaseNotes, refusalsToFailBack } from '../operate/guards.ts';
import { named } from '../operate/named.ts';
import { readStored } from '../operate/read-status.ts';
import { stateTable } from '../operate/state.ts';
import type { StateTable } from '../state/state-table.ts';
import { type Acting, type Asking, ask, changeGuarded } from './change.ts';
import { type Check, forceLines, mustGo, type Refusal, reasonOf } from './check.ts';
import { failbackRemoved } from './failback-removed.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import {
  type ChangeFlags,
  durationArgument,
  durationOption,
  listArgument,
  wholeArgument,
  withGuards,
} from './options.ts';
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

/** `spillway failback`: returns traffic to the primary, in stages that are watched. */
export function failbackCommand(io: Io): Command {
  return withGuards(
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
    .addOption(
      durationOption('--pause <duration>', 'watch the primary this long after each stage', {
        defaultMs: DEFAULT_PAUSE_MS,
        parse: pauseArgument,
      }),
    )
    .option(
      '--after-drain',
      'wait until `spillway drained` has marked the records stranded in the primary as read',
    )
    .addOption(
      durationOption(
        '--drain-wait <duration>',
        'with --after-drain: wait at most this long, then end with status 3; 0s: look once',
        { defaultMs: DEFAULT_DRAIN_WAIT_MS },
      ),
    )
    .option('--force', 'go ahead although a guard refuses; the journal says so')
    .option(
      '--wait <duration>',
      'follow the conductor this long, then end with status 4 (default: as long as its stages take; 0s: start it and end with status 0)',
      durationArgument,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  spillway failback --cells orders --check\n  spillway failback --cells orders --reason "first cell, inc-4711"\n  spillway failback --all --percent 25 --pause 10m --after-drain --reason "inc-4711 is over"',
    )
    .action((flags: FailbackFlags) =>
      perform(io, flags, () => {
        const check = (asking: Asking): Promise<Check> => checkFailback(flags, asking);
        const fits = (config: Config): unknown => scopeOf(config, flags);
        const around = { io, verb: 'failback', flags, fits, check };
        return flags.check
          ? ask(around)
          : changeGuarded({ ...around, act: (acting) => failback(io, flags, acting) });
      }),
    );
}

/**
 * A pause shorter than a switch's way through DNS would show nothing; a longer pause the conductor refuses.
 */
function pauseArgument(text: string): number {
  const ms = durationArgument(text);
  if (ms >= 10_000 && ms <= 3_600_000) return ms;
  throw new InvalidArgumentError('The pause is from 10s to 1h.');
}

interface Scope {
  /** Absent: `--removed`. */
  readonly selection: Selection | undefined;
  readonly percent: number;
  readonly pauseSeconds: number;
}

const scopeOf = (config: Config, flags: FailbackFlags): Scope => ({
  selection: flags.removed ? undefined : select(config, flags),
  percent: flags.percent ?? 100,
  pauseSeconds: Math.round(flags.pause / 1_000),
});

/** Asks the conductor's own guards from here; the conductor asks them again when it begins. */
async function checkFailback(flags: FailbackFlags, { target, clients, nowMs }: Asking): Promise<Check> {
  const { config } = target;
  const { selection, ...plan } = scopeOf(config, flags);
  const { cells, groups } = selection ?? { cells: [], groups: [] };
  const stored = await readStored(config, { clients, nowMs });
  assertTaken(stored.credentials);
  // `--after-drain` waits for these cells itself; a check says that it would have to wait.
  const undrained = flags.afterDrain && flags.check ? await readUndrained(config, { clients, groups }) : [];
  const refusals: readonly Refusal[] = refusalsToFailBack(config, stored, { cells, undrained });
  const tooLong = tooLongToWatch(plan);
  return {
    verb: 'failback',
    cells: selection?.cells ?? ['the switches of removed cells'],
    refusals: [
      ...refusals,
      ...(tooLong === undefined ? [] : [{ rule: 'length', reason: tooLong, final: true as const }]),
    ],
    notes: [...backNotes(config, groups, stored.state), ...leaseNotes(stored.state, stored.atMs)],
    atMs: stored.atMs,
    forced: flags.force ?? false,
  };
}

async function readUndrained(
  config: Config,
  { clients, groups }: { readonly clients: AwsClients; readonly groups: readonly string[] },
): Promise<readonly string[]> {
  const table = stateTable(config, clients, TABLE_TIMEOUT_MS);
  const [drained, switches] = await Promise.all([table.readDrained(), table.readSwitches()]);
  const cells = config.cells.map(({ name, group }) => ({ cell: name, group }));
  return undrainedCells({ cells, groups, drained, switches });
}

async function failback(io: Io, flags: FailbackFlags, acting: Acting & { check: Check }): Promise<Outcome> {
  const { target, clients, owner, dry, check } = acting;
  const { config } = target;
  const { selection, percent, pauseSeconds } = scopeOf(config, flags);
  if (!dry) mustGo(check, 'Traffic stays where it is.');
  const forced = forceLines(check);
  const reason = reasonOf(acting.reason, check);
  if (selection === undefined) return failbackRemoved({ ...acting, reason }, forced);
  const plan = preview(acting, selection, { percent, pauseSeconds });
  await acting.consent([...plan, ...forced].join('\n'));
  const waitMs = flags.wait ?? stagesOf({ percent }) * (flags.pause + STAGE_MARGIN_MS);
  const table = stateTable(config, clients, TABLE_TIMEOUT_MS);
  if (flags.afterDrain && !flags.force && !dry) await drainAwaited(io, flags, { table, config, selection });
  return runConductor({ io, acting, table, waitMs, cells: selection.cells }, (epoch) => ({
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

function preview(
  { target, owner }: Acting,
  { cells, carried }: Selection,
  { percent, pauseSeconds }: { readonly percent: number; readonly pauseSeconds: number },
): readonly string[] {
  const { primary, standby } = target.config.regions;
  return [
    `${cells.length} of ${target.config.cells.length} cells: ${named(cells)}`,
    ...(carried.length === 0 ? [] : [`of these, because they share a switch: ${named(carried)}`]),
    `before  those in ${standby} are held there by their switches`,
    `after   ${primary}, ${percent} % of the groups at a time, watched for ${pauseSeconds} s after each; by ${owner}`,
    'If the primary degrades again, the failback stops, and returns to the standby what it has moved.',
  ];
}
