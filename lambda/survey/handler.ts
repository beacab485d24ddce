import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
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
import { RecurringTable } from '../../lib/state/recurring-table.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { runSurvey } from '../../lib/survey/run.ts';
import { type RegionClients, Surveyor } from '../../lib/survey/surveyor.ts';
import { stateTableName } from '../core/names.ts';

const TABLE_TIMEOUT_MS = 3_000;
const KINESIS_TIMEOUT_MS = 5_000;
/** An answer may hold 100,800 points, some megabytes. */
const CLOUDWATCH_TIMEOUT_MS = 10_000;
const MAX_SOCKETS = 8;
/** A quarter of the account's limit, which others share. */
const DESCRIBES_PER_SECOND = 5;
const SHORTFALLS_SAID = 10;

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
const metricLog = new MetricLog({ name, service: 'survey' });

/**
 * Stores in the standby how the cells' streams are scaled in both regions, and their load, for the time when
 * the primary cannot be asked. Started each hour by an Events rule. Apart from the probes, it is the only
 * part that calls the primary; nothing waits for that call, and no decision depends on whether it is
 * answered.
 */
export async function handler(): Promise<void> {
  const surveyor = new Surveyor({
    ...regions,
    nowMs,
    describesPerSecond: DESCRIBES_PER_SECOND,
    lookBackMs,
    warn: (warning) => console.warn(JSON.stringify({ message: warning })),
  });
  const result = await runSurvey(cells, { nowMs, state, look: (some) => surveyor.look(some) });
  metricLog.add({ StandbyShortfalls: result.shortfalls.length });
  metricLog.flush({
    survey: `${result.surveyed} surveyed, of ${result.cells} cells`,
    shortfalls: result.shortfalls.slice(0, SHORTFALLS_SAID).join('; '),
    disorders: result.disorders.slice(0, SHORTFALLS_SAID).join('; '),
  });
  await recurring.done('survey', nowMs());
}
