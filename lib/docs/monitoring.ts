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

/** `docs/monitoring.md`: metrics, alarms and dashboard, and why they are where they are. */
export function monitoringDocument(config: AlarmConfig): string {
  return `# Monitoring

Generated from \`lambda/core/metrics.ts\` and \`lib/alarms/alarms-table.ts\` by \`npm run docs\`: change the tables, not this file.

## Where it is, and why

CloudWatch evaluates an alarm in the region of its metric and nowhere else, and an alarm in the primary sleeps through the
primary's outage. So there is none. Once a minute a monitor in the standby reads what each observer has stored in its own region,
what the state table has, and what DNS answers, and publishes it there as metrics. It reads by names that are known beforehand,
calls nothing in the primary, and is a function of its own: looking at the observers can neither slow nor break them. An observer
that is dead, cut off or unreadable is one live vote less; a monitor that is dead is no data, which fires as well.

Once an hour a survey, a function of its own too, reads how the cells' streams are scaled in both regions and what they had to take
in two weeks, by the highest five minutes, and stores it in the state table. In an outage nobody can ask the primary for it: the
conductor judges by what is stored. The survey is the one part beside the probes that calls the primary, for nothing but
DescribeStreamSummary and GetMetricData; nothing waits for it, and what it cannot read stays as it was. It looks at ${CELLS_A_RUN} cells in a
run, those first whose survey is oldest, so that more cells are looked at less often.

One thing the standby cannot say: that it has failed itself. Each observer says so in its own region, and each witness has a topic
with the few alarms that only it can raise. **Subscribe to the topic in every region** (\`notify.email\` does; \`spillway doctor\` tells of
a topic that nobody listens to): \`NAME-notifications\` in the standby and in each witness.

## Alarms

With the default policy, the default \`monitoring\` and weekly drills; the [runbook](runbook.md) says for each what it means and what to run. Its
description begins with its urgency, \`[now]\` or \`[today]\`, so that a pager can tell them apart.

What recurs, drills and the survey, is late only from when the deployment began to ask for it: the monitor keeps that time in the
state table, so that nothing is overdue on the first day, and no drill where none is configured. While a *first* deployment is under
way, observer silent and DNS unread may fire for the minutes until votes and records are there, and say what is so.

${markdownTable(
  ['alarm', 'look', 'where', 'fires when'],
  alarmRows.map((row) => [row.alarm, row.urgency, placeOf(row, config), firesWhen(row, config)]),
)}

## Metrics

In the namespace \`Spillway/NAME\`, each with the one dimension \`service\`. Functions publish them as lines of their log (CloudWatch's
embedded metric format), which costs no call and waits for nothing; the drill puts its own by PutMetricData. What is unknown is not
published, and never 0. The monitor's line also has in \`observers\` what each of them says, in words.

${markdownTable(
  ['metric', 'service', 'unit', 'meaning'],
  metricNames.map((name) => [name, metrics[name].service, metrics[name].unit, metrics[name].meaning]),
)}

Beside them each observer puts \`ObserverHeartbeat\` to both regions, as its probe of CloudWatch.

## Dashboard

\`NAME-spillway\` in the standby: alarms, votes, diagnoses, where traffic is, records arriving, conductor, endpoints, and what each observer
said minute by minute. It has as many widgets for a thousand cells as for one. \`monitoring: { dashboard: false }\` leaves it out.
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
