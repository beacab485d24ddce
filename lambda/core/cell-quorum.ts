import { accusingKinds, type CellFinding } from './cell-findings.ts';
import type { ObserverReport } from './conductor-observers.ts';
import type { WatchedCell } from './watched-cells.ts';

/** What one observer says about single cells, as far as a quorum needs it. */
export interface CellAccuser {
  readonly region: string;
  /** What it has stored has not expired. */
  readonly fresh: boolean;
  readonly cells?: readonly CellFinding[] | undefined;
}

/** A switch that a quorum asks to be set. */
export interface GroupMove {
  readonly group: string;
  /** The cells that are accused; others of the group move with them. */
  readonly cells: readonly string[];
  /** Since when a quorum has accused the first of these cells: stays the same while it does. */
  readonly sinceMs: number;
  readonly reason: string;
}

export interface QuorumQuestion {
  readonly accusers: readonly CellAccuser[];
  readonly cells: readonly Pick<WatchedCell, 'cell' | 'group'>[];
  readonly votesToEvacuate: number;
  /** Which accusations count. Default: those that no guard refuses. */
  readonly counts?: (finding: CellFinding) => boolean;
}

const isUnrefused = ({ refusals }: CellFinding): boolean => refusals.length === 0;
/** An accusation that the mode alone has held back: the cell would have moved. */
export const isHeldByMode = ({ refusals }: CellFinding): boolean =>
  refusals.length > 0 && refusals.every(({ rule }) => rule === 'mode');

/**
 * The switches that K of the observers ask for. A switch that several cells share is set when at least half of them are
 * accused: it is the unit that moves, and a minority must not take the others along.
 */
export function groupsToMove(question: QuorumQuestion): readonly GroupMove[] {
  const { accusers, cells, votesToEvacuate: needed, counts = isUnrefused } = question;
  const accusations = accusers
    .filter(({ fresh }) => fresh)
    .flatMap(({ region, cells: findings = [] }) =>
      findings
        .filter((finding) => accusingKinds.has(finding.kind) && counts(finding))
        .map((finding) => ({ region, finding })),
    );
  if (accusations.length < needed) return [];
  const moves: GroupMove[] = [];
  for (const group of new Set(accusations.map(({ finding }) => finding.group))) {
    const members = cells.filter((each) => each.group === group);
    const accused = members.flatMap(({ cell }) => {
      const about = accusations.filter(({ finding }) => finding.cell === cell);
      const voices = new Map(about.map((each) => [each.region, each]));
      const since = [...voices.values()].map(({ finding }) => finding.sinceMs).toSorted((a, b) => a - b);
      const sinceMs = since[needed - 1];
      return sinceMs === undefined ? [] : [{ cell, sinceMs, about: [...voices.values()] }];
    });
    if (accused.length === 0 || 2 * accused.length < members.length) continue;
    const words = accused.map(
      ({ cell, about }) =>
        `${cell}: ${about.map(({ region, finding }) => `${region} (${finding.kind}: ${finding.reason})`).join(', ')}`,
    );
    moves.push({
      group,
      cells: accused.map(({ cell }) => cell),
      sinceMs: Math.min(...accused.map(({ sinceMs }) => sinceMs)),
      reason: words.join('; '),
    });
  }
  return moves;
}

/** The region's move that K observers call for and that the mode alone holds back; undefined when there is none. */
export function regionHeldByMode(
  reports: readonly ObserverReport[],
  votesToEvacuate: number,
): { readonly sinceMs: number; readonly reason: string } | undefined {
  const held = reports.filter(
    ({ fresh, vote, refusedBy = [], actionableSinceMs }) =>
      fresh &&
      vote === 'HOLD' &&
      actionableSinceMs !== undefined &&
      refusedBy.length > 0 &&
      refusedBy.every((rule) => rule === 'mode'),
  );
  const since = held.flatMap(({ actionableSinceMs }) => actionableSinceMs ?? []).toSorted((a, b) => a - b);
  const sinceMs = since[votesToEvacuate - 1];
  if (sinceMs === undefined) return undefined;
  return { sinceMs, reason: held.map(({ region, diagnosis }) => `${region}: ${diagnosis}`).join(', ') };
}
