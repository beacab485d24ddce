import type { StrandedCell, StrandedDocument, StrandedFinding } from './document.ts';
import { placeSources } from './positions.ts';
import type { Look } from './question.ts';

/**
 * Whether records of the cell wait for somebody: not where traffic was never moved away, and not those that a drain has
 * copied or that a person has marked as read.
 */
export function isStranded({ moved, records, oldestMs, newestMs, drained }: StrandedCell): boolean {
  if (records === 0 || moved === false) return false;
  if (drained === null || oldestMs === null || newestMs === null) return true;
  const { window, atMs } = drained;
  // A person spoke of what had arrived by then.
  return window === undefined ? newestMs >= atMs : oldestMs < window.fromMs || newestMs >= window.toMs;
}

/** Whether nothing waits in the cell for certain: no place is a guess, and nothing may have expired unread. */
function isSettled({ cell, findings }: Look): boolean {
  if (isStranded(cell)) return false;
  if (cell.moved === false || cell.drained !== null) return true;
  return (
    findings.every(({ level }) => level !== 'bad') &&
    cell.consumers.every(({ from }) => placeSources[from.by].vouched)
  );
}

export interface Looked {
  readonly atMs: number;
  readonly region: string;
  readonly looks: readonly Look[];
  /** Of what was read beside the streams. */
  readonly findings: readonly StrandedFinding[];
  /** The command that copies what is stranded of these cells. */
  readonly commandFor: (cells: readonly string[]) => string;
}

/** Pure: the document of all cells. */
export function documentOf({ atMs, region, looks, findings, commandFor }: Looked): StrandedDocument {
  const cells = looks.map(({ cell }) => cell);
  const stranded = cells.filter(isStranded);
  const unsure = stranded.flatMap(({ cell, atMost }) => (atMost ? cell : []));
  const known = looks.every((look) => look.known) && findings.every(({ level }) => level !== 'unknown');
  return {
    ok: known && looks.every(isSettled),
    name: 'stranded',
    ...{ atMs, region, cells },
    findings: [...findings, ...looks.flatMap((look) => look.findings), ...cells.flatMap(resting)],
    first: unsure.length === 0 ? null : `spillway consumers --cells ${unsure.join(',')}`,
    next: stranded.length === 0 ? null : commandFor(stranded.map(({ cell }) => cell)),
  };
}

/** Why the records of a cell are no reason to act. */
function resting(cell: StrandedCell): readonly StrandedFinding[] {
  const { moved, records, drained, region } = cell;
  if (records === 0) return [];
  const note = (text: string): readonly StrandedFinding[] => [{ level: 'note', cell: cell.cell, text }];
  if (moved === false)
    return note(`traffic is in ${region}: its consumers there read on, and nothing is stranded`);
  if (drained === null || isStranded(cell)) return [];
  const who = drained.window === undefined ? 'marked as read' : 'copied by a drain';
  return note(
    `${who} on ${new Date(drained.atMs).toISOString()}, of epoch ${drained.epoch}: what is counted here is not read twice`,
  );
}
