import { refusalRules, SWITCH_FAILURES, untilDataMs, VOTE_FAILURES } from '../../lambda/core/deployment.ts';
import { type DeploymentChange, deploymentChanges, outcomes } from '../deployments/changes.ts';
import { markdownTable } from './markdown.ts';

/** `docs/deployments.md`: what each change of the config does to traffic. */
export function deploymentsDocument(): string {
  return `# What a deployment does to traffic

Generated from \`lib/deployments/changes.ts\` and \`lambda/core/deployment.ts\` by \`npm run docs\`: change the tables, not this file.

Route 53 calls a new inverted health check unhealthy until its checkers have data. A deployment that gave the quorum several new votes,
or a cell a new switch, would therefore move traffic for some seconds. So each stack of the routing holds a custom resource, the
deployment guard: CloudFormation asks it when the new checks exist, and before the quorum or a record follows them. The guard

1. reads what is in force, as it stored it after the last deployment that it allowed, and asks the endpoints that are new;
2. refuses what would move traffic (below): the stack then rolls back, and nothing that traffic follows has changed;
3. leaves new checks alone until every checker has had the time to look often enough: ${untilDataMs({ intervalSeconds: 10, failureThreshold: VOTE_FAILURES }) / 1_000} s for votes and ${untilDataMs({ intervalSeconds: 10, failureThreshold: SWITCH_FAILURES }) / 1_000} s for switches at an interval
   of 10 s, ${untilDataMs({ intervalSeconds: 30, failureThreshold: VOTE_FAILURES }) / 1_000} s and ${untilDataMs({ intervalSeconds: 30, failureThreshold: SWITCH_FAILURES }) / 1_000} s at 30 s; a stack that is created is not waited for, because no record follows its checks yet;
4. wants Route 53 to have data of them, and stores what is then in force.

So plain \`cdk deploy --all\` does what the table says. [\`spillway deploy\`](deploy.md) looks before anything is deployed, deploys one
observer after the other, and asks DNS after each stage. Each row is a drill: \`npm run drill:upgrades\` deploys it while producers run, takes
it back, and reports every answer of DNS that changed (\`--only NAME\`, \`--state steady|evacuated\`, \`--json\`). Your own change is
\`npm run drill -- --upgrade FILE\`, with \`--evacuated\` while an operator holds every cell in the standby.

${markdownTable(
  [
    'row',
    'a deployment that …',
    'in health',
    'while every cell is held in the standby',
    '`spillway deploy` refuses it',
    'and',
  ],
  deploymentChanges.map(({ name, what, steady, evacuated, byWrapper, note }) => [
    `\`${name}\``,
    what,
    outcomes[steady],
    steady === evacuated ? 'the same' : outcomes[evacuated],
    refusedWhen(byWrapper),
    note,
  ]),
)}

## What the guard refuses

${markdownTable(
  ['rule', 'refused', 'instead'],
  Object.entries(refusalRules).map(([rule, { means, instead }]) => [`\`${rule}\``, means, instead]),
)}

The guard looks at groups in the standby's stack, before its functions learn of other groups, and at everything else in the stacks of the
routing. A switch whose group is gone from the config goes on answering for as long as it was ever set.

The first deployment that has a guard knows nothing of the one before: deploy a new version of Spillway unchanged, and your own change
after it. A guard that cannot look (the state table or Route 53's API does not answer) refuses as well. It needs both only here: no
evacuation, failback or failover asks the guard.
`;
}

function refusedWhen(by: DeploymentChange['byWrapper']): string {
  if (by?.steady === undefined && by?.evacuated === undefined) return 'no';
  if (by.steady !== undefined && by.evacuated !== undefined) return 'yes';
  return by.steady === undefined ? 'while held' : 'in health';
}
