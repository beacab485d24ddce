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
    'As `spillway status` shows it for each observer. `spillway` in a command stands for your config’s `name`.',
    ...diagnoses.map((row) =>
      section(
        `${row.code}${row.actionable ? ' (moves traffic)' : ''}`,
        `${row.description} ${row.operator}`,
        diagnosisEntries[row.code],
      ),
    ),
    '## Each alarm',
    'The alarms are in the standby’s region, where `monitoring` in the config says when they fire; those of a witness are in the witness’s. None is in the primary: it would sleep through its outage. [Monitoring](monitoring.md) has the metrics behind them. Each name begins with your config’s `name`: `spillway-observer-silent`.',
    ...alarmRows.map((row) =>
      section(
        row.alarm,
        `${row.meaning} **${urgencies[row.urgency]}.** Rings when: ${firesWhen(row, config)}.${row.only === undefined ? '' : ` Only where ${row.only.where}.`}`,
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
  'not-actionable': 'nothing, or `spillway failover --cells CELL --reason "…"` if you know better',
  'standby-unfit': 'mend the standby: `spillway doctor` says what is wrong',
  'over-already': 'nothing: what called for it is over. If it comes back, so does the vote',
  cooldown: 'wait, or `spillway failover --all --reason "…"`',
  'hold-time': 'wait: it is seconds',
};

function guardTable(): string {
  const rows = guards.map(({ rule, purpose }) => [rule, purpose, wayRound[rule]]);
  return markdownTable(['guard', 'why it is there', 'what makes it give way'], rows);
}

const firstMinutes = `# Runbook

Generated from the tables in \`lambda/core\`, \`lib/constructs\` and \`lib/docs\` by \`npm run docs\`: change those, not this file.

## The first five minutes

\`\`\`sh
spillway status          # where traffic goes, who says what, what is out of order; at most 5 s, whatever is down
spillway ack --reason "inc-4711, looking"
spillway why             # from the measurements to the vote, and the guard that refuses
\`\`\`

None of these, nor \`failover\`, calls the primary or a control plane in us-east-1. Exit status 4 of \`status\` says that
something is not as it is in healthy times.

| what \`status\` shows | what it means | what to run |
| --- | --- | --- |
| traffic in the standby, switches STANDBY | it worked: traffic stays until somebody fails back | nothing; watch producers, see failback below |
| traffic in the standby, switches PRIMARY | only the votes hold it: the conductor has not latched | \`spillway failover --all --reason "latch, inc-4711"\` |
| traffic in the primary, enough votes EVACUATE | DNS follows within half a minute | \`spillway status --watch\`; after a minute \`spillway failover --all --reason "…"\` |
| traffic in the primary, an actionable diagnosis, phase held | a guard refuses | \`spillway why\` names it; the table below says what makes it give way |
| traffic in the primary, all Healthy, and your producers fail | the fault is elsewhere, or on one cell’s shards alone | \`spillway failover --cells CELL --reason "…"\` moves that cell |
| switches STANDBY, traffic in the primary | the switch checks have not followed yet, or their endpoint is gone | \`spillway status --watch\` for a minute; then \`spillway doctor\` |
| some regions do not answer | they fail, or you cannot reach them | \`aws sts get-caller-identity --region us-west-2\` |
| NOT KNOWN, “your credentials: …” | AWS does not take them, or they are for something else; nothing follows for any region | what that line says, then \`spillway status\` again |
| nothing answers, DNS neither | your own network or credentials | another network; the credentials kept for this |

Credentials: a session of IAM Identity Center cannot be renewed while its region is down, and that is often us-east-1.
Keep a role or user for emergencies that signs without it, and try it in each drill.

### If the conductor does not answer

\`failover\` starts a workflow in the standby. If Step Functions does not answer there:

\`\`\`sh
spillway failover --all --direct --reason "Step Functions down, inc-4711"
\`\`\`

It sets the switches itself, under an epoch of its own; a conductor that wakes up later is fenced off. DNS follows in about
30 s, when the switch checks have failed three times.

### If the standby's table does not answer either

An evacuation under way stands: a vote is not withdrawn while the switches cannot be read. A new one does not start: a
control item that cannot be read counts as a pause. If the table is gone, much of the standby may be: look at StandbyUnfit
before anything else. If the standby does take records, restart producers with it as a fixed region; \`dig +short TXT
signal.CELL.ZONE\` is all that they read otherwise.`;

function failback(): string {
  const rows = failbackGuards.map(({ rule, purpose }) => [rule, purpose]);
  return `## Failback, step by step

Traffic in the standby is safe. There is no hurry, and failback is never automatic.

1. \`spillway status\` says from when a failback is possible, and what stands against it: every observer Healthy, no vote
   EVACUATE, the switches STANDBY, phase \`recovered\` (or \`partlyInStandby\`, while only some cells are there).
2. Ask AWS or the owner of the incident whether it is over. Outages come in dips.
3. Read what was stranded in the primary (its consumers do it by themselves once it works), then
   \`spillway drained --cells orders --reason "lag is 0"\`.
4. Ask the guards: \`spillway failback --check --cells orders\` (status 3: refused, by which of them, until when). \`--dry-run\`
   does the same, and then shows what would be called.
5. One cell first, one that you can watch: \`spillway failback --cells orders --reason "first cell, inc-4711"\`. Status 3 says
   which guard refuses, and until when:

${markdownTable(['guard', 'why it is there'], rows)}

6. Look at that cell’s producers and consumers for some minutes: \`spillway status --watch\`.
7. The rest, a quarter at a time: \`spillway failback --all --percent 25 --pause 10m --after-drain --reason "inc-4711 is over"\`.
   It stops by itself, and returns to the standby what it has moved, if one observer sees the primary degrade again (status 4).
8. \`spillway history\` for the report; \`spillway doctor\` for what the outage left behind.

**Do not** change switches or the control item by hand while it runs, and do not use \`--force\` because it takes long.`;
}
