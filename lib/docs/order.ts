import { type MoveCase, moveCases } from '../consumer/move-cases.ts';
import { markdownTable } from './markdown.ts';

const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(' ') || 'nothing';

const rows = (meaning: MoveCase['meaning']): string =>
  markdownTable(
    ['What is read', 'An example', '`OrderChecker`', '`MoveOrderChecker`', 'Why'],
    moveCases
      .filter((one) => one.meaning === meaning)
      .map(({ title, because, reads, one, oneRegion, allRegions, settled }) => [
        title,
        `\`${reads}\``,
        `${one}: ${code(oneRegion)}`,
        `${code(allRegions)}${settled.length > 0 ? `, then settled as ${code(settled)}` : ''}`,
        because,
      ]),
  );

/** `docs/order.md`: what a consumer may see of a key around a move. */
export function orderDocument(): string {
  return `# Order around a move

Generated from a table that the tests play, row by row: \`npm run docs\`. How to use the two checkers is in [reading records](consuming.md#order).

Records of one key and one producer are ordered by (epoch, number), and each is written only after the one before it has been acknowledged.
A move does not change that, but it spreads the records over two streams. An \`OrderChecker\` reads one region; what a
move explains and what is lost look alike to it. A \`MoveOrderChecker\` is given all regions, and tells them apart once all are read.

In the examples, \`E\` is the primary and \`W\` the standby, followed by epoch and number: \`W1.3\` is number 3 of epoch 1 in the standby.
\`!\` marks a number that the producer calls the first (\`first\`), \`?\` a record without number.

## Expected

${rows('expected')}

## Wrong

${rows('wrong')}

## What no checker sees

The loss of the last records of a key in an epoch: no number comes after them. Count what \`put\` acknowledged against what was handled.
`;
}
