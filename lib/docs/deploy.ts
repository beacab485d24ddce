import { effectRows } from '../deployments/effects.ts';
import { DEFAULT_SOAK_MS, stageKinds } from '../deployments/plan.ts';
import { askedInside, type DeployRule, deployRefusals } from '../deployments/refusals.ts';
import { SOAK_GRACE_MS, SOAK_TOLERANCE_MS, soakFaults } from '../deployments/soak.ts';
import { stackStatuses } from '../deployments/stack-status.ts';
import { rightsOfVerbs } from '../permissions/operator.ts';
import { formatDuration } from '../scenario/duration.ts';
import { markdownTable } from './markdown.ts';
import { rightsTable } from './rights-table.ts';

/** `docs/deploy.md`: what `spillway deploy` does, stage by stage, and every reason for which it refuses. */
export function deployDocument(): string {
  return `# spillway deploy

Generated from the tables in \`lib/deployments\` and \`lib/permissions\` by \`npm run docs\`: change the tables, not this file.

\`spillway deploy\` runs the real CDK, in stages that cannot move traffic. Beside what \`npx cdk deploy --all\` needs, it
needs rights to read what is deployed and in force ([rights](#rights)); it needs nothing in the account that the other does not. You can
change between the two at any time. [deploying.md](deploying.md) says what either of them guarantees.

\`\`\`sh
npx spillway deploy --dry-run     # the plan, with the commands of the CDK; changes nothing
npx spillway deploy               # shows the plan, asks, and deploys
npx spillway deploy --yes --json -- --role-arn arn:aws:iam::123456789012:role/deploy
\`\`\`

1. It synthesises your app (\`npx cdk synth\`), and compares each stack with what CloudFormation has: new, changed, the same. Stacks
   of the app that are not Spillway's are left alone.
2. It refuses, with status 3, what would move traffic or release a held switch, before anything is changed. See [below](#what-is-refused).
3. It deploys stage by stage, only stacks that differ: \`npx cdk deploy STACKS --exclusively\`.
4. After each stage it asks DNS for every signal and every service name of the deployed cells, and stops if one answers for
   another region than before, or not at all. After a stage with checks or records it watches until the checkers and the caches
   have followed (\`--settle\` sets another time).

What is compared is the template and the tags. The options after \`--\` go to every command of the CDK, and replace Spillway's own where
they are the same. Choose credentials by the environment (\`AWS_PROFILE\`), which both use, and not by an option of the CDK.

## Stages

${markdownTable(
  ['stage', 'what it deploys'],
  Object.entries(stageKinds).map(([kind, what]) => [kind, what]),
)}

Dependencies between stacks are always kept. A first deployment watches nothing, because nothing counts the votes yet.

### Soak

A bad release in one observer is one vote; in all of them it is a quorum. So observers that change what they run, see or say
are deployed one at a time, and each is watched before the next: for ${formatDuration(DEFAULT_SOAK_MS)}, or as \`--soak\` says. In ${formatDuration(DEFAULT_SOAK_MS)} the
function's runs have taken over from each other ten times, every kind of probe has run several times, and the alarms for an observer
that is silent or disagrees would have fired. The time counts while the observer is sound without a break. \`--soak 0s\` leaves it out.

Each of these is a fault. From ${formatDuration(SOAK_GRACE_MS)} after the deployment on, one that lasts ${formatDuration(SOAK_TOLERANCE_MS)} stops it, and no other observer is changed:

${markdownTable(
  ['fault', 'of the observer'],
  Object.entries(soakFaults).map(([fault, what]) => [fault, what]),
)}

### Interrupted, or stopped

Run the command again: it compares again, and goes on with what is left. After Ctrl-C the CDK ends, CloudFormation finishes what it has
begun, and the next run waits for it. An observer that an earlier run has deployed is recognised by its template, and the rest of its
soak, counted from the last change of its stack, comes first.

### A witness that was destroyed

A witness that is destroyed and deployed again has another URL. The template of the checks is the same text, so \`cdk deploy\` skips it,
and the check asks a name that nobody has any more: it reads HOLD, and one vote is missing without a word. \`spillway deploy\` compares the
stored hosts of the checks with the outputs of the stacks, and deploys the checks with the new host (context \`spillway:hosts\`).

## What a change does to traffic

The first row that fits. \`none\`: nothing. \`waits\`: nothing, because what is new has data before anything follows it. \`answers\`: DNS answers
change as the config asks, within the same region.

${markdownTable(
  ['resource', 'change', 'only', 'traffic', 'what it means'],
  effectRows.map(({ type, kinds, properties, traffic, means }) => [
    type === '' ? 'any other' : type.endsWith('::') ? `\`${type}*\`` : `\`${type}\``,
    kinds.join(', '),
    properties?.join(', ') ?? '',
    traffic,
    means,
  ]),
)}

## What is refused

Nothing is changed then, and the status is 3. ${askedInside.map((rule) => `\`${rule}\``).join(' and ')} are the exception: these endpoints are new, so the guard asks
them inside the deployment. CloudFormation then rolls that stack back before any name or vote follows it, and the status is 1.

${(Object.keys(deployRefusals) as DeployRule[]).map(refusalSection).join('\n\n')}

### Stacks that are stuck

${markdownTable(
  ['status', 'instead'],
  Object.entries(stackStatuses).flatMap(([status, { state, instead }]) =>
    state === 'stuck' ? [[status, instead ?? '']] : [],
  ),
)}

A stack that CloudFormation is still changing is waited for, up to half an hour. A stack whose first creation failed is deleted and
created again by the CDK; the state table of the standby, which is protected against deletion, stays, and has to be deleted before
([Removing it](deploying.md#removing-it)).

## Exit status

| status | meaning |
| --- | --- |
| 0 | deployed; or nothing differs; or a dry run that would not be refused |
| 1 | the CDK failed, or AWS did not answer; the stages before are done |
| 2 | a wrong option or config, no CDK app here, or no consent |
| 3 | refused: nothing was changed |
| 4 | stopped between two stages: a name changed its region, DNS did not answer, or an observer is not sound |
| 130 | Ctrl-C: CloudFormation finishes what it has begun |

## --json

One document, at the end; progress goes to standard error. \`state\` is \`nothing\`, \`planned\` (a dry run), \`refused\`, \`deployed\` or
\`stopped\`. Times are milliseconds. Errors have the form of every other command (\`error.name\`, \`error.message\`).

\`\`\`json
{ "ok": true, "state": "deployed",
  "stacks": [{ "stack": "shop-routing", "region": "us-west-2", "change": "changed", "resources": [
    { "logicalId": "RegionPrimary1CA511CA", "type": "AWS::Route53::RecordSet", "kind": "changed", "properties": ["TTL"],
      "traffic": "none", "means": "the same answer, kept for another time" }] }],
  "stages": [{ "kind": "routing", "stacks": ["shop-routing"], "command": ["deploy", "shop-routing", "--exclusively", "…"],
    "watchDnsMs": 60000, "done": true, "tookMs": 81234 }],
  "refusals": [], "notes": [], "dns": { "watched": 3, "held": 3, "moved": [], "silent": [] }, "logFile": "…/deploy.log" }
\`\`\`

\`change\` is \`new\`, \`changed\`, \`rehosted\` (a host that its checks ask is another one) or \`same\`. A stage may have \`soak\`
(\`{ "observers": ["us-east-2"], "ms": 600000 }\`) and \`hosts\` (the hosts that its checks were given). A refusal has \`rule\`, \`subject\`,
\`reason\` and \`instead\`; \`stopped\` has \`by\` (\`cdk\`, \`dns\`, \`unasked\`, \`soak\`, \`hosts\`), \`stacks\`, \`reason\` and \`next\`.

## Rights

Beside those of \`npx cdk deploy\`, to read; \`npx spillway policy operator --verbs deploy --account 123456789012\` prints them. It writes
nothing but through the CDK. NAME is the \`name\` of the config.

${rightsTable(rightsOfVerbs(['deploy']))}
`;
}

function refusalSection(rule: DeployRule): string {
  const { means, instead } = deployRefusals[rule];
  const steps = instead.map((step, at) => `${at + 1}. ${step}`).join('\n');
  return `### ${rule}\n\n${means} Instead:\n\n${steps}`;
}
