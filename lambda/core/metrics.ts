/**
 * A custom metric of Spillway: code, alarms, dashboard, cost and documentation are generated from the table
 * of all of them. CloudWatch charges for each combination of name, dimensions and region by the month
 * ("Amazon CloudWatch Pricing": custom metrics), so a metric has one dimension, the part that publishes it.
 * Values by observer or cell are in the log line beside it.
 */
export interface MetricDefinition {
  /** The part of Spillway that publishes it, and the value of the dimension `service`. */
  readonly service: 'monitor' | 'survey' | 'observer' | 'conductor' | 'drill';
  readonly unit: 'Count' | 'Seconds' | 'Milliseconds';
  readonly meaning: string;
}

export const metrics = {
  LiveVotes: {
    service: 'monitor',
    unit: 'Count',
    meaning: 'observers whose vote has not expired',
  },
  EvacuateVotes: { service: 'monitor', unit: 'Count', meaning: 'live votes to leave the primary' },
  BlockedVotes: {
    service: 'monitor',
    unit: 'Count',
    meaning: 'observers that would vote to leave the primary, and that a guard holds back',
  },
  ImpairedDiagnoses: {
    service: 'monitor',
    unit: 'Count',
    meaning: 'observers whose diagnosis is a fault of the primary',
  },
  UnprovenFaults: {
    service: 'monitor',
    unit: 'Count',
    meaning:
      'observers that agree on a fault of the primary that may be none of the workloads’: on CanaryOnly or on PrimaryRefusesAccess, whichever are more',
  },
  CellTrouble: {
    service: 'monitor',
    unit: 'Count',
    meaning:
      'the worst that is said of the own stream of any cell: 2 when K observers accuse it, or one has for a minute and a guard holds the move, or K have read for a minute that its producers fail and that may not move it; 1 when K suspect it or are refused by it, or one alone accuses it; else 0',
  },
  SickObservers: {
    service: 'monitor',
    unit: 'Count',
    meaning: 'observers that cannot say anything: sick, or without evidence',
  },
  StandbyDoubts: {
    service: 'monitor',
    unit: 'Count',
    meaning: 'observers that do not see the standby take and return records',
  },
  DnsInStandby: {
    service: 'monitor',
    unit: 'Count',
    meaning:
      '1 while DNS says that the quorum has left the primary, else 0; no data while DNS does not answer',
  },
  DnsUnread: { service: 'monitor', unit: 'Count', meaning: '1 while DNS does not answer, else 0' },
  SwitchesInStandby: { service: 'monitor', unit: 'Count', meaning: 'switches that hold in the standby' },
  UnlatchedGroups: {
    service: 'monitor',
    unit: 'Count',
    meaning: 'groups of cells that the votes alone hold in the standby: their switches are not set',
  },
  Paused: {
    service: 'monitor',
    unit: 'Count',
    meaning:
      '1 while a pause, a maintenance window or a mode `observe` that an operator has set stops new evacuations, or while the control item cannot be read; else 0',
  },
  StateUnread: {
    service: 'monitor',
    unit: 'Count',
    meaning: '1 while the state table does not answer, else 0',
  },
  DrillAge: {
    service: 'monitor',
    unit: 'Seconds',
    meaning:
      'time since the last drill that succeeded, or since the config began to ask for drills, whichever is later; no data where the config asks for none',
  },
  SurveyAge: {
    service: 'monitor',
    unit: 'Seconds',
    meaning: 'time since the survey last ran to its end, or since the deployment, whichever is later',
  },
  UnfitEndpoints: {
    service: 'monitor',
    unit: 'Count',
    meaning:
      'vote and switch endpoints, of those that were asked this minute, that did not say in time what is stored, or could not read it; no data while it is not known what the health checks ask',
  },
  StandbyShortfalls: {
    service: 'survey',
    unit: 'Count',
    meaning:
      'cells whose stream in the standby would not take the highest load of two weeks; published each hour',
  },
  StandbyUnread: {
    service: 'survey',
    unit: 'Count',
    meaning:
      'cells with a consumer that, as far as is known, would leave records of the standby unread: it is missing there, switched off or does not run; published each hour',
  },
  StandbyDown: {
    service: 'observer',
    unit: 'Count',
    meaning:
      '1 while this observer does not see the standby take and return records, or sees CloudWatch fail in the standby, else 0; published in the observer’s own region',
  },
  RunsNeedingAct: {
    service: 'conductor',
    unit: 'Count',
    meaning: '1 for a run of the conductor that ended in a state somebody has to act on, 0 for any other',
  },
  LatchTime: {
    service: 'conductor',
    unit: 'Milliseconds',
    meaning: 'time from the start of an evacuation until its last switch is set and read back',
  },
  DrillRto: {
    service: 'drill',
    unit: 'Milliseconds',
    meaning:
      'recovery time that a drill of the deployed app measured, from its request until its producer writes to the standby; like an operator’s failover, a drill waits for the switch’s health check, and not for votes',
  },
  DrillSuccess: {
    service: 'drill',
    unit: 'Count',
    meaning: '1 for a drill that moved its cell there and back and lost nothing, 0 for one that did not',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metrics;
export type MetricService = MetricDefinition['service'];
export const metricNames = Object.keys(metrics) as MetricName[];

/** Names of one part's metrics. */
export type MetricsOf<Service extends MetricService> = {
  [Name in MetricName]: (typeof metrics)[Name]['service'] extends Service ? Name : never;
}[MetricName];

/**
 * The values that one part publishes at one time. An undefined value is not published, because unknown is not
 * 0.
 */
export type MetricValues<Service extends MetricService> = Readonly<
  Partial<Record<MetricsOf<Service>, number | undefined>>
>;

export const metricsOf = (service: MetricService): readonly MetricName[] =>
  metricNames.filter((name) => metrics[name].service === service);

/** Powertools' own dimension, which it puts on every metric. */
export const SERVICE_DIMENSION = 'service';

/** The dimensions of a metric, as alarms and the dashboard have to name them. */
export const dimensionsOf = (name: MetricName): Readonly<Record<string, string>> => ({
  [SERVICE_DIMENSION]: metrics[name].service,
});

/**
 * A metric for a publisher without a log that CloudWatch reads, such as the drill on an operator's machine:
 * an item of PutMetricData's `MetricData`, to be put under `metricNamespace(name)` in the standby's region.
 */
export function metricDatum(name: MetricName, value: number, atMs: number) {
  return {
    MetricName: name,
    Dimensions: Object.entries(dimensionsOf(name)).map(([Name, Value]) => ({ Name, Value })),
    Unit: metrics[name].unit,
    Value: value,
    Timestamp: new Date(atMs),
  };
}
