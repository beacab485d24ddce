import { SWITCHES_A_ROUND } from '../../lambda/core/endpoint-rounds.ts';
import { metricsOf } from '../../lambda/core/metrics.ts';
import { STANDBY_CANARY_SHARDS } from '../../lambda/core/put-plan.ts';
import { STREAM_LIFE_MS } from '../../lambda/core/stream-evidence.ts';
import { QUIET_PUTS, STREAMS_PER_ROUND } from '../../lambda/core/stream-plan.ts';
import { MOST_STREAMS } from '../../lambda/core/streams.ts';
import { alarmRegions, alarmRows, namesConsumers } from '../alarms/alarms-table.ts';
import { checkedGroups } from '../config/checked-groups.ts';
import { type Config, observerRegions, type StreamSpec } from '../config/config.ts';
import { inForce } from '../config/probed-cells.ts';
import { CELLS_A_RUN } from '../survey/run.ts';
import { beaconUsage } from './beacon-usage.ts';
import { HOURS_A_MONTH, prices, SECONDS_A_MONTH } from './prices.ts';

export interface CostLine {
  readonly resource: string;
  readonly usd: number;
  readonly how: string;
}

export interface CostEstimate {
  readonly asOf: string;
  readonly lines: readonly CostLine[];
  /** Of Spillway itself: all lines together. */
  readonly usd: number;
  /** Streams of cells that the stacks create. They are the workload's, and would cost the same without Spillway. */
  readonly streams: readonly CostLine[];
  readonly beside: readonly CostLine[];
  readonly notCounted: readonly string[];
}

const MILLION = 1_000_000;
const KB_IN_GB = 1 / MILLION;
/** Checkers that ask one endpoint in one interval: two in each of 8 regions, as seen over days; AWS gives no number. [inferred] */
const CHECKERS = 16;
/** GB, as deployed (`lib/constructs`). */
const FUNCTION_GB = 0.25;
const OBSERVER_GB = 240 / 1_024;
/** A read of one item and an answer, on a warm function. [inferred] */
const ENDPOINT_SECONDS = 0.005;
/** An observer's item with its memory, and what it remembers of each stream in which nothing fails: measured. */
const ITEM_BYTES = 2_200;
const BYTES_PER_STREAM = 210;
const WRITE_UNIT_BYTES = 1_024;
const WRITE_UNITS_PER_TICK = Math.ceil(ITEM_BYTES / WRITE_UNIT_BYTES);
/** Each record counts as 1 KB at least. */
const GB_A_MILLION_PUTS = 1;
/** Reads and requests side by side, some to another continent on new TLS connections. [inferred] */
const MONITOR_SECONDS = 0.8;
/** Bytes and records, in both regions. */
const SURVEYED_METRICS = 4;
const SURVEY_GB = 0.5;
/** To start, and for each cell: five of them a second, and an answer of CloudWatch for each dozen. [inferred] */
const SURVEY_SECONDS = 3;
const SURVEY_SECONDS_PER_CELL = 0.3;
/** Control item and switches. */
const READS_PER_TICK = 2;
const LOG_BYTES_PER_TICK = 600;
/** One drill a week, some thirty transitions each. */
const TRANSITIONS_A_MONTH = 130;

const DRILLS_A_MONTH = HOURS_A_MONTH / (7 * 24);
/** A minute until it is there and settled, and a minute's watch on the way home; measured 110 s. */
const DRILL_SECONDS = 120;
const DRILL_METRICS = 2;

/** Pure: what the config costs a month. Every figure can be checked by hand from `how` and the price table. */
export function estimate(config: Config): CostEstimate {
  const lines = [
    healthChecks,
    canaries,
    observers,
    streamProbes,
    endpoints,
    dynamo,
    beacons,
    conductor,
    drill,
    probesOfCloudWatch,
    monitoring,
    survey,
    dashboard,
    logs,
  ].flatMap((part) => part(config));
  return {
    asOf: prices.asOf,
    lines,
    usd: cents(lines.reduce((sum, { usd }) => sum + usd, 0)),
    streams: streams(config),
    beside: [
      {
        resource: 'ARC routing control',
        usd: prices.arcRoutingControlMonth,
        how: 'a cluster of five endpoints',
      },
      { resource: 'ARC Region switch', usd: prices.arcRegionSwitchPlanMonth, how: 'for each plan' },
    ],
    notCounted: [
      'your own streams and what is written to them, in both regions',
      `DNS queries: $${prices.dnsMillionQueries} a million, about $0.21 a month for each cell and resolver that asks continuously`,
      'traffic of probes between regions, and taxes',
    ],
  };
}

type Part = (config: Config) => readonly CostLine[];

const counts = (config: Config) => ({
  observers: observerRegions(config.regions).length,
  switches: checkedGroups(config).length,
  ticks: SECONDS_A_MONTH / (config.policy.tickMs / 1_000),
});

const healthChecks: Part = (config) => {
  const { observers: votes, switches } = counts(config);
  const fast = config.delivery.healthCheckIntervalSeconds === 10;
  const each = prices.healthCheckMonth + (fast ? 3 : 2) * prices.healthCheckOptionMonth;
  return [
    line(
      'health checks',
      (votes + switches) * each + prices.healthCheckMonth,
      `${votes} votes and ${switches} switches at $${each.toFixed(2)}, the quorum at $${prices.healthCheckMonth.toFixed(2)}`,
    ),
  ];
};

const canaries: Part = (config) => {
  const { observers: n, ticks } = counts(config);
  const puts = n * config.policy.putsPerRound * ticks;
  const reads = n * ticks;
  const primary =
    prices.onDemandStreamHour * HOURS_A_MONTH +
    puts * KB_IN_GB * prices.onDemandGbIn +
    reads * KB_IN_GB * prices.onDemandGbOut;
  const standby =
    STANDBY_CANARY_SHARDS * prices.shardHour * HOURS_A_MONTH + (puts / MILLION) * prices.putMillionUnits;
  return [
    line(
      'canary streams',
      primary + standby,
      `1 on demand, 1 of ${STANDBY_CANARY_SHARDS} shards, ${millions(puts)} puts to each`,
    ),
  ];
};

const streams: Part = (config) => {
  const created = config.cells
    .flatMap((cell) => [cell.streams.primary, cell.streams.standby])
    .filter(({ create }) => create);
  if (created.length === 0) return [];
  const usd = created.reduce((sum, stream) => sum + streamMonth(stream), 0);
  return [
    line(
      'streams it creates',
      usd,
      `${created.length} streams, kept 7 days, without what is written to them`,
    ),
  ];
};

function streamMonth({ shards }: StreamSpec): number {
  if (shards === undefined) return prices.onDemandStreamHour * HOURS_A_MONTH;
  return shards * (prices.shardHour + prices.shardHourRetention7Days) * HOURS_A_MONTH;
}

const observers: Part = (config) => {
  const { observers: n } = counts(config);
  // At each minute the next run begins while the last one finishes its round.
  const overlap = 1 + config.policy.tickMs / 60_000;
  const usd = n * OBSERVER_GB * SECONDS_A_MONTH * overlap * prices.lambdaGbSecond;
  return [line('observers', usd, `${n} functions of 240 MB on arm64 that run continuously`)];
};

/** Cells of which nothing is suspected; a suspected one, of any cell that may be probed, costs a few cents an hour more. */
const streamProbes: Part = (config) => {
  const { observers: n, ticks } = counts(config);
  const always = inForce(config.cells).filter(({ probe }) => probe === 'always');
  if (always.length === 0) return [];
  const turns = Math.min(always.length, STREAMS_PER_ROUND);
  const puts = n * ticks * turns * QUIET_PUTS;
  // The cells take turns, so each has its share of the puts, and pays for them as its own records do.
  const provisioned = always.filter(({ streams }) => streams.primary.shards !== undefined).length;
  const share = provisioned / always.length;
  const million = share * prices.putMillionUnits + (1 - share) * GB_A_MILLION_PUTS * prices.onDemandGbIn;
  const roundsRemembered = STREAM_LIFE_MS / config.policy.tickMs;
  const remembered = Math.min(always.length, MOST_STREAMS, turns * roundsRemembered);
  const itemUnits = Math.ceil((ITEM_BYTES + remembered * BYTES_PER_STREAM) / WRITE_UNIT_BYTES);
  const units = n * ticks * Math.max(0, itemUnits - WRITE_UNITS_PER_TICK);
  return [
    line(
      'probes of streams',
      (puts / MILLION) * million + (units / MILLION) * prices.dynamoMillionWrites,
      `${millions(puts)} marked records to ${always.length} cells that are always probed, ${millions(units)} more write units`,
    ),
  ];
};

/** Of the checkers, and of the monitor, which asks as they do. */
const requests = (config: Config): number => {
  const { observers: votes, switches } = counts(config);
  const checks =
    (votes + switches) * CHECKERS * (SECONDS_A_MONTH / config.delivery.healthCheckIntervalSeconds);
  return checks + (votes + Math.min(switches, SWITCHES_A_ROUND)) * (SECONDS_A_MONTH / 60);
};

const endpoints: Part = (config) => {
  const asked = requests(config);
  const usd =
    (asked / MILLION) * prices.lambdaMillionRequests +
    asked * ENDPOINT_SECONDS * FUNCTION_GB * prices.lambdaGbSecond;
  return [
    line('vote and switch endpoints', usd, `${millions(asked)} requests from the checkers and the monitor`),
  ];
};

const dynamo: Part = (config) => {
  const { observers: n, ticks } = counts(config);
  const reads = requests(config) + n * ticks * READS_PER_TICK;
  const writes = n * ticks * WRITE_UNITS_PER_TICK;
  const usd = (reads / MILLION) * prices.dynamoMillionReads + (writes / MILLION) * prices.dynamoMillionWrites;
  return [line('DynamoDB', usd, `${millions(reads)} reads, ${millions(writes)} write units`)];
};

/** In health. In trouble a beacon costs two units, one of them for the index, each five seconds. */
const beacons: Part = (config) => {
  if (config.beacons === undefined) return [];
  const { sources } = config.beacons;
  const used = beaconUsage({ beacons: sources, ...counts(config) });
  const usd =
    (used.writeUnits / MILLION) * prices.dynamoMillionWrites +
    (used.readUnits / MILLION) * prices.dynamoMillionReads +
    used.gbBetweenRegions * prices.interRegionGb;
  return [
    line(
      'beacons',
      usd,
      `${sources.toLocaleString('en')} at the same time, each every ${used.intervalSeconds} s: ${millions(used.writeUnits)} write units, ${millions(used.readUnits)} reads, ${used.gbBetweenRegions.toFixed(0)} GB to other regions`,
    ),
  ];
};

const conductor: Part = () => [
  line(
    'Step Functions',
    (TRANSITIONS_A_MONTH / 1_000) * prices.transitionsThousand,
    `a drill a week, ${TRANSITIONS_A_MONTH} transitions`,
  ),
];

/** Asked for by hand, a drill costs the same. The cell's stream and switch are in the other lines. */
const drill: Part = (config) => {
  if (config.drill?.schedule !== 'weekly') return [];
  const seconds = DRILLS_A_MONTH * DRILL_SECONDS;
  // A metric is asked for by the hour in which it is published ("Amazon CloudWatch Pricing").
  const metrics = DRILL_METRICS * prices.metricMonth * (DRILLS_A_MONTH / HOURS_A_MONTH);
  const usd = seconds * FUNCTION_GB * prices.lambdaGbSecond + metrics;
  return [
    line(
      'weekly drill',
      usd,
      `a function of 256 MB, ${DRILL_SECONDS} s a week, and ${DRILL_METRICS} metrics; its rule is free`,
    ),
  ];
};

/** What an observer's probe puts to each of both regions. */
const HEARTBEATS = 2;

const probesOfCloudWatch: Part = (config) => {
  const { observers: n, ticks } = counts(config);
  // A put and a read to each of both regions, on every n-th round.
  const calls = n * 2 * 2 * (ticks / config.policy.slowProbeEveryTicks);
  const usd = (calls / 1_000) * prices.metricCallsThousand + n * HEARTBEATS * prices.metricMonth;
  return [line('CloudWatch probes', usd, `${millions(calls)} calls, ${n * HEARTBEATS} metrics`)];
};

/** Metrics of conductor and drill are there for minutes a month, and are asked for by the hour. */
const monitoring: Part = (config) => {
  const { observers: n } = counts(config);
  const { drillOverdueDays } = config.monitoring;
  const watch = metricsOf('monitor').filter((name) => name !== 'DrillAge' || drillOverdueDays !== undefined);
  const surveyed = metricsOf('survey').filter((name) => name !== 'StandbyUnread' || namesConsumers(config));
  const published = watch.length + surveyed.length + n * metricsOf('observer').length;
  const watched = alarmRows.flatMap((row) =>
    alarmRegions(row, config).flatMap(() => row.metrics.map(() => row.alarm)),
  ).length;
  const minutes = SECONDS_A_MONTH / 60;
  const usd =
    published * prices.metricMonth +
    watched * prices.alarmMetricMonth +
    minutes * MONITOR_SECONDS * FUNCTION_GB * prices.lambdaGbSecond;
  return [
    line(
      'metrics and alarms',
      usd,
      `${published} metrics at $${prices.metricMonth.toFixed(2)}, alarms on ${watched} at $${prices.alarmMetricMonth.toFixed(2)}, a run of the monitor a minute`,
    ),
  ];
};

const survey: Part = ({ cells }) => {
  const surveyed = Math.min(cells.length, CELLS_A_RUN);
  const asked = surveyed * SURVEYED_METRICS * HOURS_A_MONTH;
  const seconds = (SURVEY_SECONDS + surveyed * SURVEY_SECONDS_PER_CELL) * HOURS_A_MONTH;
  const usd = (asked / 1_000) * prices.metricCallsThousand + seconds * SURVEY_GB * prices.lambdaGbSecond;
  return [
    line(
      'survey',
      usd,
      `${Math.round(asked).toLocaleString('en')} metrics read, for ${surveyed} cells an hour`,
    ),
  ];
};

const dashboard: Part = ({ monitoring: { dashboard: wanted } }) =>
  wanted
    ? [line('dashboard', prices.dashboardMonth, 'nothing if it is among the first three of the account')]
    : [];

const logs: Part = (config) => {
  const { observers: n, ticks } = counts(config);
  const gb = (n * ticks * LOG_BYTES_PER_TICK) / 1e9;
  return [line('logs', gb * prices.logsGb, `${gb.toFixed(2)} GB, a line each round`)];
};

const line = (resource: string, usd: number, how: string): CostLine => ({ resource, usd: cents(usd), how });
const cents = (usd: number): number => Math.round(usd * 100) / 100;
const millions = (count: number): string => `${(count / MILLION).toFixed(1)} million`;
