import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';
const width = (text: string): number => stripVTControlCharacters(text).length;

/**
 * Columns as wide as their widest cell, colours not counted; the last column is cut at the edge of the screen, so that
 * one long reason does not fold the whole table. Plain text, so that it can be pasted into an incident channel.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { columns = Number.POSITIVE_INFINITY }: { readonly columns?: number } = {},
): string {
  const widths = header.map((title, at) =>
    Math.max(width(title), ...rows.map((row) => width(row[at] ?? ''))),
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  const room = Math.max(width(header.at(-1) ?? ''), columns - before);
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, at) => (at === header.length - 1 ? cut(cell, room) : padded(cell, widths[at] ?? 0)))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

const padded = (cell: string, to: number): string => cell + ' '.repeat(Math.max(0, to - width(cell)));

function cut(cell: string, room: number): string {
  if (width(cell) <= room) return cell;
  return `${stripVTControlCharacters(cell).slice(0, Math.max(0, room - 1))}…`;
}
