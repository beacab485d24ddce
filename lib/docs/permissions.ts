import { consumerRights } from '../permissions/consumer.ts';
import { type FunctionRights, functions, machineRights } from '../permissions/functions.ts';
import { operatorRights, operatorVerbs } from '../permissions/operator.ts';
import { beaconRights, producerRights } from '../permissions/producer.ts';
import { codes, rightsTable } from './rights-table.ts';

/** `docs/permissions.md`: who calls what, and why. */
export function permissionsDocument(): string {
  return `# Permissions

Generated from the tables in \`lib/permissions\` by \`npm run docs\`: change the tables, not this file. NAME is the \`name\` of the config.

The same tables make \`npx spillway policy\`, and every role in the templates is judged against them by an evaluator of IAM policies that
is not ours (\`test/stacks/permissions.test.ts\`): what a table asks for is allowed, and nothing else. \`npm run mutants:iam\` takes each
right away, one at a time, and gives others; each of these changes turns that test red. A drill on one machine records every call, and
each of them has to be in the tables.

## Producers

\`\`\`sh
npx spillway policy producer --cell orders --account 123456789012 > orders.json
aws iam put-role-policy --role-name orders --policy-name spillway --policy-document file://orders.json
npx spillway doctor --role arn:aws:iam::123456789012:role/orders --cell orders
\`\`\`

A role that may write to the primary's stream alone works every day, and gets AccessDenied at the very moment it counts. So the policy
names the streams of both regions. The signal is a DNS answer and needs no right. The first command makes no call; the last asks IAM
what the role lacks of that policy, so give it the same options. IAM has one control plane, in us-east-1: ask in quiet times.

${rightsTable([...producerRights, ...beaconRights])}

The rights on the table of beacons are there where the config has \`beacons\`; the managed policy \`NAME-beacon-writer\` is the same. Tables
that are encrypted with \`encryptionKeyArns\` of the construct need \`--table-keys ARN,…\`, for producers and operators; that managed policy
has it already.
\`sts:GetCallerIdentity\`, which a producer with beacons calls once, needs no permission.

## Consumers

Consumers in the standby run always, so they need both regions, too. \`--fan-out CONSUMER\` and \`--kcl APPLICATION\` add what these need
("IAM permissions required for KCL consumer applications", Kinesis Data Streams Developer Guide).

${rightsTable(consumerRights)}

## Operators

\`npx spillway policy operator --account 123456789012\` prints what all verbs but \`prove\` need, with \`--verbs status,why,history\` what these verbs need.
\`prove\` creates and deletes a health check and records, so it has to be named: \`--verbs prove\`. No verb but
${globalVerbs()} asks Route 53's or IAM's control plane, which are in us-east-1. Every verb also calls
\`sts:GetCallerIdentity\` of the standby, which needs no permission.

${rightsTable(operatorRights, { header: 'verbs', cell: ({ verbs }) => codes(verbs) })}

## Keys

A stream with a customer-managed key has it as \`kmsKeyArn\` in the config, of each region its own. A stream that Spillway creates is then
encrypted with it; one that exists is only used. Whatever puts into the stream gets \`kms:GenerateDataKey\` on that key, whatever reads it
\`kms:Decrypt\`, both through Kinesis of the key's region alone (\`kms:ViaService\`): roles of Spillway in the templates, applications and
operators by \`spillway policy\`.

A key's own policy has the last word. The default policy of the console leaves it to IAM. A stricter one has to name, beside producers and
consumers, the roles of Spillway that use the key: of the observers, if the cell may be probed (\`kms:GenerateDataKey\`), of the conductor
(\`kms:Decrypt\` in the standby), and of the drill, for its own cell (both). Or it leaves the use through Kinesis, for one stream, to IAM:

\`\`\`json
{
  "Sid": "SpillwayThroughKinesis",
  "Effect": "Allow",
  "Principal": { "AWS": "arn:aws:iam::ACCOUNT:root" },
  "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
  "Resource": "*",
  "Condition": {
    "StringEquals": { "kms:ViaService": "kinesis.REGION.amazonaws.com" },
    "StringLike": { "kms:EncryptionContext:aws:kinesis:arn": "arn:aws:kinesis:REGION:ACCOUNT:stream/STREAM" }
  }
}
\`\`\`

Without these rights nothing fails in health: producers in the standby, and a conductor that looks for arriving records, meet
\`KMSAccessDeniedException\` when traffic has moved. So a cell with \`kmsKeyArn\` in one region alone is a warning of \`cdk synth\` and a
remark of \`spillway policy\`, and \`spillway doctor\` finds streams with keys that the config does not name. An alias is no
key here: IAM judges the key behind it.

## Functions of Spillway

${functions.map(functionSection).join('\n\n')}

### State machine \`NAME-conductor\`

${rightsTable(machineRights)}

With \`encryptionKeyArns\`, every function may also use these keys through DynamoDB and SNS, and so may producers with
\`NAME-beacon-writer\`. Rules of Events may invoke the functions that they start, everybody the two endpoints through their URLs, and
alarms of the deployment publish to its topics.
`;
}

function functionSection({ functionName, in: place, rights }: FunctionRights): string {
  const where = place === 'standby' ? 'in the standby' : 'in the standby and each witness';
  return `### \`${functionName('NAME')}\`, ${where}\n\n${rightsTable(rights)}`;
}

/** Services of which every region has one control plane, in us-east-1. */
const GLOBAL = /^(route53|iam):/;

function globalVerbs(): string {
  const global = operatorRights.filter(({ actions }) => actions.some((action) => GLOBAL.test(action)));
  const verbs = operatorVerbs.filter((verb) => global.some((right) => right.verbs.includes(verb)));
  return new Intl.ListFormat('en').format(verbs.map((verb) => `\`${verb}\``));
}
