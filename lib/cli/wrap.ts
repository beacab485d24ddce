import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

/** A command to paste into a shell: a line break would make the shell run only half of it. */
const command = /^\s*(?:next: |(?:→ )?(?:npx |npm |spillway |source |export |[A-Z_]+=\S+ ))/;
/** The arrow before what to do about the text on its left. */
const arrow = / {2,}(?=→ )/;
/** A mark, or a name with two spaces behind it: the text beside it stays in its column. */
const named = /^\s*(?:[✗✓!?→·] |\S.{0,20}? {2,})/;

/**
 * Breaks lines that are wider than `columns` at words, and indents what follows as far as the text of the line. Commands
 * stay whole, on a line of their own; so do words that have no room.
 */
export function wrapped(text: string, columns: number): string {
  if (!Number.isFinite(columns)) return text;
  return text
    .split('\n')
    .flatMap((line) => (stringWidth(line) <= columns ? [line] : folded(line, columns)))
    .join('\n');
}

function folded(line: string, columns: number): readonly string[] {
  const [text = '', ...acts] = line.split(arrow);
  const alone = stripVTControlCharacters(text).trim() === '';
  return (alone ? [line] : [text, ...acts.map((act) => `    ${act}`)]).flatMap((part) =>
    command.test(stripVTControlCharacters(part)) ? [part] : hanging(part, columns),
  );
}

function hanging(line: string, columns: number): readonly string[] {
  const plain = stripVTControlCharacters(line);
  const spaces = ' '.repeat(plain.length - plain.trimStart().length);
  const column = named.exec(plain)?.[0].length ?? spaces.length;
  const rest = column > columns / 2 ? spaces : ' '.repeat(column);
  const [first = '', ...more] = wrapAnsi(line.replace(spaces, ''), columns - spaces.length).split('\n');
  const below = more.length === 0 ? [] : wrapAnsi(more.join(' '), columns - rest.length).split('\n');
  return [spaces + first, ...below.map((each) => rest + each)];
}
