import { Command } from 'commander';
import { observerRegions } from '../config/config.ts';
import { assertReadable } from '../operate/credentials.ts';
import { type DirectEnd, latchDirectly } from '../operate/direct.ts';
import { RefusedError } from '../operate/errors.ts';
import { named } from '../operate/findings.ts';
import { type Selection, select } from '../operate/groups.ts';
import { failoverRefusals } from '../operate/guards.ts';
import { readObservers } from '../operate/observers.ts';
import { READ_TIMEOUT_MS } from '../operate/read-status.ts';
import { stateTable } from '../operate/state.ts';
import { type Acting, change } from './change.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, durationArgument, listArgument, withChange } from './options.ts';
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
const MAX_REASON = 1_000;

/** `spillway failover`: an operator moves traffic to the standby, and holds it there. */
export function failoverCommand(io: Io): Command {
  return withChange(
    new Command('failover').description(
      'Move cells to the standby and hold them there. Calls the standby and the observers, and nothing else.',
    ),
  )
    .option('--cells <names>', 'cells, or groups of them, separated by commas', listArgument)
    .option('--all', 'every cell')
    .option('--force', 'although the standby is not known to work; the journal says so')
    .option(
      '--direct',
      'break glass: set the switches here, without the conductor, when Step Functions does not answer',
    )
    .option(
      '--wait <duration>',
      'follow the conductor this long, then end with 4 (default: 10m; 0s: start it and end with 0)',
      durationArgument,
      DEFAULT_WAIT_MS,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  spillway failover --all --reason "us-east-1 drops writes, inc-4711"\n  spillway failover --cells orders --dry-run --reason "rehearsal"',
    )
    .action((flags: FailoverFlags) =>
      perform(io, flags, () =>
        change({ io, verb: 'failover', flags, act: (acting) => failover(io, flags, acting) }),
      ),
    );
}

async function failover(io: Io, flags: FailoverFlags, acting: Acting): Promise<Outcome> {
  const { target, clients } = acting;
  const { config } = target;
  const selection = select(config, flags);
  await clients.prepare(observerRegions(config.regions));
  const observers = await readObservers(config, { clients, timeoutMs: READ_TIMEOUT_MS, nowMs: io.nowMs });
  const { standby: region } = config.regions;
  if (!acting.dry) await assertReadable(observers.values(), { clients, region });
  const refusals = acting.dry ? [] : failoverRefusals(config, observers);
  if (refusals.length > 0 && !flags.force) {
    throw new RefusedError(refusals, 'If you know better, repeat with --force.');
  }
  await acting.consent(preview(acting, selection));
  const table = stateTable(config, clients, TABLE_TIMEOUT_MS);
  const { owner, reason, nowMs, id } = acting;
  const forced = refusals.map(({ rule, reason: why }) => `${why} (${rule})`).join('; ');
  const fullReason = forced === '' ? reason : `${reason} [forced although ${forced}]`.slice(0, MAX_REASON);
  if (flags.direct) {
    const { groups } = selection;
    return directOutcome(await latchDirectly({ table, groups, owner, reason: fullReason, atMs: nowMs, id }));
  }
  return runConductor({ io, acting, table, waitMs: flags.wait }, (epoch) => ({
    action: 'evacuate',
    trigger: 'asked',
    epoch,
    owner,
    reason: fullReason,
    ...(flags.force ? { force: true } : {}),
    ...(selection.everything ? {} : { groups: [...selection.groups] }),
  }));
}

function preview({ target, owner }: Acting, { cells, carried }: Selection): string {
  const { primary, standby } = target.config.regions;
  return [
    `${cells.length} of ${target.config.cells.length} cells: ${named(cells)}`,
    ...(carried.length === 0 ? [] : [`of these, because they share a switch: ${named(carried)}`]),
    `before  where DNS sends them now (spillway status); ${primary} as long as votes and switches say so`,
    `after   ${standby}, held by their switches until \`spillway failback\`; by ${owner}`,
  ].join('\n');
}

function directOutcome({ epoch, latched, failed, unjournaled }: DirectEnd): Outcome {
  const ok = failed.length === 0;
  const lines = [
    `${latched.length} switches set to STANDBY under epoch ${epoch}. DNS follows in about 30 s: spillway status --watch`,
    ...failed.map(({ group, problem }) => `not set: ${group}: ${problem}`),
    ...(unjournaled === undefined ? [] : [`The journal could not be written: ${unjournaled}.`]),
  ];
  return {
    exit: ok ? exitCodes.done : exitCodes.failed,
    document: { ok, direct: true, epoch, latched, failed, journaled: unjournaled === undefined },
    screen: lines.join('\n'),
  };
}
