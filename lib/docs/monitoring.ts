import { endpointFindingNames, endpointFindings } from '../../lambda/core/endpoint-findings.ts';
import { roundsOf, SWITCHES_A_ROUND } from '../../lambda/core/endpoint-rounds.ts';
import { metricNames, metrics } from '../../lambda/core/metrics.ts';
import {
  type AlarmConfig,
  type AlarmDefinition,
  alarmRegions,
  alarmRows,
  firesWhen,
} from '../alarms/alarms-table.ts';
import { CELLS_A_RUN } from '../survey/run.ts';
import { markdownTable } from './markdown.ts';

/**
 * `docs/monitoring.md`: metrics, alarms and the dashboard, and the reasons for the regions that they are in.
 */
export function monitoringDocument(config: AlarmConfig): string {
  return `# Monitoring

Generated from \`lambda/core/metrics.ts\` and \`lib/alarms/alarms-table.ts\` by \`npm run docs\`: change the tables, not this file.

## Where it is, and why

CloudWatch evaluates an alarm in the region of its metric and nowhere else, and an alarm in the primary would be silent during the
primary's outage, so there is none. Once a minute a monitor in the standby reads what each observer has stored in its own region,
the state table, and the answers of DNS, and publishes the results as metrics in the standby. The monitor reads by names that are
known beforehand, calls nothing in the primary, and is a function of its own, so that it can neither slow nor break the observers.
An observer that is dead, cut off or unreadable counts as one live vote fewer; a dead monitor publishes no data, which fires as well.

A table can be right while its endpoint cannot read it, or while Route 53 asks another URL, and HOLD would look the same. So the
monitor also asks the endpoints, as Route 53's checkers do, at the hosts that each deployment records when it configures the health
checks: every vote each minute, and of the switches up to ${SWITCHES_A_ROUND} a minute in turn, a thousand within ${roundsOf(1_000)} minutes. What an endpoint
says is compared with what is stored. An endpoint that could not read its table says \`read=failed\` beside its marker, which the
checkers ignore. Those in trouble are asked again each minute. While no deployment has recorded what the checks ask, nobody asks, and
\`spillway status\` and \`spillway doctor\` say so.

${markdownTable(
  ['an endpoint is', 'which means', 'counts as trouble'],
  endpointFindingNames.map((name) => {
    const { meaning, trouble } = endpointFindings[name];
    return [name, meaning, trouble ? 'yes' : 'no'];
  }),
)}

Once an hour a survey, also a function of its own, reads how the cells' streams are scaled in both regions and the highest load of
five minutes within two weeks, and stores both in the state table. During an outage nobody can ask the primary for these values, so
the conductor uses the stored ones. Apart from the probes, only the survey calls the primary, with nothing but
DescribeStreamSummary and GetMetricData. Nothing waits for the survey, and a value that it cannot read stays as it was. A run of the
survey looks at ${CELLS_A_RUN} cells, beginning with those whose survey is oldest, so that with more cells each is looked at less often.

The survey also asks, in the standby alone, whether the cells' consumers would read there ([Consumers in two regions](consumers.md)), and stores
the answer: \`spillway status\` and the conductor's report have it in an outage, and need nothing of the primary for it.

The standby cannot report its own failure. Each observer reports it in its own region, and each witness has a topic with the few
alarms that only a witness can raise. **Subscribe to the topic in every region** (\`notify.email\` does this; \`spillway doctor\` reports
a topic without subscribers): \`NAME-notifications\` in the standby and in each witness.

## Alarms

The table is for the default policy, the default \`monitoring\`, weekly drills, and cells whose consumers the config names. The [runbook](runbook.md) says what each alarm means and
what to run. The description of an alarm begins with its urgency, \`[now]\` or \`[today]\`, so that a pager can tell them apart.

Recurring work, that is drills and the survey, can be late only after the deployment began to ask for it. The monitor keeps the time
of this beginning in the state table, so that nothing is overdue on the first day, and no drill is overdue where none is configured.
During the *first* deployment, observer silent and DNS unread may fire, rightly, for the minutes until votes and records exist.

${markdownTable(
  ['alarm', 'look', 'where', 'fires when'],
  alarmRows.map((row) => [row.alarm, row.urgency, placeOf(row, config), firesWhen(row, config)]),
)}

## Metrics

The metrics are in the namespace \`Spillway/NAME\`, each with the one dimension \`service\`. Functions publish metrics as lines of their
log (CloudWatch's embedded metric format), which costs no call and waits for nothing; the drill publishes its own by PutMetricData.
An unknown value is not published; it is never 0. The monitor's log line also says in words what each observer reports
(\`observers\`) and what the endpoints did (\`endpoints\`).

${markdownTable(
  ['metric', 'service', 'unit', 'meaning'],
  metricNames.map((name) => [name, metrics[name].service, metrics[name].unit, metrics[name].meaning]),
)}

In addition, each observer puts \`ObserverHeartbeat\` to both regions, as its probe of CloudWatch.

## Dashboard

\`NAME-spillway\` in the standby shows alarms, votes, diagnoses, where traffic is, records arriving, conductor, endpoints, and what each
observer said minute by minute. The dashboard has as many widgets for a thousand cells as for one. \`monitoring: { dashboard: false }\` leaves it out.
`;
}

function placeOf(row: AlarmDefinition, config: AlarmConfig): string {
  const places = {
    standby: 'the standby',
    witnesses: 'each witness',
    observers: 'the standby and each witness',
  };
  const where = `${places[row.where]} (${alarmRegions(row, config).join(', ')})`;
  return row.only === undefined ? where : `${where}, where ${row.only.where}`;
}
