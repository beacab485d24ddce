import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { type DrillResult, resultEntry } from '../../lambda/core/drill.ts';
import { drillId } from '../../lambda/core/journal.ts';
import { type MetricName, metricDatum } from '../../lambda/core/metrics.ts';
import { metricNamespace } from '../../lambda/core/names.ts';
import type { DrillSchedule } from '../config/drill-schedule.ts';
import { awsPorts } from '../live-drill/aws-ports.ts';
import { liveDrill, nextCommandFor } from '../live-drill/live-drill.ts';
import type { LiveDrillPlan, LiveDrillPorts } from '../live-drill/ports.ts';
import { drillTargetOf } from '../live-drill/target.ts';
import { secondsOf } from '../live-drill/trace.ts';
import { assertReadable } from '../operate/credentials.ts';
import { setDrillSchedule } from '../operate/drill-rule.ts';
import { RefusedError, UsageError } from '../operate/errors.ts';
import { reading } from '../operate/reading.ts';
import { stateTable } from '../operate/state.ts';
import { localCredentials } from '../operate/target.ts';
import { PIN_VARIABLE } from '../producer/pin.ts';
import type { DrillTarget } from '../settings/drill.ts';
import { exitCodes } from '../shell/exit-codes.ts';
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
const METRIC_TIMEOUT_MS = 5_000;

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
    const ports = portsOf(acting, target, shown.say);
    if (acting.dry) return await rehearse(plan, ports, acting);
    const end = await liveDrill(plan, ports);
    if (end.end === 'refused') throw new RefusedError(end.refusals, 'Nothing was moved.');
    return outcomeOf(end.result, interrupted);
  } finally {
    shown.stop();
    interrupted.dispose();
  }
}

/**
 * Checks that the credentials work. The guards of a drill refuse for anything that they cannot read, and
 * would not say whose fault it is.
 */
async function assertSeen({ target, clients }: Acting): Promise<void> {
  const table = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
  const control = await reading(TABLE_TIMEOUT_MS, () => table.readControl());
  await assertReadable([control], { clients, region: target.config.regions.standby });
}

function portsOf(acting: Acting, target: DrillTarget, say: (text: string) => void): LiveDrillPorts {
  const { clients, account, id } = acting;
  const { dnsServers, world } = acting.target;
  const cloudWatch = clients.cloudWatch(target.standby);
  const endpoint = world?.localStackUrl ?? process.env.AWS_ENDPOINT_URL;
  return awsPorts({
    id,
    target,
    account,
    documents: (region) => clients.documents(region),
    kinesis: (region) => clients.kinesis(region),
    stepFunctions: clients.stepFunctions(target.standby),
    ...(dnsServers === undefined ? {} : { dnsServers }),
    connection: {
      ...(endpoint === undefined ? {} : { endpoint: () => endpoint }),
      ...(world === undefined ? {} : { credentials: localCredentials }),
    },
    publish: async (values) => {
      const now = Date.now();
      const MetricData = Object.entries(values).flatMap(([name, value]) =>
        value === undefined ? [] : [metricDatum(name as MetricName, value, now)],
      );
      await cloudWatch.send(
        new PutMetricDataCommand({ Namespace: metricNamespace(target.name), MetricData }),
        { abortSignal: AbortSignal.timeout(METRIC_TIMEOUT_MS) },
      );
    },
    say,
  });
}

/**
 * Makes each call once, through the ports that the drill uses; a call that a drill repeats is made once, too.
 */
async function rehearse(plan: LiveDrillPlan, ports: LiveDrillPorts, acting: Acting): Promise<Outcome> {
  const { id, cell, group, owner, reason, primary, standby } = plan;
  const { streams } = drillTargetOf(acting.target.config);
  await ports.readFacts();
  const Records = [{ PartitionKey: `drill-${id}-1`, Data: new Uint8Array() }];
  const put = (region: string, StreamName: string) =>
    acting.clients.kinesis(region).send(new PutRecordsCommand({ StreamName, Records }));
  await put(primary, streams.primary);
  const common = { groups: [group], owner: `drill by ${owner}`, reason };
  const out = await ports.claimEpoch({ claim: `drill:${id}`, who: owner, what: 'drill', atMs: acting.nowMs });
  const there = await ports.start({ action: 'evacuate', trigger: 'asked', epoch: out, ...common });
  await ports.runState(there.executionArn);
  await put(standby, streams.standby);
  const what = 'drill failback';
  const back = await ports.claimEpoch({ claim: `drill:${id}:back-1`, who: owner, what, atMs: acting.nowMs });
  const home = await ports.start({ action: 'failback', epoch: back + 1, pauseSeconds: 60, ...common });
  await ports.runState(home.executionArn);
  await ports.readBack(acting.nowMs);
  const none = { rtoMs: null, flipMs: null, latchedMs: null, failback: { ok: true, ms: null } };
  const records = { acknowledged: 0, delivered: 0, lost: 0 };
  const result: DrillResult = { ok: true, cell, ...none, records, failures: [] };
  await ports.journal(resultEntry({ owner, reason, group, atMs: acting.nowMs }, result), drillId(id));
  await ports.publish({ DrillSuccess: 1, DrillRto: 0 });
  return { exit: exitCodes.done, document: result, screen: '' };
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
