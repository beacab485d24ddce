import { sampleOf, type WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { Cell } from './config.ts';

/** What the policies of one role hold beside everything else: see lib/constructs/stream-arns.ts. */
const MOST_ARNS = 50;
const MOST_CHARACTERS = 8_000;
/** Of an ARN of a stream, without the stream's name. */
const ARN_CHARACTERS = 60;
/** A pattern of fewer letters would name streams that are nobody's here: the right is one to write. */
const LEAST_SHARED_LETTERS = 3;
const roles = ['primary', 'standby'] as const;

export interface ProbedCells {
  /** Cells into whose streams observers may put marked records. */
  readonly probed: readonly Cell[];
  /** Names of cells that their owners would have probed, and whose streams the role of an observer cannot name. */
  readonly withheld: readonly string[];
}

/**
 * The cells that observers get the right to probe. A role's policies name some two dozen cells; more only by the beginning
 * that all their names share. Where they share none, those that are to be probed always come first, then a fair sample.
 */
export function probedCells(cells: readonly Cell[]): ProbedCells {
  const wanted = cells.filter(({ probe }) => probe !== 'never');
  if (fits(wanted) || roles.every((role) => sharedLetters(wanted, role) >= LEAST_SHARED_LETTERS))
    return { probed: wanted, withheld: [] };
  const byName = new Map(wanted.map((cell) => [cell.name, cell]));
  const asWatched = wanted.map(({ name, group, probe }): WatchedCell => ({ cell: name, group, probe }));
  const sample = sampleOf(asWatched).flatMap(({ cell }) => byName.get(cell) ?? []);
  const inOrder = new Set([...wanted.filter(({ probe }) => probe === 'always'), ...sample]);
  const probed: Cell[] = [];
  for (const cell of inOrder) if (fits([...probed, cell])) probed.push(cell);
  const kept = new Set(probed);
  return { probed, withheld: wanted.filter((cell) => !kept.has(cell)).map(({ name }) => name) };
}

function fits(cells: readonly Cell[]): boolean {
  const arns = cells.flatMap(({ streams }) =>
    roles.map((role) => streams[role].name.length + ARN_CHARACTERS),
  );
  return arns.length <= MOST_ARNS && arns.reduce((sum, length) => sum + length, 0) <= MOST_CHARACTERS;
}

function sharedLetters(cells: readonly Cell[], role: (typeof roles)[number]): number {
  const names = cells.map(({ streams }) => streams[role].name);
  const [first = ''] = names;
  let letters = 0;
  while (letters < first.length && names.every((name) => name[letters] === first[letters])) letters++;
  return letters;
}
