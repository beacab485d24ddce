import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { clientOf } from '../../lib/aws/clients.ts';
import { MetricLog } from '../../lib/metrics/metric-log.ts';
import { quorumReader } from '../../lib/observers/quorum.ts';
import { readObserverItem } from '../../lib/observers/reports.ts';
import { groupsOf, readCells } from '../../lib/settings/cells-file.ts';
import { ENDPOINT_ORIGIN, MONITOR_SETTINGS, parseMonitorSettings } from '../../lib/settings/monitor.ts';
import { DNS_SERVERS } from '../../lib/settings/observer.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { RecurringTable } from '../../lib/state/recurring-table.ts';
import { StateTable } from '../../lib/state/state-table.ts';
import { endpointsInWords } from '../core/endpoint-findings.ts';
import { monitorValues, observersInWords } from '../core/monitor.ts';
import { stateTableName, voteTableName } from '../core/names.ts';
import { ReadingsCollector } from './collect-readings.ts';
import { EndpointWatch } from './endpoint-watch.ts';
import { RecurringWatch } from './recurring-watch.ts';

const READ_TIMEOUT_MS = 3_000;
const MAX_SOCKETS = 8;
/** Together at most eleven seconds, of the twenty that the function has. */
const ENDPOINT_LIMITS = { parallel: 12, timeoutMs: 5_000, beginWithinMs: 6_000 };

const settings = parseMonitorSettings(requiredVariable(MONITOR_SETTINGS));
const { name, primary, standby, zoneName } = settings;
const documents = (region: string): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(
    clientOf(DynamoDBClient, {
      region,
      who: 'monitor',
      timeoutMs: READ_TIMEOUT_MS,
      maxSockets: MAX_SOCKETS,
    }),
  );
const standbyDocuments = documents(standby);
const cells = readCells();
const groups = groupsOf(cells);
const nowMs = (): number => Date.now();
const tableOptions = {
  client: standbyDocuments,
  table: stateTableName(name),
  timeoutMs: READ_TIMEOUT_MS,
};
const state = new StateTable(tableOptions);
const endpointOrigin = process.env[ENDPOINT_ORIGIN];
const collector = new ReadingsCollector({
  groups,
  nowMs,
  state,
  recurring: new RecurringWatch({
    state,
    recurring: new RecurringTable(tableOptions),
    expected: settings.expected,
    nowMs,
  }),
  endpoints: new EndpointWatch({
    state,
    deployed: [
      ...settings.observers.map((of) => ({ kind: 'vote', of }) as const),
      ...groups.map((of) => ({ kind: 'switch', of }) as const),
    ],
    limits: ENDPOINT_LIMITS,
    nowMs,
    origin: endpointOrigin === undefined ? undefined : new URL(endpointOrigin),
  }),
  observers: settings.observers.map((region) => {
    const client = region === standby ? standbyDocuments : documents(region);
    return { region, read: () => readObserverItem({ region, client, table: voteTableName(name) }) };
  }),
  readQuorum: quorumReader({
    name,
    cells: cells.map(({ cell }) => cell),
    zoneName,
    primary,
    standby,
    servers: process.env[DNS_SERVERS]?.split(','),
  }),
});
const metricLog = new MetricLog({ name, service: 'monitor' });

/**
 * Publishes in the standby, where the alarms are, what every observer has stored in its own region, and whether the
 * endpoints say it. Started each minute by an Events rule. It is separate from the observers, so that it can neither slow nor break
 * them, and it calls nothing in the primary.
 */
export async function handler(): Promise<void> {
  const readings = await collector.collect();
  metricLog.add(monitorValues(readings, { policy: settings.policy, groups: groups.length }));
  metricLog.flush({
    observers: observersInWords(readings),
    endpoints: readings.endpoints === undefined ? 'not known' : endpointsInWords(readings.endpoints),
  });
}
