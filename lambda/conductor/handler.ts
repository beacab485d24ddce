import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { signalReader, zoneQuorumReader } from '../../lib/conductor/dns.ts';
import { readTakers } from '../../lib/consumers/takers.ts';
import { MetricLog } from '../../lib/metrics/metric-log.ts';
import { type ReportSource, readObserverItem, readReports } from '../../lib/observers/reports.ts';
import { readCells } from '../../lib/settings/cells-file.ts';
import { CONDUCTOR_SETTINGS, parseConductorSettings } from '../../lib/settings/conductor.ts';
import { DNS_SERVERS } from '../../lib/settings/observer.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { ConsumerDigests } from '../../lib/state/consumer-digests.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { parseMemory } from '../core/memory.ts';
import { stateTableName, voteTableName } from '../core/names.ts';
import { levelsOf } from '../core/observation.ts';
import { readArrivals } from './arrivals.ts';
import type { Conductor } from './conductor.ts';
import { runMetrics } from './run-metrics.ts';
import type { RunState } from './run-state.ts';
import { runStep } from './steps.ts';
import { tell } from './tell.ts';

const CALL_TIMEOUT_MS = 3_000;
const MAX_SOCKETS = 32;
/** For everything about consumers; the step has 20 s. */
const TAKERS_MS = 12_000;

const settings = parseConductorSettings(requiredVariable(CONDUCTOR_SETTINGS));
const logger = new Logger({ serviceName: `${settings.name}-conductor` });
const caller = { who: 'conductor', timeoutMs: CALL_TIMEOUT_MS, maxSockets: MAX_SOCKETS };
const metricLog = new MetricLog({ name: settings.name, service: 'conductor' });
const documents = (region: string): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(clientOf(DynamoDBClient, { ...caller, region }), {
    marshallOptions: { removeUndefinedValues: true },
  });
const standby = documents(settings.standby);
const kinesis = clientOf(KinesisClient, { ...caller, region: settings.standby });
const cloudWatch = clientOf(CloudWatchClient, { ...caller, region: settings.standby });
const dynamo = clientOf(DynamoDBClient, { ...caller, region: settings.standby });
const sns = clientOf(SNSClient, { ...caller, region: settings.standby });
const servers = process.env[DNS_SERVERS]?.split(',');
const { zoneName, primary } = settings;
const cells = readCells();
const zone = { zoneName, primary, standby: settings.standby, servers };
const table = voteTableName(settings.name);
const sources: readonly ReportSource[] = settings.observers.map((region) => ({
  region,
  table,
  client: region === settings.standby ? standby : documents(region),
}));

const tableOptions = {
  client: standby,
  table: stateTableName(settings.name),
  timeoutMs: CALL_TIMEOUT_MS,
};
const digests = new ConsumerDigests(tableOptions);

const conductor: Conductor = {
  settings,
  state: new StateTable(tableOptions),
  cells,
  nowMs: () => Date.now(),
  readQuorum: zoneQuorumReader({
    ...zone,
    name: settings.name,
    cells: cells.map(({ cell }) => cell),
  }),
  askSignals: signalReader(zone),
  readArrivals: (streams, sinceMs) => readArrivals(kinesis, streams, sinceMs),
  readTakers: (consumers, sinceMs) =>
    readTakers(consumers, {
      ...{ cloudWatch, dynamo, kinesis, sinceMs },
      ...{ nowMs: Date.now(), timeoutMs: CALL_TIMEOUT_MS, signal: AbortSignal.timeout(TAKERS_MS) },
    }),
  readDigests: () => digests.read(),
  readReports: () => readReports(sources, Date.now),
  readStandbyLevels: async () => {
    const item = await readObserverItem({ region: settings.standby, client: standby, table });
    return levelsOf(parseMemory(item?.memory).evidence.standby, settings.policy, Date.now());
  },
  tell: (report, text) => tell({ sns, topicArn: settings.topicArn, webhook: settings.webhook }, report, text),
};

/** One step of one run; `lib/constructs/conductor-definition.ts` says in which order, how long and how often. */
export async function handler(event: unknown, context: Context): Promise<RunState | undefined> {
  logger.addContext(context);
  try {
    const state = await runStep(event, conductor);
    logger.info('step done', {
      step: stepOf(event),
      run: state?.run,
      next: state?.next,
      state: state?.state,
    });
    metricLog.add(runMetrics(stepOf(event), state) ?? {});
    metricLog.flush({ run: state?.run ?? '', end: state?.state ?? '' });
    return state;
  } catch (error) {
    logger.error('step failed', { step: stepOf(event), error: error as Error });
    throw error;
  }
}

const stepOf = (event: unknown): unknown =>
  typeof event === 'object' && event !== null && 'step' in event ? event.step : undefined;
