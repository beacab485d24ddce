import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { SFNClient } from '@aws-sdk/client-sfn';
import { STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { MetricLog } from '../../lib/metrics/metric-log.ts';
import { quorumReader } from '../../lib/observers/quorum.ts';
import { readReports } from '../../lib/observers/reports.ts';
import { groupsOf, readCells } from '../../lib/settings/cells-file.ts';
import { DNS_SERVERS, OBSERVER_SETTINGS, parseObserverSettings } from '../../lib/settings/observer.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import {
  beaconTableName,
  canaryStreamName,
  metricNamespace,
  stateTableName,
  voteTableName,
} from '../core/names.ts';
import type { RegionOutcomes } from '../core/observation.ts';
import type { ProbeOutcome } from '../core/probe.ts';
import { maxPuts } from '../core/put-plan.ts';
import { PUTS_PER_STREAM, STREAMS_PER_ROUND } from '../core/stream-plan.ts';
import { BeaconReader } from './beacon-reader.ts';
import { CellMoves } from './cell-moves.ts';
import { ConductorStart, START_TIMEOUT_MS } from './conductor-start.ts';
import { type ProbedRegion, probeRegion } from './probes.ts';
import { type RunEnd, run } from './run.ts';
import { siblingProbes } from './siblings.ts';
import { ObserverStore, STORE_TIMEOUT_MS } from './store.ts';
import { type ProbedStreams, probeStreams } from './stream-probes.ts';
import type { TickResult } from './tick.ts';
import { tickMetrics } from './tick-metrics.ts';

const settings = parseObserverSettings(requiredVariable(OBSERVER_SETTINGS));
const logger = new Logger({ serviceName: `${settings.name}-observer` });
const who = `observer ${settings.region}`;
const metricLog = new MetricLog({ name: settings.name, service: 'observer' });
const cells = readCells();
const regions = { primary: probed(settings.primary), standby: probed(settings.standby) };
const store = new ObserverStore({
  own: documentClient(settings.region),
  voteTable: voteTableName(settings.name),
  standby: documentClient(settings.standby),
  stateTable: stateTableName(settings.name),
  switchGroups: new Set(groupsOf(cells)),
});
const readQuorum = quorumReader({
  name: settings.name,
  cells: cells.map(({ cell }) => cell),
  zoneName: settings.zoneName,
  primary: settings.primary,
  standby: settings.standby,
  servers: process.env[DNS_SERVERS]?.split(','),
});

const streams = probedStreams();
const beacons = settings.beacons === true ? beaconReader() : undefined;
const conductor = settings.conductorArn === undefined ? undefined : conductorStarters(settings.conductorArn);

/** Started each minute by an Events rule; ticks until the next run takes over. */
export async function handler(_event: unknown, context: Context): Promise<{ readonly end: RunEnd }> {
  logger.addContext(context);
  const end = await run({
    policy: settings.policy,
    phase: settings.phase,
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    store,
    readQuorum,
    probe: (role, round) => probeRegion(regions[role], round),
    cells,
    probeStreams: (request) => probeStreams(streams, request),
    readBeacons: async () => (await beacons?.read()) ?? [],
    beaconTable: beacons && (() => beacons.table),
    runId: context.awsRequestId,
    remainingMs: () => context.getRemainingTimeInMillis(),
    sleep: (ms) => sleep(ms),
    onTick: (result) => {
      logTick(result);
      metricLog.add(tickMetrics(result, settings.policy));
      conductor?.start.consider(result);
      conductor?.cellMoves.consider(result);
    },
    onStoreError: (error) =>
      logger.error('the vote table of this region does not answer; the vote will expire', error as Error),
  });
  // Once for a run, about a minute: the values of its rounds share one line.
  metricLog.flush();
  return { end };
}

function probed(region: string): ProbedRegion {
  // One connection for each of the puts, which must not wait for each other, and some for the other probes.
  const { probeTimeoutMs } = settings.policy;
  const maxSockets = maxPuts(settings.policy) + 4;
  const options = { region, who, timeoutMs: probeTimeoutMs, maxSockets };
  return {
    kinesis: clientOf(KinesisClient, options),
    cloudWatch: clientOf(CloudWatchClient, options),
    sts: clientOf(STSClient, options),
    siblings: siblingProbes(options),
    canaryStream: canaryStreamName(settings.name),
    metricNamespace: metricNamespace(settings.name),
    observer: settings.region,
  };
}

function probedStreams(): ProbedStreams {
  const { policy, primary, standby } = settings;
  const kinesis = (region: string): KinesisClient =>
    clientOf(KinesisClient, {
      region,
      who,
      timeoutMs: policy.probeTimeoutMs,
      maxSockets: STREAMS_PER_ROUND * PUTS_PER_STREAM,
    });
  return {
    kinesis: { primary: kinesis(primary), standby: kinesis(standby) },
    observer: settings.region,
    streams: new Map(
      cells.map(({ cell, stream, primaryStream }) => [cell, { primary: primaryStream, standby: stream }]),
    ),
  };
}

function beaconReader(): BeaconReader {
  const { name, policy, primary, standby, region } = settings;
  return new BeaconReader({
    client: documentClient(standby),
    table: beaconTableName(name),
    cells: cells.map(({ cell, stream, primaryStream }) => ({
      cell,
      streams: { primary: primaryStream, standby: stream },
    })),
    regions: { primary, standby },
    policy,
    nowMs: () => Date.now(),
    tellsFleet: region === standby,
    onIgnored: (ignored) => logger.warn('beacons were ignored, by reason', { ignored }),
    onFlooding: (source) =>
      logger.warn('a source has far too many beacons; most are skipped. Take away its right to write', {
        source,
      }),
    onError: (error) =>
      logger.warn('the table of beacons does not answer; what it said will expire', error as Error),
  });
}

/** Only the standby's observer has starters: the conductor is there, and two would only race. */
function conductorStarters(machineArn: string): {
  readonly start: ConductorStart;
  readonly cellMoves: CellMoves;
} {
  const options = { region: settings.standby, who, timeoutMs: START_TIMEOUT_MS, maxSockets: 2 };
  const client = documentClient(settings.standby);
  const table = voteTableName(settings.name);
  const witnesses = (settings.witnesses ?? []).map((region) => ({
    region,
    table,
    client: documentClient(region),
  }));
  const common = {
    region: settings.region,
    machineArn,
    stepFunctions: clientOf(SFNClient, options),
    votesToEvacuate: settings.policy.votesToEvacuate,
    readWitnesses: () => readReports(witnesses, Date.now),
    state: new StateTable({ client, table: stateTableName(settings.name), timeoutMs: STORE_TIMEOUT_MS }),
    onStart: (name: string) => logger.info('the conductor is started', { execution: name }),
    onError: (error: unknown) =>
      logger.error('the conductor was not started; the next tick tries again', error as Error),
  };
  return {
    start: new ConductorStart({ ...common, groups: groupsOf(cells) }),
    cellMoves: new CellMoves({ ...common, cells }),
  };
}

function documentClient(region: string): DynamoDBDocumentClient {
  const options = { region, who, timeoutMs: STORE_TIMEOUT_MS, maxSockets: 4 };
  return DynamoDBDocumentClient.from(clientOf(DynamoDBClient, options));
}

function logTick({ decision, outcomes, streams: probed, cells: findings }: TickResult): void {
  logger.info(decision.comment, {
    diagnosis: decision.diagnosis,
    phase: decision.state.phase,
    vote: decision.vote,
    epoch: decision.state.epoch,
    refusals: decision.refusals.map((refusal) => refusal.rule),
    primary: summary(outcomes.primary),
    standby: summary(outcomes.standby),
    ...(probed.length === 0
      ? {}
      : {
          streams: Object.fromEntries(
            probed.map((each) => [each.cell, [...each.primary, ...each.standby].map(describe).join('; ')]),
          ),
        }),
    ...(findings.length === 0
      ? {}
      : { cells: findings.map(({ cell, kind, reason, refusals }) => ({ cell, kind, reason, refusals })) }),
  });
}

function summary(outcomes: RegionOutcomes): Record<string, string> {
  return Object.fromEntries(
    Object.entries(outcomes).map(([signal, list]) => [signal, list.map(describe).join('; ')]),
  );
}

function describe(outcome: ProbeOutcome): string {
  if (outcome.ok) return `ok ${outcome.latencyMs} ms`;
  return `${outcome.errorClass} ${outcome.latencyMs} ms, ${outcome.detail}`;
}
