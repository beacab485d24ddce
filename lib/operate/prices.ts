/**
 * List prices of us-east-1 in US dollars, before taxes and free tiers. A price that differs in another region of the
 * deployment differs by less than the estimate's other errors. Look them up again when `asOf` is old.
 */
export const prices = {
  asOf: '2026-11',
  /** https://aws.amazon.com/route53/pricing/ : endpoints in AWS; each option (HTTPS, string match, fast interval) is extra. */
  healthCheckMonth: 0.5,
  healthCheckOptionMonth: 1,
  dnsMillionQueries: 0.4,
  /** https://aws.amazon.com/kinesis/data-streams/pricing/ */
  shardHour: 0.015,
  shardHourRetention7Days: 0.02,
  onDemandStreamHour: 0.04,
  putMillionUnits: 0.014,
  /** Each record counts as 1 KB at least. */
  onDemandGbIn: 0.08,
  onDemandGbOut: 0.04,
  /** https://aws.amazon.com/lambda/pricing/ : arm64, first tier. */
  lambdaGbSecond: 0.0000133334,
  lambdaMillionRequests: 0.2,
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  dynamoMillionReads: 0.125,
  dynamoMillionWrites: 0.625,
  /** https://aws.amazon.com/ec2/pricing/on-demand/ : data transfer from one region to another. */
  interRegionGb: 0.02,
  /** https://aws.amazon.com/step-functions/pricing/ : standard workflows. */
  transitionsThousand: 0.025,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  metricMonth: 0.3,
  metricCallsThousand: 0.01,
  /** For each metric that an alarm of standard resolution looks at. */
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,
  logsGb: 0.5,
  /** https://aws.amazon.com/application-recovery-controller/pricing/ : a cluster is $2.50 an hour; a Region switch plan $70 a month. */
  arcRoutingControlMonth: 1_825,
  arcRegionSwitchPlanMonth: 70,
} as const;

export const HOURS_A_MONTH = 730;
export const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
