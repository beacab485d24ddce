import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { type MetricName, metricDatum } from '../../lambda/core/metrics.ts';
import { metricNamespace } from '../../lambda/core/names.ts';
import type { AwsClients } from '../operate/clients.ts';
import { localCredentials, type Target } from '../operate/target.ts';
import type { DrillTarget } from '../settings/drill.ts';
import { awsPorts } from './aws-ports.ts';
import type { LiveDrillPorts } from './ports.ts';

export interface OperatorPortsOptions {
  /** The id of the plan. */
  readonly id: string;
  readonly target: DrillTarget;
  readonly where: Pick<Target, 'dnsServers' | 'world'>;
  readonly clients: AwsClients;
  readonly account: string | undefined;
  readonly say: (text: string) => void;
}

const METRIC_TIMEOUT_MS = 5_000;

/** A drill's ports with the clients of a command. */
export function operatorPorts({
  id,
  target,
  where,
  clients,
  account,
  say,
}: OperatorPortsOptions): LiveDrillPorts {
  const { dnsServers, world } = where;
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
