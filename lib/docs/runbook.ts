import { diagnoses } from '../../lambda/core/diagnosis.ts';
import { failbackGuards } from '../../lambda/core/failback.ts';
import { guards } from '../../lambda/core/guards.ts';
import { type AlarmConfig, type AlarmDefinition, alarmRows, firesWhen } from '../alarms/alarms-table.ts';
import { markdownTable } from './markdown.ts';
import { alarmEntries, diagnosisEntries, type RunbookEntry } from './runbook-entries.ts';

/** `docs/runbook.md`: for whoever is on call, at night, in an outage. */
export function runbookDocument(config: AlarmConfig): string {
  return [
    firstMinutes,
    '## When a guard refuses',
    guardTable(),
    failback(),
    '## Each diagnosis',
    '`spillway status` shows the diagnosis of each observer. In names like `spillway-observer`, `spillway` stands for your config’s `name`.',
    ...diagnoses.map((row) =>
      section(
        `${row.code}${row.actionable ? ' (moves traffic)' : ''}`,
        `${row.description} ${row.operator}`,
        diagnosisEntries[row.code],
      ),
    ),
    '## Each alarm',
    'The alarms are in the standby’s region, where `monitoring` in the config says when they fire; those of a witness are in the witness’s region. No alarm is in the primary: it would be silent during the primary’s outage. [Monitoring](monitoring.md) has the metrics behind them. Each name begins with your config’s `name`: `spillway-observer-silent`.',
    ...alarmRows.map((row) =>
      section(
        row.alarm,
        `${row.meaning} **${urgencies[row.urgency]}.** Fires when: ${firesWhen(row, config)}.${row.only === undefined ? '' : ` Only where ${row.only.where}.`}`,
        alarmEntries[row.alarm],
      ),
    ),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

const urgencies: Readonly<Record<AlarmDefinition['urgency'], string>> = {
  now: 'Look now',
  today: 'Look today',
};

function section(title: string, meaning: string, { lookAt, run, not }: RunbookEntry): string {
  return [
    `### ${title}`,
    meaning,
    ['**Look at**', ...lookAt.map((line) => `- ${line}`)].join('\n'),
    ['**Run**', ...run.map(([command, purpose]) => `- \`${command}\`: ${purpose}`)].join('\n'),
    ...(not.length === 0 ? [] : [['**Do not**', ...not.map((line) => `- ${line}`)].join('\n')]),
  ].join('\n\n');
}

const wayRound: Readonly<Record<(typeof guards)[number]['rule'], string>> = {
  mode: 'observe: `spillway failover --all --reason "…"`. approve: `spillway approve --for 30m --reason "…"`',
  pause: '`spillway resume --reason "…"`',
  maintenance: '`spillway resume --reason "…"`',
  'observer-sick': 'nothing: the other observers decide',
  'moves-with-region': 'nothing: the votes move the whole region, or do not',
  'in-standby': 'nothing: the cell is where it should be',
  'not-actionable': 'nothing, or `spillway failover --cells CELL --reason "…"` if you know better',
  'standby-unfit': 'repair the standby: `spillway doctor` says what is wrong',
  'over-already':
    'nothing: the failure that called for the vote is over. If the failure returns, so does the vote',
  cooldown: 'wait, or `spillway failover --all --reason "…"`',
  'hold-time': 'wait some seconds',
};

function guardTable(): string {
  const rows = guards.map(({ rule, purpose }) => [rule, purpose, wayRound[rule]]);
  return markdownTable(['guard', 'why it is there', 'how to get past it'], rows);
}

const firstMinutes = `# Runbook

Generated from the tables in \`lambda/core\`, \`lib/constructs\` and \`lib/docs\` by \`npm run docs\`: change those, not this file.

## The first five minutes

\`\`\`sh
spillway status          # where traffic goes, who says what, what is out of order; at most 5 s, whatever is down
spillway ack --reason "inc-4711, looking"
spillway why             # from the measurements to the vote, and the guard that refuses
\`\`\`

Neither these commands nor \`failover\` call the primary or a control plane in us-east-1. Exit status 4 of \`status\` says that
something is not as in healthy times.

| what \`status\` shows | what it means | what to run |
| --- | --- | --- |
| traffic in the standby, switches STANDBY | the evacuation worked: traffic stays until somebody fails back | nothing; watch producers, see failback below |
| traffic in the standby, switches PRIMARY | only the votes hold traffic there: the conductor has not set the switches | \`spillway failover --all --reason "latch, inc-4711"\` |
| traffic in the primary, enough votes EVACUATE | DNS follows within half a minute | \`spillway status --watch\`; after a minute \`spillway failover --all --reason "…"\` |
| traffic in the primary, an actionable diagnosis, phase held | a guard refuses | \`spillway why\` names the guard; the table below says how to get past each guard |
| a line “own stream of”, and the cell moves alone | its own stream fails, and the region is well | nothing: \`spillway status --watch\`; watch its producers and consumers |
| a line “own stream of”, and the cell does not move | a guard, its group, or too few observers hold it | the command beside the finding; \`spillway why\` names the guard |
| traffic in the primary, all Healthy, and your producers fail | the fault is elsewhere, or on one cell’s shards alone | \`spillway failover --cells CELL --reason "…"\` moves that cell |
| switches STANDBY, traffic in the primary | the switch checks have not followed yet, or their endpoint is down | \`spillway status --watch\` for a minute; then \`spillway doctor\` |
| some regions do not answer | these regions fail, or you cannot reach them | \`aws sts get-caller-identity --region us-west-2\` |
| NOT KNOWN, “your credentials: …” | AWS rejects your credentials, or they belong to another account; this says nothing about any region | what that line says, then \`spillway status\` again |
| nothing answers, not even DNS | your own network or credentials fail | try another network; use the credentials kept for emergencies |

Credentials: a session of IAM Identity Center cannot be renewed while its region is down, and its region is often us-east-1.
Keep a role or user for emergencies that does not need Identity Center, and try this role or user in each drill.

### If the conductor does not answer

\`failover\` starts a workflow in the standby. If Step Functions does not answer there:

\`\`\`sh
spillway failover --all --direct --reason "Step Functions down, inc-4711"
\`\`\`

With \`--direct\`, the command sets the switches itself, under an epoch of its own; a conductor that starts later is fenced off. DNS follows in about
30 s, when the switch checks have failed three times.

### If the standby's table does not answer either

An evacuation under way stays in force: a vote is not withdrawn while the switches cannot be read. No new evacuation starts: a
control item that cannot be read counts as a pause. If the table is down, much of the standby may be down too: look at StandbyUnfit
before anything else. If the standby does take records, restart the producers with the standby as a fixed region. Otherwise producers
read nothing but the signal; \`dig +short TXT signal.CELL.ZONE\` shows it.`;

function failback(): string {
  const rows = failbackGuards.map(({ rule, purpose }) => [rule, purpose]);
  return `## Failback, step by step

Traffic in the standby is safe. There is no hurry, and failback is never automatic.

1. \`spillway status\` says from when a failback is possible, and what refuses until then. At that time every observer is Healthy, no
   vote is EVACUATE, the switches are STANDBY, and the phase is \`recovered\` (or \`partlyInStandby\`, while only some cells are there).
2. Ask AWS or the owner of the incident whether the outage is over. An outage often returns.
3. \`spillway stranded --cells orders\` says what was not read of the old stream, behind which consumer, and for how many hours more.
   Consumers of the primary read it by themselves once the primary works: when they have, run
   \`spillway drained --cells orders --reason "lag is 0"\`. Or copy it: \`spillway drain --cells orders\` marks the cell itself when
   it has copied all ([draining](draining.md)).
4. Ask the guards: \`spillway failback --check --cells orders\` (status 3: refused; the screen says by which guards, and until when).
   \`--dry-run\` does the same, and then shows the calls that would be made.
5. Begin with one cell that you can watch: \`spillway failback --cells orders --reason "first cell, inc-4711"\`. Status 3 says
   which guard refuses, and until when:

${markdownTable(['guard', 'why it is there'], rows)}

6. Look at that cell’s producers and consumers for some minutes: \`spillway status --watch\`.
7. The rest, a quarter at a time: \`spillway failback --all --percent 25 --pause 10m --after-drain --reason "inc-4711 is over"\`.
   If one observer sees the primary degrade again, the failback stops and returns to the standby what it has moved (status 4).
8. \`spillway history\` for the report; \`spillway doctor\` for what the outage left behind.

**Do not** change switches or the control item by hand while a failback runs, and do not use \`--force\` because it takes long.`;
}
