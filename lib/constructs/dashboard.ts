import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type MetricName, metrics } from '../../lambda/core/metrics.ts';
import {
  conductorArn,
  monitorFunctionName,
  notificationTopicName,
  stateTableName,
  switchFunctionName,
  voteFunctionName,
} from '../../lambda/core/names.ts';
import type { Config } from '../config/config.ts';
import { metricOf } from './alarms.ts';

const WIDTH = 24;
const HALF = 12;
const HEIGHT = 6;
/** The most streams drawn, whatever the number of cells: a sample, like the conductor's. */
export const STREAMS_DRAWN = 10;

export interface DashboardProps {
  readonly config: Config;
  readonly region: string;
  readonly alarms: readonly Alarm[];
  /** Streams of the standby whose arriving records are drawn. */
  readonly streams: readonly string[];
}

/**
 * The dashboard that an operator looks at beside `spillway status`. It has as many widgets for a thousand
 * cells as for one.
 */
export class Dashboard extends Construct {
  readonly #props: DashboardProps;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    this.#props = props;
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: `${props.config.name}-spillway`,
      defaultInterval: Duration.hours(3),
      widgets: [
        [this.#intro()],
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: WIDTH, height: 4 })],
        [
          this.#own('Votes', ['LiveVotes', 'EvacuateVotes', 'BlockedVotes']),
          this.#own('What the observers see', [
            'ImpairedDiagnoses',
            'UnprovenFaults',
            'CellTrouble',
            'StandbyDoubts',
            'SickObservers',
          ]),
        ],
        [
          this.#own('Where traffic is', [
            'DnsInStandby',
            'SwitchesInStandby',
            'UnlatchedGroups',
            'DnsUnread',
          ]),
          this.#own('What holds traffic back, and what cannot be read', [
            'Paused',
            'StateUnread',
            'UnfitEndpoints',
          ]),
        ],
        [
          this.#own('Time since the last drill and the last survey', ['DrillAge', 'SurveyAge']),
          this.#arrivals(),
        ],
        [
          this.#conductor(),
          this.#own('Latch, and recovery time of drills', ['LatchTime', 'DrillRto'], 'Maximum'),
        ],
        [this.#endpoints(), this.#table()],
        [this.#words()],
      ],
    });
  }

  #intro(): IWidget {
    const { name, regions } = this.#props.config;
    return new TextWidget({
      width: WIDTH,
      height: 3,
      markdown: [
        `# Spillway ${name}: ${regions.primary} to ${regions.standby}`,
        'Now: `spillway status`, `spillway why`. What an alarm means and what to run: `docs/runbook.md`.',
        `Alarms write to the topic \`${notificationTopicName(name)}\` here, and in each witness to its own: ${regions.witnesses.join(', ')}.`,
      ].join('\n\n'),
    });
  }

  #own(title: string, names: readonly MetricName[], statistic = 'Maximum'): IWidget {
    const { config, region } = this.#props;
    const { account } = Stack.of(this);
    const period = Duration.minutes(1);
    const lines = names.map((name) =>
      metricOf(name, { config, region, account, statistic, period }).with({
        label: `${name}: ${metrics[name].meaning}`,
      }),
    );
    return graph(title, lines, { leftYAxis: { min: 0 } });
  }

  #arrivals(): IWidget {
    // CloudWatch has no metrics of other accounts' streams here.
    const lines = this.#props.streams
      .filter((stream) => !stream.startsWith('arn:'))
      .slice(0, STREAMS_DRAWN)
      .map((StreamName) => aws('AWS/Kinesis', 'IncomingRecords', { StreamName }).with({ label: StreamName }));
    return graph('Records arriving in the standby', lines);
  }

  #conductor(): IWidget {
    const { config, region } = this.#props;
    const StateMachineArn = conductorArn(config.name, region, Stack.of(this).account);
    const lines = ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut'].map(
      (metric) => aws('AWS/States', metric, { StateMachineArn }),
    );
    return graph('Runs of the conductor', lines);
  }

  #endpoints(): IWidget {
    const { name } = this.#props.config;
    const lines = [voteFunctionName(name), switchFunctionName(name)].flatMap((FunctionName) => [
      aws('AWS/Lambda', 'Invocations', { FunctionName }).with({ label: `${FunctionName} requests` }),
      aws('AWS/Lambda', 'Errors', { FunctionName }).with({ label: `${FunctionName} errors` }),
      aws('AWS/Lambda', 'Throttles', { FunctionName }).with({ label: `${FunctionName} refused` }),
    ]);
    return graph('Endpoints that Route 53 asks, in the standby', lines);
  }

  #table(): IWidget {
    const TableName = stateTableName(this.#props.config.name);
    const lines = ['ReadThrottleEvents', 'WriteThrottleEvents', 'ConsumedReadCapacityUnits'].map((metric) =>
      aws('AWS/DynamoDB', metric, { TableName }),
    );
    return graph('State table', lines);
  }

  /** A log widget, because diagnoses are words, which no metric holds. */
  #words(): IWidget {
    return new LogQueryWidget({
      title: 'What each observer said, and what the endpoints did, minute by minute',
      logGroupNames: [`/aws/lambda/${monitorFunctionName(this.#props.config.name)}`],
      view: LogQueryVisualizationType.TABLE,
      queryLines: [
        'fields @timestamp, observers, endpoints',
        'filter ispresent(observers)',
        'sort @timestamp desc',
        'limit 30',
      ],
      width: WIDTH,
      height: HEIGHT,
    });
  }
}

const aws = (namespace: string, metricName: string, dimensionsMap: Record<string, string>): Metric =>
  new Metric({ namespace, metricName, dimensionsMap, statistic: 'Sum', period: Duration.minutes(1) });

const graph = (title: string, left: readonly IMetric[], more: Partial<GraphWidgetProps> = {}): IWidget =>
  new GraphWidget({ title, left: [...left], width: HALF, height: HEIGHT, ...more });
