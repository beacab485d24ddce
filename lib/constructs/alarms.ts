import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { metricNamespace } from '../../lambda/core/names.ts';
import {
  type AlarmDefinition,
  type AlarmMetric,
  alarmRegions,
  alarmResourceName,
  alarmRows,
  dimensionsAt,
  firesWhen,
  isOwn,
} from '../alarms/alarms-table.ts';
import type { Config } from '../config/config.ts';

export interface AlarmsProps {
  readonly config: Config;
  readonly region: string;
  /** The topic of the same region, because an alarm cannot write to a topic of another region. */
  readonly topic: ITopic;
}

/** The alarms of one region, from the table. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { config, region, topic }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(topic);
    const rows = alarmRows.filter((row) => alarmRegions(row, config).includes(region));
    this.alarms = rows.map((row) => {
      const alarm = new Alarm(this, row.alarm.replaceAll(' ', '-'), {
        alarmName: alarmResourceName(config.name, row.alarm),
        alarmDescription: `[${row.urgency}] ${row.meaning} Fires when: ${firesWhen(row, config)}. What to run: docs/runbook.md, "${row.alarm}".`,
        metric: alarmMetric(row, {
          config,
          region,
          account: Stack.of(this).account,
          under: row.under?.(config),
        }),
        comparisonOperator: comparison(row.fires),
        threshold: row.threshold(config),
        evaluationPeriods: row.periods(config),
        treatMissingData:
          row.silence === 'fires' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      // Whoever was woken wants to know when the alarm is over.
      alarm.addOkAction(action);
      return alarm;
    });
  }
}

interface MetricPlace {
  readonly config: Pick<Config, 'name'>;
  readonly region: string;
  readonly account: string;
}

function alarmMetric(
  row: AlarmDefinition,
  { under, ...place }: MetricPlace & { readonly under: number | undefined },
): IMetric {
  const period = Duration.minutes(row.periodMinutes);
  const metrics = row.metrics.map((metric) =>
    metricOf(metric, { ...place, statistic: row.statistic, period }),
  );
  const [first] = metrics;
  if (metrics.length === 1 && first !== undefined)
    return under === undefined ? first : onlyUnder(under, { metric: first, period, label: row.alarm });
  const named = metrics.map((metric, index) => [`m${index + 1}`, metric] as const);
  // Without FILL, a period without failures of one kind would hide failures of another kind.
  const expression = named.map(([id]) => `FILL(${id}, 0)`).join(' + ');
  return new MathExpression({
    expression,
    usingMetrics: Object.fromEntries(named),
    period,
    label: row.alarm,
  });
}

/** A metric that is 0 from a limit on: CloudWatch works it out, and asks no more for it than for the metric itself. */
function onlyUnder(
  limit: number,
  { metric, period, label }: { readonly metric: IMetric; readonly period: Duration; readonly label: string },
): IMetric {
  return new MathExpression({
    expression: `IF(m1 < ${limit}, m1, 0)`,
    usingMetrics: { m1: metric },
    period,
    label,
  });
}

export function metricOf(
  metric: AlarmMetric,
  {
    config,
    region,
    account,
    statistic,
    period,
  }: MetricPlace & { readonly statistic: string; readonly period: Duration },
): Metric {
  const dimensionsMap = { ...dimensionsAt(metric, { name: config.name, region, account }) };
  const { namespace, metricName } = isOwn(metric)
    ? { namespace: metricNamespace(config.name), metricName: metric }
    : metric;
  return new Metric({ namespace, metricName, dimensionsMap, statistic, period });
}

function comparison(fires: AlarmDefinition['fires']): ComparisonOperator {
  switch (fires) {
    case 'below':
      return ComparisonOperator.LESS_THAN_THRESHOLD;
    case 'from':
      return ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD;
    default:
      return fires satisfies never;
  }
}
