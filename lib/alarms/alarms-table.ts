import { cellTroubles } from '../../lambda/core/cell-voices.ts';
import { dimensionsOf, type MetricName } from '../../lambda/core/metrics.ts';
import {
  conductorArn,
  stateTableName,
  switchFunctionName,
  voteFunctionName,
} from '../../lambda/core/names.ts';
import { type Config, observerRegions } from '../config/config.ts';
import { defaultDrillOverdueDays } from '../config/defaults.ts';

/**
 * Every alarm, as data: the stacks deploy the alarms, the runbook and `docs/monitoring.md` describe them, and
 * `spillway cost` counts them. This file uses no CDK.
 *
 * Where alarms live. CloudWatch evaluates an alarm in the region of its metric, and nowhere else. An alarm in
 * the primary would be silent during the primary's outage, so there is none. What the standby needs to know
 * is brought there: each minute its monitor reads the observers' tables and publishes what they say. The
 * standby cannot report one thing: its own failure. So each witness has a topic as well, with the few alarms
 * that only a witness can raise.
 */
export interface AlarmDefinition {
  readonly alarm: string;
  readonly where: 'standby' | 'witnesses' | 'observers';
  /** Absent: the alarm is in every deployment. Otherwise only in those where it can fire for a reason. */
  readonly only?: { readonly where: string; readonly holds: (config: AlarmConfig) => boolean };
  /** `now`: wakes somebody. `today`: a failover still works, but with less margin than it should have. */
  readonly urgency: 'now' | 'today';
  /** One metric, or several that are added up. */
  readonly metrics: readonly AlarmMetric[];
  readonly statistic: 'Minimum' | 'Maximum' | 'Sum';
  /** `below`: fires under the threshold. `from`: fires at the threshold and above. */
  readonly fires: 'below' | 'from';
  readonly threshold: (config: AlarmConfig) => number;
  /** Absent: no upper limit. Otherwise a value of the one metric that reaches it does not count. */
  readonly under?: (config: AlarmConfig) => number;
  readonly periodMinutes: number;
  /** How many periods in a row must cross the threshold. */
  readonly periods: (config: AlarmConfig) => number;
  /** Whether missing data fires the alarm as well. */
  readonly silence: 'fires' | 'is well';
  readonly meaning: string;
}

export type AlarmConfig = Pick<Config, 'regions' | 'policy' | 'monitoring' | 'cells'>;

/** Whether the config names consumers, so that somebody would miss one that does not work. */
export const namesConsumers = ({ cells }: Pick<Config, 'cells'>): boolean =>
  cells.some(({ consumers = [] }) => consumers.length > 0);

/** One of Spillway's own metrics, or one that AWS publishes by itself and without charge. */
export type AlarmMetric = MetricName | AwsMetric;
export interface AwsMetric {
  readonly namespace: `AWS/${string}`;
  readonly metricName: string;
  readonly dimensions: (place: Place) => Readonly<Record<string, string>>;
}
export interface Place {
  readonly name: string;
  readonly region: string;
  readonly account: string;
}

const stateTableMetric = (metricName: string): AwsMetric => ({
  namespace: 'AWS/DynamoDB',
  metricName,
  dimensions: ({ name }) => ({ TableName: stateTableName(name) }),
});
const functionMetric = (functionName: (name: string) => string, metricName: string): AwsMetric => ({
  namespace: 'AWS/Lambda',
  metricName,
  dimensions: ({ name }) => ({ FunctionName: functionName(name) }),
});
const conductorMetric = (metricName: string): AwsMetric => ({
  namespace: 'AWS/States',
  metricName,
  dimensions: ({ name, region, account }) => ({ StateMachineArn: conductorArn(name, region, account) }),
});

const HOUR_MINUTES = 60;
const DAY_SECONDS = 86_400;
/** Two runs in a row have not come to their end. */
const SURVEY_LATE_SECONDS = 9_000;
/**
 * Checkers request each path about 96 times a minute at an interval of 10 s: a tenth of these failing is no
 * blip.
 */
const FAILING_REQUESTS = 10;

const observersOf = ({ regions }: AlarmConfig): number => observerRegions(regions).length;
const one = (): number => 1;
const inARow = (count: number) => (): number => count;

/** A count of the monitor that should be 0. */
const notZero = {
  where: 'standby',
  statistic: 'Minimum',
  fires: 'from',
  threshold: one,
  periodMinutes: 1,
  silence: 'is well',
} as const;
/** A count of events that should not happen. */
const anyEvent = { ...notZero, statistic: 'Sum', periods: inARow(1) } as const;

/** In the order in which the runbook has them. */
export const alarms = [
  {
    ...notZero,
    alarm: 'observer silent',
    urgency: 'today',
    metrics: ['LiveVotes'],
    statistic: 'Maximum',
    fires: 'below',
    threshold: observersOf,
    periods: ({ monitoring }) => monitoring.observerSilentMinutes,
    silence: 'fires',
    meaning:
      'An observer has made no decision for some minutes, or the monitor that reads the observers is silent. A silent observer’s vote reads HOLD: while K observers are left, they still evacuate; with fewer, nothing moves by itself.',
  },
  {
    ...notZero,
    alarm: 'too few observers',
    urgency: 'now',
    metrics: ['LiveVotes'],
    statistic: 'Maximum',
    fires: 'below',
    threshold: ({ policy }) => policy.votesToEvacuate,
    periods: inARow(2),
    meaning:
      'Fewer observers have a live vote than it takes to evacuate: an outage of the primary would move nothing by itself.',
  },
  {
    ...notZero,
    alarm: 'observer sick',
    urgency: 'today',
    metrics: ['SickObservers'],
    periods: inARow(10),
    meaning:
      'An observer decides, but reports that it cannot judge the regions: its clock, its credentials or its network is at fault, or it lacks evidence. It votes HOLD.',
  },
  {
    ...notZero,
    alarm: 'primary impaired',
    urgency: 'now',
    metrics: ['ImpairedDiagnoses'],
    threshold: ({ policy }) => policy.votesToEvacuate,
    periods: inARow(1),
    meaning:
      'Enough observers for an evacuation see a fault of the primary. Whether traffic moves depends on the fault: the diagnosis says so.',
  },
  {
    ...notZero,
    alarm: 'canary or access',
    urgency: 'now',
    metrics: ['UnprovenFaults'],
    threshold: ({ policy }) => policy.votesToEvacuate,
    periods: inARow(2),
    meaning:
      'Enough observers for an evacuation agree on CanaryOnly (the canary of the primary fails, the streams of the cells take records) or on PrimaryRefusesAccess (the primary refuses credentials that the standby accepts). `spillway status` says which of the two. Nothing moves by itself for either: the errors of your own producers decide.',
  },
  {
    ...notZero,
    alarm: 'evacuation blocked',
    urgency: 'now',
    metrics: ['BlockedVotes'],
    periods: inARow(1),
    meaning:
      'An observer sees an outage that calls for an evacuation, but a guard holds its vote back: the mode, a pause, a maintenance window or a cooldown. In mode `approve`, this alarm asks for your approval.',
  },
  {
    ...notZero,
    alarm: 'votes disagreeing',
    urgency: 'now',
    metrics: ['EvacuateVotes'],
    under: ({ policy }) => policy.votesToEvacuate,
    periods: ({ monitoring }) => monitoring.votesDisagreeMinutes,
    meaning:
      'For a while some observers have voted EVACUATE, but too few to move anything. Either one of them is wrong, or the primary fails for part of the world.',
  },
  {
    ...notZero,
    alarm: 'cell impaired',
    urgency: 'now',
    metrics: ['CellTrouble'],
    threshold: () => cellTroubles.impaired,
    periods: inARow(1),
    meaning:
      'Enough observers accuse the own stream of a cell, which then moves alone; or one has accused it for a minute, and a guard holds the move back: the mode, a pause, a cooldown, a standby that does not take its records. Or its producers have reported failures for a minute, and that may not move the cell: you have to.',
  },
  {
    ...notZero,
    alarm: 'stream suspected',
    urgency: 'today',
    metrics: ['CellTrouble'],
    threshold: () => cellTroubles.suspected,
    periods: inARow(5),
    meaning:
      'For minutes, something has been said of the own stream of a cell that moves nothing: records fail, but too few; some producers report failures; the stream refuses the records of the observers; or one observer alone accuses it.',
  },
  {
    ...notZero,
    alarm: 'traffic moved',
    urgency: 'now',
    metrics: ['DnsInStandby'],
    periods: inARow(2),
    meaning:
      'The quorum has left the primary: DNS answers with the standby. It stays there until somebody fails back.',
  },
  {
    ...notZero,
    alarm: 'not latched',
    urgency: 'now',
    metrics: ['UnlatchedGroups'],
    periods: inARow(3),
    meaning:
      'DNS has moved, but some switches are not set: only the votes hold that traffic in the standby, and a recovering primary would pull it back.',
  },
  {
    ...notZero,
    alarm: 'standby unfit',
    urgency: 'now',
    metrics: ['StandbyDoubts'],
    periods: ({ monitoring }) => monitoring.standbyUnfitMinutes,
    meaning:
      'To at least one observer the standby is not known to take and return records, or fails in part. A standby that is not fit takes no traffic: while more than N − K observers doubt it so, nothing moves by itself. One that fails in part still takes the traffic of a primary that fails far more.',
  },
  {
    ...notZero,
    alarm: 'standby too small',
    urgency: 'today',
    metrics: ['StandbyShortfalls'],
    periodMinutes: HOUR_MINUTES,
    periods: inARow(2),
    meaning:
      'A cell’s stream in the standby would not take the highest load of the last two weeks. An evacuation still goes there: what the stream refuses waits in the producers’ spools.',
  },
  {
    ...notZero,
    alarm: 'standby unread',
    only: { where: 'the config names consumers', holds: namesConsumers },
    urgency: 'today',
    metrics: ['StandbyUnread'],
    periodMinutes: HOUR_MINUTES,
    periods: inARow(2),
    meaning:
      'A consumer of a cell is missing in the standby, switched off or does not run there, as the survey saw it. An evacuation still goes there, and nothing is lost while retention lasts: but nobody reads there what this consumer reads in the primary.',
  },
  {
    ...notZero,
    alarm: 'survey silent',
    urgency: 'today',
    metrics: ['SurveyAge'],
    threshold: () => SURVEY_LATE_SECONDS,
    periods: inARow(5),
    meaning:
      'The hourly survey of the cells’ streams has not completed for hours: the stored sizes and peaks grow old, and nobody is told of a standby that has become too small.',
  },
  {
    ...notZero,
    alarm: 'standby dark',
    urgency: 'now',
    where: 'witnesses',
    metrics: ['StandbyDown'],
    periods: ({ monitoring }) => monitoring.standbyUnfitMinutes,
    meaning:
      'A witness sees the standby fail: it does not take or return records, or its CloudWatch fails. The alarms there may be silent; this one comes from the witness’s own region.',
  },
  {
    ...notZero,
    alarm: 'pause forgotten',
    urgency: 'today',
    metrics: ['Paused'],
    periodMinutes: HOUR_MINUTES,
    periods: ({ monitoring }) => monitoring.pauseForgottenHours,
    meaning:
      'A pause, a maintenance window or the mode `observe`, set by an operator, has been in force for hours, or the control item cannot be read. Meanwhile no outage is evacuated automatically.',
  },
  {
    ...notZero,
    alarm: 'drill overdue',
    only: {
      where: 'drills are weekly, or `monitoring.drillOverdueDays` is given',
      holds: ({ monitoring }) => monitoring.drillOverdueDays !== undefined,
    },
    urgency: 'today',
    metrics: ['DrillAge'],
    threshold: ({ monitoring }) => (monitoring.drillOverdueDays ?? defaultDrillOverdueDays) * DAY_SECONDS,
    periodMinutes: HOUR_MINUTES,
    periods: inARow(1),
    meaning:
      'No drill has succeeded for longer than the config allows, counted from when the config began to ask for drills. It is not proven that a failover would work.',
  },
  {
    ...notZero,
    alarm: 'DNS unread',
    urgency: 'now',
    metrics: ['DnsUnread'],
    periods: inARow(5),
    meaning:
      'The standby cannot read `region.<name>.<zone>`. Checkers and producers may still be able to, but the standby’s observer would not see DNS move, and would not start the conductor.',
  },
  {
    ...notZero,
    alarm: 'state unread',
    urgency: 'now',
    metrics: ['StateUnread'],
    periods: inARow(3),
    meaning:
      'The state table does not answer the monitor. A control item that cannot be read counts as a pause; an evacuation under way stands.',
  },
  {
    ...anyEvent,
    alarm: 'state throttled',
    urgency: 'today',
    metrics: [stateTableMetric('ReadThrottleEvents'), stateTableMetric('WriteThrottleEvents')],
    periods: inARow(3),
    meaning:
      'DynamoDB throttles the state table. Throttled calls are repeated, so an evacuation takes longer; if the throttling lasts, reads fail.',
  },
  {
    ...anyEvent,
    alarm: 'conductor failed',
    urgency: 'now',
    metrics: ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'].map(conductorMetric),
    meaning:
      'A run of the conductor has stopped before its end. The journal has the state that the run left and the next command, unless the conductor could not even write those.',
  },
  {
    ...anyEvent,
    alarm: 'run needs an act',
    urgency: 'now',
    metrics: ['RunsNeedingAct'],
    meaning:
      'A run of the conductor has ended in a state that somebody has to look at: DNS did not follow, a failback was taken back, a step failed.',
  },
  {
    ...notZero,
    alarm: 'endpoint unfit',
    urgency: 'now',
    metrics: ['UnfitEndpoints'],
    periods: inARow(3),
    meaning:
      'A vote or switch endpoint, asked by the monitor as Route 53’s checkers ask it, does not answer in time, cannot read its table, or says something else than what is stored. A vote that Route 53 does not see moves nothing; a switch that it does not see holds nothing.',
  },
  {
    ...anyEvent,
    alarm: 'vote endpoint failing',
    urgency: 'today',
    where: 'observers',
    metrics: [functionMetric(voteFunctionName, 'Errors'), functionMetric(voteFunctionName, 'Throttles')],
    threshold: () => FAILING_REQUESTS,
    periods: inARow(3),
    meaning:
      'The endpoint that tells Route 53 this region’s vote crashes, or refuses requests because there are too many. A request without an answer reads HOLD.',
  },
  {
    ...anyEvent,
    alarm: 'switch endpoint failing',
    urgency: 'now',
    metrics: [functionMetric(switchFunctionName, 'Errors'), functionMetric(switchFunctionName, 'Throttles')],
    threshold: () => FAILING_REQUESTS,
    periods: inARow(3),
    meaning:
      'The endpoint that tells Route 53 the switches crashes, or refuses requests because there are too many. Switches that are not answered do not hold: when the votes clear, traffic returns to the primary.',
  },
] as const satisfies readonly AlarmDefinition[];

export type AlarmName = (typeof alarms)[number]['alarm'];
export const alarmRows: readonly (AlarmDefinition & { readonly alarm: AlarmName })[] = alarms;

/** `shop-observer-silent`, in each region in which it is deployed. */
export const alarmResourceName = (name: string, alarm: string): string =>
  `${name}-${alarm.toLowerCase().replaceAll(' ', '-')}`;

export const isOwn = (metric: AlarmMetric): metric is MetricName => typeof metric === 'string';

/** Regions in which an alarm is deployed; none where there is nothing for it to watch. */
export function alarmRegions(
  { where, only }: Pick<AlarmDefinition, 'where' | 'only'>,
  config: AlarmConfig,
): readonly string[] {
  const { regions } = config;
  if (only?.holds(config) === false) return [];
  switch (where) {
    case 'standby':
      return [regions.standby];
    case 'witnesses':
      return regions.witnesses;
    case 'observers':
      return observerRegions(regions);
    default:
      return where satisfies never;
  }
}

/** `LiveVotes below 3, 3 minutes in a row; silence fires as well` */
export function firesWhen(row: AlarmDefinition, config: AlarmConfig): string {
  const names = row.metrics.map((metric) =>
    isOwn(metric) ? metric : `${metric.namespace} ${metric.metricName}`,
  );
  const below = row.under === undefined ? '' : `, and below ${row.under(config)},`;
  const level = `${row.fires === 'below' ? 'below' : 'at or above'} ${row.threshold(config)}${below}`;
  const periods = row.periods(config);
  const unit = row.periodMinutes === HOUR_MINUTES ? 'hour' : 'minute';
  const time = periods === 1 ? `in one ${unit}` : `for ${periods} ${unit}s in a row`;
  const silence = row.silence === 'fires' ? '; no data fires as well' : '';
  return `${names.join(' + ')} ${level} ${time}${silence}`;
}

/** The dimensions of a metric, where it is published. */
export const dimensionsAt = (metric: AlarmMetric, place: Place): Readonly<Record<string, string>> =>
  isOwn(metric) ? dimensionsOf(metric) : metric.dimensions(place);
