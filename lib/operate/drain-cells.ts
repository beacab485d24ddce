import { join } from 'node:path';
import type { Role } from '../../lambda/core/role.ts';
import { type Cell, type Config, streamReference } from '../config/config.ts';
import type { Checkpoint } from '../drain/checkpoint.ts';
import { readCheckpoint } from '../drain/checkpoint-file.ts';
import { type DrainCounts, noCounts, sumOf } from '../drain/counts.ts';
import { type DrainOptions, type DrainReport, drain } from '../drain/drain.ts';
import type { StreamPlace } from '../drain/plan.ts';
import type { StateTable } from '../state/state-table.ts';
import { type Coverage, gapsIn } from '../stranded/coverage.ts';
import type { StrandedCell } from '../stranded/document.ts';
import { isStranded } from '../stranded/verdict.ts';
import { type Window, windowOf, without } from '../stranded/window.ts';
import { journaled } from './apply-control.ts';
import { type KnownMoves, moveOf } from './stranded.ts';

/** What is to be copied of one cell, and where its progress is kept. */
export interface CellDrain {
  readonly cell: Cell;
  /** As it was counted. */
  readonly found: StrandedCell;
  /** Of the first act of the move that stranded the records; 0: not known. */
  readonly epoch: number;
  readonly from: StreamPlace;
  readonly to: StreamPlace;
  readonly due: Window;
  /** Windows of which earlier runs have copied nothing, a part, or all. */
  readonly parts: readonly DrainPart[];
}

export interface DrainPart extends Window {
  /** The name of its checkpoint. */
  readonly file: string;
  /** Of an earlier run. */
  readonly begun: Checkpoint | undefined;
}

export interface Planning {
  readonly config: Config;
  readonly role: Role;
  readonly moves: KnownMoves;
  /** Where checkpoints are kept. */
  readonly directory: string;
  /** The time of the count. */
  readonly atMs: number;
}

/** More than anybody would make of one move. */
const MAX_PARTS = 100;

/** Pure but for the checkpoints that it reads: what to copy of a cell, or why nothing can be. Undefined: nothing is stranded. */
export async function planDrain(
  cell: Cell,
  found: StrandedCell,
  { config, role, moves, directory, atMs }: Planning,
): Promise<CellDrain | { readonly problem: string } | undefined> {
  const window = windowOf(found, atMs);
  if (window !== undefined && 'problem' in window) return window;
  if (window === undefined || !isStranded(found)) return undefined;
  const other = role === 'primary' ? 'standby' : 'primary';
  const from = { region: config.regions[role], stream: streamReference(cell.streams[role]) };
  const to = { region: config.regions[other], stream: streamReference(cell.streams[other]) };
  const { epoch } = moveOf(cell, role, moves);
  const name = (n: number): string =>
    `spillway-drain-${cell.name}-${from.region}-${to.region}-epoch-${epoch}${n === 1 ? '' : `-${n}`}.json`;
  const begun: DrainPart[] = [];
  for (let n = 1; n <= MAX_PARTS; n++) {
    const checkpoint = await readCheckpoint(join(directory, name(n)));
    if (checkpoint === undefined) break;
    begun.push({ ...checkpoint.window, file: name(n), begun: checkpoint });
  }
  const fresh = without(window, begun).map((part, at) => ({
    ...{ ...part, file: name(begun.length + at + 1), begun: undefined },
  }));
  return { cell, found, epoch, from, to, due: window, parts: [...begun, ...fresh] };
}

export interface Draining
  extends Pick<DrainOptions, 'dryRun' | 'clientOf' | 'signal' | 'onProgress' | 'onUnordered' | 'limits'> {
  readonly directory: string;
  readonly envelope: boolean;
  readonly allowAggregated: boolean;
  readonly onExpired?: (keptFromMs: number) => void;
  readonly onCreatedAgain?: () => void;
}

export interface CellDrained {
  readonly counts: DrainCounts;
  readonly parts: readonly (DrainPart & { readonly report: DrainReport })[];
}

/** Copies what is left of a cell, part by part. @throws DrainError, DrainUsageError, or the reason of the abort */
export async function drainCell(
  { from, to, parts }: CellDrain,
  { directory, envelope, allowAggregated, ...options }: Draining,
): Promise<CellDrained> {
  const done: (DrainPart & { readonly report: DrainReport })[] = [];
  for (const part of parts) {
    const report = await drain({
      ...options,
      plan: { from, to, fromMs: part.fromMs, toMs: part.toMs, envelope, allowAggregated },
      checkpointFile: join(directory, part.file),
    });
    done.push({ ...part, report });
  }
  return { counts: sumOf([noCounts, ...done.map(({ report }) => report.counts)]), parts: done };
}

export interface Marking {
  readonly table: StateTable;
  readonly owner: string;
  readonly reason: string;
  readonly nowMs: number;
  readonly id: string;
  /** Records that arrived in the old stream after what was copied. */
  readonly later: number | null;
  /** As they are after the drain. */
  readonly moves: KnownMoves;
  readonly role: Role;
}

export interface Marked {
  readonly marked: boolean;
  /** Why the cell was not marked although it might have been. */
  readonly gaps: readonly string[];
  readonly journaled: boolean;
}

/** Marks the cell as drained if what was copied is all that was stranded, and journals it with its figures. */
export async function markIfCovered(
  drained: CellDrain,
  { counts, parts }: CellDrained,
  { table, owner, reason, nowMs, id, later, moves, role }: Marking,
): Promise<Marked> {
  const { cell, found, epoch, due, from, to } = drained;
  // Marks are about what is stranded in the primary.
  if (role === 'standby') return { marked: false, gaps: [], journaled: false };
  const now = moveOf(cell, role, moves);
  const coverage: Coverage = {
    ...{ cell: found, due, later },
    copied: parts.map(({ report, fromMs, toMs }) => ({
      ...{ fromMs, toMs, counts: report.counts, expired: report.expired },
    })),
    sameMove: now.moved === null ? null : now.moved && now.epoch === epoch,
  };
  const gaps = gapsIn(coverage);
  if (gaps.length > 0) return { marked: false, gaps, journaled: false };
  const unwritten = await journaled(() =>
    table.markDrained({ cell: cell.name, epoch: now.latestEpoch, atMs: nowMs, window: due }),
  );
  if (unwritten !== undefined)
    return { marked: false, gaps: [`the mark could not be written: ${unwritten}`], journaled: false };
  const { read, copied, alreadyThere, probes } = counts;
  const after = { cells: [cell.name], from, to, window: due, read, copied, alreadyThere, probes };
  const problem = await journaled(() =>
    table.journal({ atMs: nowMs, who: owner, what: 'drained', why: reason, epoch, after }, id),
  );
  return { marked: true, gaps: [], journaled: problem === undefined };
}
