import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { assertTaken } from '../operate/credentials.ts';
import { type DirectEnd, latchDirectly } from '../operate/direct.ts';
import { type Selection, select } from '../operate/groups.ts';
import { failoverRefusals, heldNotes, leaseNotes } from '../operate/guards.ts';
import { named } from '../operate/named.ts';
import { readStored } from '../operate/read-status.ts';
import { stateTable } from '../operate/state.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { type Acting, type Asking, ask, changeGuarded } from './change.ts';
import { type Check, forceLines, mustGo, reasonOf } from './check.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, durationOption, listArgument, withGuards } from './options.ts';
import { runConductor } from './run-conductor.ts';
import { type Outcome, perform } from './verb.ts';

interface FailoverFlags extends ChangeFlags {
  readonly cells?: readonly string[];
  readonly all?: true;
  readonly force?: true;
  readonly direct?: true;
  readonly wait: number;
}

/** The conductor asks DNS again for about five minutes before it says that DNS does not follow. */
export const DEFAULT_WAIT_MS = 600_000;
const TABLE_TIMEOUT_MS = 3_000;

/** `spillway failover`: moves traffic to the standby, and holds it there. */
export function failoverCommand(io: Io): Command {
  return withGuards(
    new Command('failover').description(
      'Move cells to the standby and hold them there. Calls the standby and the observers, and nothing else.',
    ),
  )
    .option('--cells <names>', 'cells, or groups of them, separated by commas', listArgument)
    .option('--all', 'every cell')
    .option('--force', 'go ahead although the standby is not known to work; the journal says so')
    .option(
      '--direct',
      'break glass: set the switches here, without the conductor, when Step Functions does not answer',
    )
    .addOption(
      durationOption(
        '--wait <duration>',
        'follow the conductor this long, then end with status 4; 0s: start it and end with status 0',
        { defaultMs: DEFAULT_WAIT_MS },
      ),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  spillway failover --all --reason "us-east-1 drops writes, inc-4711"\n  spillway failover --cells orders --check\n  spillway failover --cells orders --dry-run --reason "rehearsal"',
    )
    .action((flags: FailoverFlags) =>
      perform(io, flags, () => {
        const check = (asking: Asking): Promise<Check> => checkFailover(flags, asking);
        const fits = (config: Config): unknown => select(config, flags);
        const around = { io, verb: 'failover', flags, fits, check };
        return flags.check
          ? ask(around)
          : changeGuarded({ ...around, act: (acting) => failover(io, flags, acting) });
      }),
    );
}

/** Checks whether a failover would start, from what the observers see of the standby. */
async function checkFailover(flags: FailoverFlags, { target, clients, nowMs }: Asking): Promise<Check> {
  const { config } = target;
  const { cells, groups } = select(config, flags);
  const { observers, state, credentials } = await readStored(config, { clients, nowMs });
  assertTaken(credentials);
  return {
    verb: 'failover',
    cells,
    refusals: failoverRefusals(config, observers),
    notes: [...heldNotes(config, groups, state), ...leaseNotes(state, nowMs())],
    atMs: nowMs(),
    forced: flags.force ?? false,
  };
}

async function failover(io: Io, flags: FailoverFlags, acting: Acting & { check: Check }): Promise<Outcome> {
  const { target, clients, owner, nowMs, id, dry, check } = acting;
  const { config } = target;
  const selection = select(config, flags);
  if (!dry) mustGo(check, 'If you know better, repeat with --force.');
  await acting.consent([...preview(acting, selection), ...forceLines(check)].join('\n'));
  const table = stateTable(config, clients, TABLE_TIMEOUT_MS);
  const reason = reasonOf(acting.reason, check);
  if (flags.direct) {
    const { groups, everything } = selection;
    const options = { table, groups, everything, owner, reason, atMs: nowMs, id };
    return directOutcome(await latchDirectly(options));
  }
  return runConductor({ io, acting, table, waitMs: flags.wait, cells: selection.cells }, (epoch) => ({
    action: 'evacuate',
    trigger: 'asked',
    epoch,
    owner,
    reason,
    ...(flags.force ? { force: true } : {}),
    ...(selection.everything ? {} : { groups: [...selection.groups] }),
  }));
}

function preview({ target, owner }: Acting, { cells, carried }: Selection): readonly string[] {
  const { primary, standby } = target.config.regions;
  return [
    `${cells.length} of ${target.config.cells.length} cells: ${named(cells)}`,
    ...(carried.length === 0 ? [] : [`of these, because they share a switch: ${named(carried)}`]),
    `before  where DNS sends them now (spillway status); ${primary} as long as votes and switches say so`,
    `after   ${standby}, held by their switches until \`spillway failback\`; by ${owner}`,
  ];
}

function directOutcome({ epoch, latched, covered, failed, unjournaled }: DirectEnd): Outcome {
  const ok = failed.length === 0;
  const lines = [
    `${latched.length} switches set to STANDBY under epoch ${epoch}. DNS follows in about 30 s: spillway status --watch`,
    ...covered.map(
      ({ group, by, epoch: theirs }) => `in the standby already: ${group}, by ${by} (epoch ${theirs})`,
    ),
    ...failed.map(({ group, problem }) => `not set: ${group}: ${problem}`),
    ...(unjournaled === undefined ? [] : [`The journal could not be written: ${unjournaled}.`]),
  ];
  return {
    exit: ok ? exitCodes.done : exitCodes.failed,
    document: { ok, direct: true, epoch, latched, covered, failed, journaled: unjournaled === undefined },
    screen: lines.join('\n'),
  };
}
