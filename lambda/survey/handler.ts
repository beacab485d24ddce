import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { MetricLog } from '../../lib/metrics/metric-log.ts';
import { readDeployed } from '../../lib/settings/cells-file.ts';
import {
  parseLookBack,
  parseSurveySettings,
  SURVEY_LOOK_BACK,
  SURVEY_SETTINGS,
  SURVEYED_CELLS_FILE,
  surveyedCellsSchema,
} from '../../lib/settings/survey.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { ConsumerDigests } from '../../lib/state/consumer-digests.ts';
import { RecurringTable } from '../../lib/state/recurring-table.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { askedCells, surveyConsumers } from '../../lib/survey/consumers.ts';
import { runSurvey } from '../../lib/survey/run.ts';
import { type RegionClients, Surveyor } from '../../lib/survey/surveyor.ts';
import { stateTableName } from '../core/names.ts';

const TABLE_TIMEOUT_MS = 3_000;
const KINESIS_TIMEOUT_MS = 5_000;
/** An answer may hold 100,800 points, some megabytes. */
const CLOUDWATCH_TIMEOUT_MS = 10_000;
const MAX_SOCKETS = 8;
const CONSUMERS_CALL_TIMEOUT_MS = 5_000;
/** Beside the streams, of which the last look may begin after 90 s. */
const CONSUMERS_MS = 120_000;
/** A quarter of the account's limit, which others share. */
const DESCRIBES_PER_SECOND = 5;
const SENTENCES_SAID = 10;

const { name, primary, standby } = parseSurveySettings(requiredVariable(SURVEY_SETTINGS));
const cells = readDeployed(SURVEYED_CELLS_FILE, surveyedCellsSchema);
const limits = (region: string, timeoutMs: number) => ({
  region,
  who: 'survey',
  timeoutMs,
  maxSockets: MAX_SOCKETS,
});
const clientsOf = (region: string): RegionClients => ({
  kinesis: clientOf(KinesisClient, limits(region, KINESIS_TIMEOUT_MS)),
  cloudWatch: clientOf(CloudWatchClient, limits(region, CLOUDWATCH_TIMEOUT_MS)),
});
const namesConsumers = cells.some(({ consumers = [] }) => consumers.length > 0);
const regions = { primary: clientsOf(primary), standby: clientsOf(standby) };
const lookBackMs = parseLookBack(process.env[SURVEY_LOOK_BACK]);
const nowMs = (): number => Date.now();
const tableOptions = {
  client: DynamoDBDocumentClient.from(clientOf(DynamoDBClient, limits(standby, TABLE_TIMEOUT_MS))),
  table: stateTableName(name),
  timeoutMs: TABLE_TIMEOUT_MS,
};
const state = new StateTable(tableOptions);
const recurring = new RecurringTable(tableOptions);
const digests = new ConsumerDigests(tableOptions);
const asked = limits(standby, CONSUMERS_CALL_TIMEOUT_MS);
const readers = {
  kinesis: regions.standby.kinesis,
  lambda: clientOf(LambdaClient, asked),
  cloudWatch: regions.standby.cloudWatch,
  dynamo: clientOf(DynamoDBClient, asked),
  firehose: async () => clientOf(FirehoseClient, asked),
};
const metricLog = new MetricLog({ name, service: 'survey' });

/**
 * Stores in the standby how the cells' streams are scaled in both regions, their load, and who would read them in the
 * standby, for the time when the primary cannot be asked. Started each hour by an Events rule. Apart from the probes, it is
 * the only part that calls the primary; nothing waits for that call, and no decision depends on whether it is answered.
 */
export async function handler(_event: unknown, { invokedFunctionArn }: Context): Promise<void> {
  const surveyor = new Surveyor({
    ...regions,
    nowMs,
    describesPerSecond: DESCRIBES_PER_SECOND,
    lookBackMs,
    warn: (warning) => console.warn(JSON.stringify({ message: warning })),
  });
  const [result, consumers] = await Promise.all([
    runSurvey(cells, { nowMs, state, look: (some) => surveyor.look(some) }),
    surveyConsumers(askedCells(cells), {
      region: standby,
      account: invokedFunctionArn.split(':')[4] ?? '',
      clients: readers,
      digests,
      nowMs,
      timeoutMs: CONSUMERS_CALL_TIMEOUT_MS,
      signal: AbortSignal.timeout(CONSUMERS_MS),
    }),
  ]);
  metricLog.add({
    StandbyShortfalls: result.shortfalls.length,
    // Without consumers that the config names, there is no alarm, and a metric costs by the month.
    StandbyUnread: namesConsumers ? consumers.unread.length : undefined,
  });
  const said = (sentences: readonly string[]): string => sentences.slice(0, SENTENCES_SAID).join('; ');
  metricLog.flush({
    survey: `${result.surveyed} surveyed, of ${result.cells} cells`,
    shortfalls: said(result.shortfalls),
    disorders: said(result.disorders),
    unread: said(consumers.unread),
    obstacles: said(consumers.obstacles),
  });
  await recurring.done('survey', nowMs());
}
