import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

const GAP = '  ';
const INDENT = '  ';
/** With less room than this, prose would become a column of single words, so it goes beneath instead. */
const MIN_PROSE = 24;

/**
 * Renders a table: each column as wide as its widest cell, colours not counted, and one line a row. Where the
 * table is wider than `columns`, cells wrap at words, and columns that have no room beside the others go
 * beneath them, indented. Nothing is cut, and no word is broken. Plain text, so that it can be pasted into an
 * incident channel.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { columns = Number.POSITIVE_INFINITY }: { readonly columns?: number } = {},
): string {
  const lines = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll(/\s*\n\s*/g, ' ')));
  const bands = bandsOf(
    header.map((_, at) => measured(lines.map((row) => row[at] ?? ''))),
    columns,
  );
  return lines
    .flatMap((row) => bands.flatMap((band, nth) => bandLines(row, band, nth === 0 ? '' : INDENT)))
    .join('\n');
}

interface Measured {
  /** The width of the widest cell. */
  readonly width: number;
  readonly longestWord: number;
}

function measured(cells: readonly string[]): Measured {
  const widest = (texts: readonly string[]): number =>
    texts.reduce((most, text) => Math.max(most, stringWidth(text)), 0);
  return { width: widest(cells), longestWord: widest(cells.flatMap((cell) => cell.split(' '))) };
}

/** Columns that stand beside each other. */
type Band = readonly { readonly at: number; readonly width: number }[];

/** Fills each line from the left, and begins another where a column has no room for its longest word, or for prose. */
function bandsOf(all: readonly Measured[], columns: number): readonly Band[] {
  const bands: { at: number; width: number }[][] = [[]];
  let room = columns;
  for (const [at, { width, longestWord }] of all.entries()) {
    const least = Math.min(width, Math.max(longestWord, MIN_PROSE));
    if (least > room && bands.at(-1)?.length !== 0) {
      bands.push([]);
      room = columns - INDENT.length;
    }
    const given = Math.min(width, Math.max(room, longestWord));
    bands.at(-1)?.push({ at, width: given });
    room -= given + GAP.length;
  }
  return bands;
}

function bandLines(row: readonly string[], band: Band, indent: string): readonly string[] {
  const cells = band.map(({ at, width }) => {
    const cell = row[at] ?? '';
    return stringWidth(cell) <= width ? [cell] : wrapAnsi(cell, width).split('\n');
  });
  const height = Math.max(...cells.map(({ length }) => length));
  const lines = Array.from({ length: height }, (_, line) =>
    band.map(({ width }, nth) => padded(cells[nth]?.[line] ?? '', width)).join(GAP),
  ).map((line) => `${indent}${line}`.trimEnd());
  // A band beneath that has nothing to say in this row.
  return indent === '' ? lines : lines.filter((line) => line !== '');
}

const padded = (cell: string, to: number): string => cell + ' '.repeat(Math.max(0, to - stringWidth(cell)));
