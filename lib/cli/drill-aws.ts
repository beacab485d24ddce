import type { DrillResult } from '../../lambda/core/drill.ts';
import type { DrillSchedule } from '../config/drill-schedule.ts';
import { liveDrill, nextCommandFor } from '../live-drill/live-drill.ts';
import { operatorPorts } from '../live-drill/operator-ports.ts';
import type { LiveDrillPlan } from '../live-drill/ports.ts';
import { rehearse } from '../live-drill/rehearse.ts';
import { drillTargetOf } from '../live-drill/target.ts';
import { secondsOf } from '../live-drill/trace.ts';
import { setDrillSchedule } from '../operate/drill-rule.ts';
import { RefusedError, UsageError } from '../operate/errors.ts';
import { stateTable } from '../operate/state.ts';
import { PIN_VARIABLE } from '../producer/pin.ts';
import type { DrillTarget } from '../settings/drill.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { assertSeen } from './assert-seen.ts';
import { type Acting, change } from './change.ts';
import { type Interruption, interruption } from './interruption.ts';
import type { Io } from './io.ts';
import type { ChangeFlags } from './options.ts';
import { progress } from './spinner.ts';
import type { Outcome } from './verb.ts';

export interface DrillAwsFlags extends ChangeFlags {
  readonly schedule?: DrillSchedule;
}

const TABLE_TIMEOUT_MS = 3_000;

/** `spillway drill --aws`: moves the drill cell of a deployment for real and back, or turns its schedule on or off. */
export const drillAws = (io: Io, flags: DrillAwsFlags): Promise<Outcome> =>
  change({
    io,
    verb: 'drill',
    flags,
    fits: drillTargetOf,
    act: (acting) => (flags.schedule === undefined ? drill(io, acting) : schedule(acting, flags.schedule)),
  });

async function drill(io: Io, acting: Acting): Promise<Outcome> {
  const target = drillTargetOf(acting.target.config);
  if ((io.env[PIN_VARIABLE] ?? '') !== '') {
    throw new UsageError(`${PIN_VARIABLE} is set, and would pin the drill's own producer: unset it.`);
  }
  if (!acting.dry) await assertSeen(acting);
  await acting.consent(preview(acting, target));
  const shown = progress(io);
  const interrupted = interruption(() =>
    // Not in the line that is redrawn: this message has to stay readable.
    io.err(
      `interrupted: the cell is being moved back. Ctrl-C again ends immediately; then move it back yourself: ${nextCommandFor(target.cell)}`,
    ),
  );
  const { cell, group, primary, standby } = target;
  const plan: LiveDrillPlan = {
    ...{ id: acting.id, cell, group, primary, standby },
    owner: acting.owner,
    reason: acting.reason,
    signal: interrupted.signal,
  };
  try {
    const { clients, account, id, nowMs } = acting;
    const ports = operatorPorts({ id, target, where: acting.target, clients, account, say: shown.say });
    if (acting.dry) {
      const document = await rehearse({ plan, ports, target, clients, nowMs });
      return { exit: exitCodes.done, document, screen: '' };
    }
    const end = await liveDrill(plan, ports);
    if (end.end === 'refused') throw new RefusedError(end.refusals, 'Nothing was moved.');
    return outcomeOf(end.result, interrupted);
  } finally {
    shown.stop();
    interrupted.dispose();
  }
}

function preview({ owner }: Acting, { cell, primary, standby }: DrillTarget): string {
  return [
    `cell ${cell}, and no other; this command runs a producer that writes to this cell`,
    `before  ${primary}`,
    `during  ${standby}, through the conductor, for about two minutes; by ${owner}`,
    `after   ${primary}, through the conductor and the failback's guards; also after Ctrl-C`,
    "The time measured is that of an operator's failover: a switch's health check changes in 20 to 35 s. An automatic failover follows votes.",
  ].join('\n');
}

function outcomeOf(result: DrillResult, { signal }: Interruption): Outcome {
  const done = result.ok ? exitCodes.done : exitCodes.failed;
  return { exit: signal.aborted ? exitCodes.interrupted : done, document: result, screen: screenOf(result) };
}

function screenOf(result: DrillResult): string {
  const { cell, ok, latchedMs, flipMs, rtoMs, failback, records, failures, nextCommand } = result;
  const time = (ms: number | null): string => (ms === null ? 'never' : secondsOf(ms));
  return [
    `drill of ${cell}: ${ok ? 'moved there and back, and no record lost' : 'did NOT go as it should'}`,
    `  switch held ${time(latchedMs)} · DNS moved ${time(flipMs)} · puts moved ${time(rtoMs)} · puts back ${time(failback.ms)}`,
    `  records: ${records.acknowledged} acknowledged, ${records.delivered} found, ${records.lost} lost`,
    "  The times are those of an operator's failover (a switch's health check changes in 20 to 35 s), not of an automatic one.",
    ...failures.map((failure) => `  ✗ ${failure}`),
    ...(nextCommand === undefined ? [] : [`next: ${nextCommand}`]),
  ].join('\n');
}

async function schedule(acting: Acting, wanted: DrillSchedule): Promise<Outcome> {
  const { target, clients, owner, reason, nowMs } = acting;
  const { config } = target;
  drillTargetOf(config);
  await acting.consent(
    wanted === 'weekly' ? 'The weekly drill will run by itself.' : 'No drill will run by itself any more.',
  );
  const { rule, before, after, unjournaled } = await setDrillSchedule({
    client: clients.events(config.regions.standby),
    table: stateTable(config, clients, TABLE_TIMEOUT_MS),
    name: config.name,
    schedule: wanted,
    who: owner,
    why: reason,
    atMs: nowMs,
  });
  const lines = [
    `rule ${rule}: ${before} → ${after}. A deployment that changes the rule sets it as the config says.`,
    ...(unjournaled === undefined ? [] : [`The journal could not be written: ${unjournaled}.`]),
  ];
  return {
    exit: exitCodes.done,
    document: { ok: true, rule, before, after, journaled: unjournaled === undefined },
    screen: lines.join('\n'),
  };
}
