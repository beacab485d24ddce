import { sampleOf, type WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { Cell } from './config.ts';
import { streamKeys } from './stream-keys.ts';
import {
  canNameEach,
  type StreamPair,
  type StreamRole,
  sharedBeginning,
  streamRoles,
} from './stream-names.ts';

// Which streams the roles of observers may write to. The config's `probe` is what owners allow; what a role cannot name is
// not probed, and whoever tells of a cell (status, cost, doctor) tells of what is in force.

/** A pattern of fewer letters would name streams that are nobody's here: the right is one to write. */
export const LEAST_SHARED_LETTERS = 4;

export interface ProbedCells {
  /** Cells into whose streams observers may put marked records. */
  readonly probed: readonly Cell[];
  /** Names of cells that their owners would have probed, and whose streams the role of an observer cannot name. */
  readonly withheld: readonly string[];
  /** By what beginning of their names the role of an observer names the streams of a region. Absent: each by its whole name. */
  readonly beginnings?: Readonly<Record<StreamRole, string>>;
}

/** Why cells are withheld, as the end of a sentence. */
export const WITHHELD_BECAUSE = `the role of an observer names the streams of some two dozen cells, or more by a beginning of at least ${LEAST_SHARED_LETTERS} letters that all their names share and that no stream with probe: never has`;
/** What to do about it. */
export const WITHHELD_FIX =
  "Let the names of the streams that may be probed begin alike, and no others so; or write probe: 'never' for cells that need no probes.";

/** The cells with the probes that are in force: `never` for those that are withheld. */
export function inForce(cells: readonly Cell[]): readonly Cell[] {
  const withheld = new Set(probedCells(cells).withheld);
  if (withheld.size === 0) return cells;
  return cells.map((cell) => (withheld.has(cell.name) ? { ...cell, probe: 'never' } : cell));
}

/**
 * The cells that observers get the right to probe. A role's policies name some two dozen cells; more only by the beginning
 * that all their names share. Where they share none, those that are to be probed always come first, then a fair sample.
 */
export function probedCells(cells: readonly Cell[]): ProbedCells {
  const wanted = cells.filter(({ probe }) => probe !== 'never');
  if (fits(wanted)) return { probed: wanted, withheld: [] };
  if (streamRoles.every((role) => mayBePattern(wanted, { role, cells }))) {
    const beginnings = { primary: beginningOf(wanted, 'primary'), standby: beginningOf(wanted, 'standby') };
    return { probed: wanted, withheld: [], beginnings };
  }
  const byName = new Map(wanted.map((cell) => [cell.name, cell]));
  const asWatched = wanted.map(({ name, group, probe }): WatchedCell => ({ cell: name, group, probe }));
  const sample = sampleOf(asWatched).flatMap(({ cell }) => byName.get(cell) ?? []);
  const inOrder = new Set([...wanted.filter(({ probe }) => probe === 'always'), ...sample]);
  const probed: Cell[] = [];
  for (const cell of inOrder) if (fits([...probed, cell])) probed.push(cell);
  const kept = new Set(probed);
  return { probed, withheld: wanted.filter((cell) => !kept.has(cell)).map(({ name }) => name) };
}

/** Whether the beginning that these names share is long enough, and begins no stream whose owner says `never`. */
function mayBePattern(
  wanted: readonly Cell[],
  { role, cells }: { readonly role: StreamRole; readonly cells: readonly Cell[] },
): boolean {
  const beginning = beginningOf(wanted, role);
  const forbidden = cells.some(
    ({ probe, streams }) => probe === 'never' && streams[role].name.startsWith(beginning),
  );
  return beginning.length >= LEAST_SHARED_LETTERS && !forbidden;
}

/** The streams of a cell as a role's policies name them. */
export function pairOf(cell: Cell): StreamPair {
  const { primary, standby } = cell.streams;
  return { primary: primary.name, standby: standby.name, keys: streamKeys([cell]).map(({ arn }) => arn) };
}
const fits = (cells: readonly Cell[]): boolean => canNameEach(cells.map(pairOf));
const beginningOf = (cells: readonly Cell[], role: StreamRole): string =>
  sharedBeginning(cells.map(pairOf), role);
