import { Command, InvalidArgumentError } from 'commander';
import { type AssumptionId, assumptions } from '../assumptions/assumptions.ts';
import { experiments } from '../assumptions/experiments.ts';
import { drillTargetOf } from '../live-drill/target.ts';
import { journaled } from '../operate/apply-control.ts';
import { RefusedError, UsageError } from '../operate/errors.ts';
import { stateTable } from '../operate/state.ts';
import { PIN_VARIABLE } from '../producer/pin.ts';
import type { ProveContext } from '../prove/context.ts';
import { clean, clearLeftovers, leftoversText } from '../prove/health-check/clear.ts';
import { countsOf, experimentsFor, type ProvenRow, prove } from '../prove/prove.ts';
import { reasonsOf, refusalsOf } from '../prove/quiet.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { assertSeen } from './assert-seen.ts';
import { type Acting, change } from './change.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { type ChangeFlags, listArgument, withChange } from './options.ts';
import { inOwnWorld, isWithoutWorld } from './prove-world.ts';
import { type Proven, proveScreen } from './screens/prove.ts';
import { progress } from './spinner.ts';
import { type Outcome, perform } from './verb.ts';

interface ProveFlags extends ChangeFlags {
  readonly only?: ReadonlySet<AssumptionId>;
  readonly clean?: true;
}

const TABLE_TIMEOUT_MS = 3_000;
const allIds: ReadonlySet<AssumptionId> = new Set(assumptions.map(({ id }) => id));

/** `spillway prove`: checks in the account what Spillway assumes of AWS. */
export function proveCommand(io: Io): Command {
  return withChange(
    new Command('prove').description(
      'Check, in quiet times and with the drill cell, what Spillway assumes of AWS (docs/assumptions.md). Says its time and cost first. Ends with status 4 if a statement is refuted.',
    ),
  )
    .option('--only <ids>', 'these statements alone, separated by commas', idsArgument)
    .option('--clean', 'do nothing but delete what a run that crashed has left')
    .addHelpText(
      'after',
      '\nA local world needs no --reason and no consent; it confirms nothing about AWS. With --local and no world running, one is built and taken down.\n\nExamples:\n  spillway prove --reason "before going live"\n  spillway prove --only kinesis-cbor,propagation --reason test --dry-run\n  spillway prove --local --json',
    )
    .action((flags: ProveFlags) =>
      perform(io, flags, async () => {
        // Where --local means no world, one is built: what there is to see needs no other.
        if (flags.local !== true || flags.clean || !(await isWithoutWorld())) return proveVerb(io, flags);
        const { local: _local, ...rest } = flags;
        return inOwnWorld(io, { config: flags.config, act: (world) => proveVerb(io, { ...rest, world }) });
      }),
    );
}

function idsArgument(text: string): ReadonlySet<AssumptionId> {
  const names = listArgument(text);
  const unknown = names.find((name) => !(allIds as ReadonlySet<string>).has(name));
  if (unknown === undefined) return new Set(names as readonly AssumptionId[]);
  throw new InvalidArgumentError(`There is no statement ${unknown}: docs/assumptions.md lists them.`);
}

/** A local world is nobody's account: it needs neither a reason nor consent. */
function proveVerb(io: Io, flags: ProveFlags): Promise<Outcome> {
  const isLocal = flags.local === true || flags.world !== undefined;
  const given: ProveFlags = isLocal ? { reason: 'in a local world', yes: true, ...flags } : flags;
  return change({
    io,
    verb: 'prove',
    flags: given,
    fits: (config) => (isLocal || flags.clean ? undefined : drillTargetOf(config)),
    act: (acting) => (flags.clean ? cleanUp(io, acting) : run(io, acting, flags.only ?? allIds)),
  });
}

async function run(io: Io, acting: Acting, only: ReadonlySet<AssumptionId>): Promise<Outcome> {
  const chosen = experimentsFor(only);
  if (chosen.includes('move') && (io.env[PIN_VARIABLE] ?? '') !== '') {
    throw new UsageError(`${PIN_VARIABLE} is set, and would pin the drill's own producer: unset it.`);
  }
  const shown = progress(io);
  const interrupted = interruption(() =>
    io.err(
      'interrupted: what was created is being deleted. Ctrl-C again ends immediately; then: spillway prove --clean',
    ),
  );
  const say = acting.dry ? () => {} : shown.say;
  const context = contextOf(acting, { signal: interrupted.signal, say, nowMs: io.nowMs });
  try {
    if (!acting.dry) await assertSeen(acting);
    const refusals = acting.dry ? [] : await refusalsOf(context);
    if (refusals.length > 0) throw new RefusedError(refusals, 'Nothing was created or moved.');
    await acting.consent(preview(only, acting));
    if (context.world === undefined && chosen.includes('health-check')) await alone(context);
    const rows = await prove({ context, only, refusals: () => reasonsOf(context) });
    const proven = await concluded(rows, acting, context);
    const done = proven.counts.refuted > 0 ? exitCodes.unhealthy : exitCodes.done;
    return {
      exit: interrupted.signal.aborted ? exitCodes.interrupted : done,
      document: proven,
      screen: proveScreen(proven, io),
    };
  } finally {
    shown.stop();
    interrupted.dispose();
  }
}

/** Who may not look is told so by the experiment itself. @throws RefusedError when another run may be at work */
async function alone(context: ProveContext): Promise<void> {
  try {
    await clearLeftovers(context);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
  }
}

function contextOf(
  { id, target, clients, owner, account, reason, dry }: Acting,
  around: Pick<ProveContext, 'signal' | 'say' | 'nowMs'>,
): ProveContext {
  const { config, world, dnsServers } = target;
  return {
    ...around,
    ...{ id, config, clients, owner, reason },
    rehearsing: dry,
    ...(config.drill === undefined ? {} : { drill: drillTargetOf(config) }),
    ...(world === undefined ? {} : { world }),
    ...(dnsServers === undefined ? {} : { dnsServers }),
    ...(account === undefined ? {} : { account }),
  };
}

async function concluded(
  rows: readonly ProvenRow[],
  { target, clients, owner, reason, id }: Acting,
  { nowMs, rehearsing }: ProveContext,
): Promise<Proven> {
  const counts = countsOf(rows);
  const idsOf = (verdict: ProvenRow['verdict']) =>
    rows.flatMap((row) => (row.verdict === verdict ? [row.id] : []));
  const why = `${counts.confirmed} confirmed, ${counts.refuted} refuted, ${counts.notRun} not run; ${reason}`;
  const after = { confirmed: idsOf('confirmed'), refuted: idsOf('refuted') };
  const table = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
  const entry = { atMs: nowMs(), who: owner, what: 'prove', why, after };
  const unjournaled = await journaled(() => table.journal(entry, `prove#${id}`));
  const endpoint = target.world?.localStackUrl ?? (process.env.AWS_ENDPOINT_URL || undefined);
  return {
    ok: counts.refuted === 0,
    where: target.world === undefined ? 'aws' : 'local',
    ...(endpoint === undefined ? {} : { endpoint }),
    counts,
    rows,
    journaled: unjournaled === undefined && !rehearsing,
  };
}

function preview(only: ReadonlySet<AssumptionId>, { target, owner }: Acting): string {
  const chosen = experimentsFor(only).filter(
    (name) => target.world === undefined || experiments[name].local.runs,
  );
  const seconds = chosen.reduce((sum, name) => sum + experiments[name].mostSeconds, 0);
  const usd = chosen.reduce((sum, name) => sum + experiments[name].mostUsd, 0);
  return [
    ...chosen.map((name) => `${name}  ${experiments[name].what}`),
    `together at most ${Math.ceil(seconds / 60)} min and $${usd.toFixed(2)}; by ${owner}. Records and switches of workloads are not touched.`,
  ].join('\n');
}

async function cleanUp(io: Io, acting: Acting): Promise<Outcome> {
  await acting.consent(
    'Deletes the health checks and records that `spillway prove` has made, and nothing else.',
  );
  const shown = progress(io);
  try {
    const signal = new AbortController().signal;
    const found = await clean(contextOf(acting, { signal, say: shown.say, nowMs: io.nowMs }));
    const deleted = { healthChecks: found.checks.length, records: found.records.length };
    return {
      exit: exitCodes.done,
      document: { ok: true, deleted },
      screen: `deleted: ${leftoversText(found)}`,
    };
  } finally {
    shown.stop();
  }
}
