import type { Assumption } from '../assumptions/assumption.ts';
import { assumptions } from '../assumptions/assumptions.ts';
import { experimentNames, experiments } from '../assumptions/experiments.ts';
import { proveRights } from '../permissions/prove.ts';
import { markdownTable } from './markdown.ts';
import { rightsTable } from './rights-table.ts';

const sourceOf = ({ source }: Assumption): string =>
  source === 'inferred' ? 'inferred' : `AWS: ${source.doc}`;

const proofOf = ({ proof }: Assumption): string =>
  'experiment' in proof ? `\`${proof.experiment}\`: ${proof.how}` : `Not by this command. ${proof.notProven}`;

/** `docs/assumptions.md`: what Spillway takes for true of AWS, what depends on it, and how it is proven. */
export function assumptionsDocument(): string {
  const inferred = assumptions.filter(({ source }) => source === 'inferred').length;
  const proven = assumptions.filter(({ proof }) => 'experiment' in proof).length;
  const seconds = experimentNames.reduce((sum, name) => sum + experiments[name].mostSeconds, 0);
  const usd = experimentNames.reduce((sum, name) => sum + experiments[name].mostUsd, 0);
  return `# What Spillway assumes of AWS

Generated from the tables in \`lib/assumptions\` by \`npm run docs\`: change the tables, not this file.

Everything that can run on one machine is tested there, against LocalStack and a model of Route 53. What follows can be confirmed by
AWS alone: ${assumptions.length} statements, ${inferred} of them inferred, that is, no page of AWS says so. \`spillway prove\` tries ${proven} of them in your account:

\`\`\`sh
npx spillway prove --reason "before going live" --dry-run   # every AWS call that it would make
npx spillway prove --reason "before going live"             # says its time and cost, and asks
\`\`\`

The command needs a cell that is used only for drills ([cli.md](cli.md#drills-of-a-deployment)) and quiet times: it is refused under the
same guards as a drill. It takes at most ${Math.ceil(seconds / 60)} minutes and $${usd.toFixed(2)}, nearly all of which is one health check, if AWS charges a whole month of it. Run
it before the mode is \`auto\`, and again when a version of Spillway brings new statements. For each statement it reports \`confirmed\`,
\`refuted\`, or \`not-run\` with the reason, and figures. One run confirms what it saw, on that day and from that machine, and no more.
What to do with a refuted statement is in the column "if it is false": where a promise breaks, keep the mode at \`observe\` or
\`approve\`, and report it.

## The statements

${markdownTable(
  ['id', 'statement', 'if it is false', 'source', 'how it is proven'],
  assumptions.map((row) => [`\`${row.id}\``, row.statement, row.breaks, sourceOf(row), proofOf(row)]),
)}

## The experiments

They run in this order. Those that touch something ask the guards once more before they begin. What one of them creates is its own: a
health check named \`NAME prove\` and records below \`prove-NAME.ZONE\`, deleted at the end, also after Ctrl-C. After a crash the next run
deletes them once they are 45 minutes old, and \`spillway prove --clean\` deletes them at once.

${markdownTable(
  ['experiment', 'what it does', 'at most', 'touches', 'what LocalStack cannot tell'],
  experimentNames.map((name) => {
    const { what, mostSeconds, mostUsd, touches, local } = experiments[name];
    return [name, what, `${mostSeconds} s, $${mostUsd}`, touches ? 'yes' : 'no', local.limit];
  }),
)}

\`spillway prove --local\` runs those experiments to the end that a local world can run, and needs neither a reason nor consent. Since
nothing there is AWS, every statement is \`not-run\`; what the world showed is in \`local\`. If no local world is running, one is built for this and taken down, which takes a
minute.

## Rights

Beside those of \`status\` and of \`drill --aws\` ([permissions.md](permissions.md#operators)) the experiments need what follows.
\`npx spillway policy operator --verbs prove --account 123456789012\` prints all of it; without \`--verbs\` that policy leaves \`prove\` out,
because it creates and deletes a health check and records. Health checks have no names that IAM knows, so these rights are about each
health check of the account: take them away after the run. The records are bounded to the names that the experiment uses.

${rightsTable(proveRights, { header: 'experiment', cell: ({ experiments: names }) => names.join(', ') })}
`;
}
