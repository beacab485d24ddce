import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { clientOf } from '../aws/clients.ts';
import { groupsOf, readCells } from '../cells-file.ts';
import { monitorValues, observersInWords } from '../core/monitor.ts';
import { stateTableName, voteTableName } from '../core/names.ts';
import { MetricLog } from '../metrics/metric-log.ts';
import { quorumReader } from '../observer/quorum.ts';
import { readObserverItem } from '../observer/reports.ts';
import { DNS_SERVERS } from '../observer/settings.ts';
import { requiredVariable } from '../settings.ts';
import { RecurringTable } from '../state/recurring-table.ts';
import { StateTable } from '../state/state-table.ts';
import { Lookout } from './look.ts';
import { RecurringWatch } from './recurring-watch.ts';
import { MONITOR_SETTINGS, parseMonitorSettings } from './settings.ts';

const READ_TIMEOUT_MS = 3_000;
const MAX_SOCKETS = 8;

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
const groups = groupsOf(readCells());
const nowMs = (): number => Date.now();
const tableOptions = {
  client: standbyDocuments,
  table: stateTableName(name),
  timeoutMs: READ_TIMEOUT_MS,
};
const state = new StateTable(tableOptions);
const lookout = new Lookout({
  groups,
  nowMs,
  state,
  recurring: new RecurringWatch({
    state,
    recurring: new RecurringTable(tableOptions),
    expected: settings.expected,
    nowMs,
  }),
  observers: settings.observers.map((region) => {
    const client = region === standby ? standbyDocuments : documents(region);
    return { region, read: () => readObserverItem({ region, client, table: voteTableName(name) }) };
  }),
  readQuorum: quorumReader({
    zoneName,
    primary,
    standby,
    servers: process.env[DNS_SERVERS]?.split(','),
  }),
});
const metricLog = new MetricLog({ name, service: 'monitor' });

/**
 * Started each minute by an Events rule. Says in the standby, where the alarms are, what every observer has stored in its
 * own region. Apart from the observers, so that looking at them can neither slow nor break them; and it calls nothing in
 * the primary.
 */
export async function handler(): Promise<void> {
  const readings = await lookout.look();
  metricLog.add(monitorValues(readings, { policy: settings.policy, groups: groups.length }));
  metricLog.flush({ observers: observersInWords(readings) });
}
