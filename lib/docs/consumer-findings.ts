import {
  type ConsumerFindingCode,
  consumerFindings,
  type FindingLevel,
} from '../../lambda/core/consumer-findings.ts';
import { consumerKinds } from '../../lambda/core/consumers.ts';
import { markdownTable } from './markdown.ts';

const levels: Readonly<Record<FindingLevel, string>> = {
  bad: 'To be mended before an evacuation needs it: the command ends with status 4.',
  unknown: 'Could not be read. That is no fault of the consumer, and does not change the status.',
  note: 'Worth knowing, and does not change the status.',
};

/** `docs/consumer-findings.md`: everything that `spillway consumers` can find. */
export function consumerFindingsDocument(): string {
  const rows = Object.entries(consumerFindings) as [
    ConsumerFindingCode,
    (typeof consumerFindings)[ConsumerFindingCode],
  ][];
  const sections = (Object.keys(levels) as FindingLevel[]).map((level) => {
    const some = rows.filter(([, row]) => row.level === level);
    const table = markdownTable(
      ['code', 'meaning', 'what to do'],
      some.map(([code, { meaning, fix }]) => [`\`${code}\``, meaning, fix]),
    );
    return `## ${level}\n\n${levels[level]}\n\n${table}`;
  });
  return `# Findings of \`spillway consumers\`

Generated from the table in \`lambda/core/consumer-findings.ts\` by \`npm run docs\`: change the table, not this file. [Consumers in two
regions](consumers.md) says how the command is used. Each finding also names the cell, the consumer and the region, and has its fix as a
command to copy where there is one.

${sections.join('\n\n')}

## What is known of each kind

${markdownTable(
  ['kind', 'named by', 'takes aggregates apart', 'its checkpoint'],
  Object.entries(consumerKinds).map(([kind, { label, named, takesAggregates, checkpoint }]) => [
    `\`${kind}\`, ${label}`,
    named,
    takesAggregates ? 'yes' : 'no',
    checkpoint,
  ]),
)}
`;
}
