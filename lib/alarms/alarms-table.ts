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
 * Every alarm, as data: the stacks deploy it, the runbook and `docs/monitoring.md` describe it, and `spillway cost` counts
 * it. No CDK in here.
 *
 * Where alarms live. CloudWatch evaluates an alarm in the region of its metric, and nowhere else. An alarm in the primary
 * would sleep through the primary's outage, so there is none. What the standby can know is brought there: its monitor asks
 * the observers' tables, each minute, and publishes what they say. That leaves one thing the standby cannot tell: that it
 * has failed itself. So each witness has a topic as well, with the few alarms that only it can raise.
 */
export interface AlarmDefinition {
  readonly alarm: string;
  readonly where: 'standby' | 'witnesses' | 'observers';
  /** Absent: in every deployment. Else in those where it can fire for a reason, and be silenced by one. */
  readonly only?: { readonly where: string; readonly holds: (config: AlarmConfig) => boolean };
  /** `now`: wakes somebody. `today`: a way out is thinner than it should be, and still there. */
  readonly urgency: 'now' | 'today';
  /** One, or some that are added up. */
  readonly metrics: readonly AlarmMetric[];
  readonly statistic: 'Minimum' | 'Maximum' | 'Sum';
  /** `below`: fires under the threshold. `from`: at it and above. */
  readonly fires: 'below' | 'from';
  readonly threshold: (config: AlarmConfig) => number;
  readonly periodMinutes: number;
  /** How many periods in a row must fire. */
  readonly periods: (config: AlarmConfig) => number;
  /** Whether silence fires as well. */
  readonly silence: 'fires' | 'is well';
  readonly meaning: string;
}

export type AlarmConfig = Pick<Config, 'regions' | 'policy' | 'monitoring'>;

/** One of our own, or one that AWS publishes by itself and without charge. */
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
/** Checkers ask each path about 96 times a minute at 10 s: a tenth of it is no blip. */
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
      'An observer has not decided for some minutes, or the monitor that reads them is silent itself. A silent observer’s vote reads HOLD; with K of N left, the others still evacuate, and with fewer nothing moves by itself.',
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
      'An observer decides, and says of itself that it cannot tell anything: its clock, its credentials or its own network. It votes HOLD.',
  },
  {
    ...notZero,
    alarm: 'primary impaired',
    urgency: 'now',
    metrics: ['ImpairedDiagnoses'],
    threshold: ({ policy }) => policy.votesToEvacuate,
    periods: inARow(2),
    meaning:
      'As many observers as it takes to evacuate see a fault of the primary. Whether traffic moves depends on which: the diagnosis says so.',
  },
  {
    ...notZero,
    alarm: 'evacuation blocked',
    urgency: 'now',
    metrics: ['BlockedVotes'],
    periods: inARow(1),
    meaning:
      'An observer sees an outage that calls for an evacuation, and a guard holds its vote back: the mode, a pause, a window, a cooldown. In mode `approve` this is the question.',
  },
  {
    ...notZero,
    alarm: 'votes disagreeing',
    urgency: 'now',
    metrics: ['MinorityVotes'],
    periods: ({ monitoring }) => monitoring.votesDisagreeMinutes,
    meaning:
      'For a while some observers have voted EVACUATE and too few to move anything. Either one of them is wrong, or the primary fails for part of the world.',
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
      'DNS has moved and some switches are not set: only the votes hold that traffic in the standby, and a recovering primary would pull it back.',
  },
  {
    ...notZero,
    alarm: 'standby unfit',
    urgency: 'now',
    metrics: ['StandbyDoubts'],
    periods: ({ monitoring }) => monitoring.standbyUnfitMinutes,
    meaning:
      'To at least one observer the standby is not known to take and return records. While more than N − K of them doubt it, nothing moves by itself.',
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
    alarm: 'survey silent',
    urgency: 'today',
    metrics: ['SurveyAge'],
    threshold: () => SURVEY_LATE_SECONDS,
    periods: inARow(5),
    meaning:
      'The hourly survey of the cells’ streams has not run to its end for hours: what is known of their sizes and peaks grows old, and nobody hears of a standby that has become too small.',
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
      'A pause, a maintenance window or a mode `observe` that an operator has set has stood for hours, or the control item cannot be read. While it does, no outage is evacuated by itself.',
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
      'No drill has succeeded for longer than the config asks for, counted from when it began to ask. The way out is unproven.',
  },
  {
    ...notZero,
    alarm: 'DNS unread',
    urgency: 'now',
    metrics: ['DnsUnread'],
    periods: inARow(5),
    meaning:
      'The standby cannot read `region.<zone>`. Checkers and producers may still; but the standby’s observer would not see DNS move, and would not start the conductor.',
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
      'DynamoDB throttles the state table. What is throttled is tried again, so that an evacuation takes longer; if it lasts, reads fail.',
  },
  {
    ...anyEvent,
    alarm: 'conductor failed',
    urgency: 'now',
    metrics: ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'].map(conductorMetric),
    meaning:
      'A run of the conductor has stopped before its end. The journal has the state it left and the next command, unless the conductor could not even write that.',
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
    ...anyEvent,
    alarm: 'vote endpoint failing',
    urgency: 'today',
    where: 'observers',
    metrics: [functionMetric(voteFunctionName, 'Errors'), functionMetric(voteFunctionName, 'Throttles')],
    threshold: () => FAILING_REQUESTS,
    periods: inARow(3),
    meaning:
      'The endpoint that tells Route 53 this region’s vote crashes, or refuses requests because there are too many. What is not answered reads HOLD.',
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
  const level = `${row.fires === 'below' ? 'below' : 'at or above'} ${row.threshold(config)}`;
  const periods = row.periods(config);
  const unit = row.periodMinutes === HOUR_MINUTES ? 'hour' : 'minute';
  const time = periods === 1 ? `in one ${unit}` : `for ${periods} ${unit}s in a row`;
  const silence = row.silence === 'fires' ? '; no data fires as well' : '';
  return `${names.join(' + ')} ${level} ${time}${silence}`;
}

/** The dimensions of a metric, where it is published. */
export const dimensionsAt = (metric: AlarmMetric, place: Place): Readonly<Record<string, string>> =>
  isOwn(metric) ? dimensionsOf(metric) : metric.dimensions(place);
