import {
  type CellOverrides,
  type Control,
  type ControlReading,
  MOST_CELLS_WITH_OVERRIDES,
  parseControl,
} from '../../lambda/core/control.ts';
import { leastAutonomous, type Mode } from '../../lambda/core/policy.ts';
import { RefusedError } from './errors.ts';
import { named } from './named.ts';

export interface Override {
  readonly owner: string;
  readonly reason: string;
  readonly untilMs: number;
}

export type MaintenanceWindow = Override & { readonly fromMs: number };

/** What `resume` ends: overrides in force now, or the named ones, begun or not. */
export const resumables = ['active', 'pause', 'maintenance', 'all'] as const;
export type Resumable = (typeof resumables)[number];

/** What an operator may say. Each is one act in the journal. `force`: although it ends another's override earlier. */
export type ControlAct =
  | { readonly kind: 'pause'; readonly override: Override; readonly force?: boolean }
  | { readonly kind: 'resume'; readonly what: Resumable }
  | { readonly kind: 'maintenance'; readonly override: MaintenanceWindow; readonly force?: boolean }
  | { readonly kind: 'approve'; readonly override: Override };

/** Cells that an act is about: their moves alone. Absent: every move. */
export interface ControlScope {
  readonly cells?: readonly string[] | undefined;
}

export interface ControlChange {
  readonly before: ControlReading;
  readonly after: Control;
}

export interface ControlContext extends ControlScope {
  readonly nowMs: number;
  /** The mode of the deployed policy. */
  readonly policyMode: Mode;
  /** Modes that the config gives to single cells. */
  readonly cellModes?: ReadonlyMap<string, Mode> | undefined;
}

/**
 * Pure: the control item after the act. `item` is what is stored, undefined when there is nothing.
 *
 * @throws RefusedError when the act would have no effect, or hide something.
 */
export function changeControl(item: unknown, act: ControlAct, context: ControlContext): ControlChange {
  const before = parseControl(item);
  const { cells, nowMs } = context;
  if (before !== 'unreadable') {
    const current = withoutExpiredCells(before, nowMs);
    return {
      before,
      after: cells === undefined ? after(current, act, context) : ofCells(current, act, context),
    };
  }
  // The meaning of an unreadable item is unknown; only the act whose purpose is to clear it may replace it.
  if (act.kind !== 'resume') {
    throw new RefusedError(
      [{ rule: 'unreadable', reason: 'the control item cannot be understood, and counts as a pause' }],
      'Look at the item, then clear it with: spillway resume --reason "…"',
    );
  }
  return { before, after: without(withoutExpiredCells(legiblePartOf(item), nowMs), act.what, nowMs) };
}

/** Expired overrides of single cells have no effect, and would fill the item up to its limit. */
function withoutExpiredCells({ cells = {}, ...rest }: Control, nowMs: number): Control {
  const kept = Object.entries(cells).flatMap(([cell, overrides]) => {
    const own = Object.entries(overrides).filter(([, override]) => standing(override, nowMs) !== undefined);
    return own.length === 0 ? [] : [[cell, Object.fromEntries(own)] as const];
  });
  return kept.length === 0 ? rest : { ...rest, cells: Object.fromEntries(kept) };
}

/** The same act on the overrides of single cells. One that refuses for one of them refuses for all. */
function ofCells(before: Control, act: ControlAct, context: ControlContext): Control {
  const { cells: chosen = [], policyMode, cellModes } = context;
  const cells: Record<string, CellOverrides> = { ...before.cells };
  for (const cell of chosen) {
    const mode = leastAutonomous(cellModes?.get(cell), before.mode ?? policyMode);
    const { pause, maintenance, approval } = after({ ...before.cells?.[cell] }, act, {
      ...context,
      policyMode: mode,
    });
    const own = {
      ...(pause && { pause }),
      ...(maintenance && { maintenance }),
      ...(approval && { approval }),
    };
    if (Object.keys(own).length === 0) delete cells[cell];
    else cells[cell] = own;
  }
  const count = Object.keys(cells).length;
  if (count > MOST_CELLS_WITH_OVERRIDES) {
    const reason = `${count} cells would have overrides of their own, at most ${MOST_CELLS_WITH_OVERRIDES} may`;
    throw new RefusedError(
      [{ rule: 'too-many-cells', reason }],
      'Leave --cells out: the override then holds for all.',
    );
  }
  const { cells: _, ...rest } = before;
  return count === 0 ? rest : { ...rest, cells };
}

function after(before: Control, act: ControlAct, { nowMs, policyMode }: ControlContext): Control {
  switch (act.kind) {
    case 'pause':
      if (!act.force) refuseToShorten('pause', standing(before.pause, nowMs), act.override);
      return { ...before, pause: act.override };
    case 'maintenance':
      if (!act.force) refuseToShorten('maintenance', standing(before.maintenance, nowMs), act.override);
      return { ...before, maintenance: act.override };
    case 'resume':
      return resumed(before, act.what, nowMs);
    case 'approve': {
      const mode = before.mode ?? policyMode;
      if (mode === 'approve') return { ...before, approval: act.override };
      throw new RefusedError(
        [{ rule: 'mode', reason: `mode is ${mode}, in which an approval changes nothing` }],
        mode === 'observe' ? 'To move traffic now: spillway failover --all --reason "…"' : undefined,
      );
    }
    default:
      return act satisfies never;
  }
}

/** Undefined when it has run out. */
const standing = <One extends Override>(override: One | undefined, nowMs: number): One | undefined =>
  override !== undefined && nowMs < override.untilMs ? override : undefined;

/** Whoever set an override relies on its full length. */
function refuseToShorten(
  kind: 'pause' | 'maintenance',
  before: (Override & { readonly fromMs?: number }) | undefined,
  next: Override & { readonly fromMs?: number },
): void {
  if (before === undefined) return;
  const covered = next.untilMs >= before.untilMs && (next.fromMs ?? 0) <= (before.fromMs ?? 0);
  if (covered) return;
  const times = [...(before.fromMs === undefined ? [] : [before.fromMs]), before.untilMs];
  const when = times.map((ms) => new Date(ms).toISOString()).join(' to ');
  throw new RefusedError(
    [
      {
        rule: 'shortens',
        reason: `the ${kind} of ${before.owner} (${before.reason}; ${before.fromMs === undefined ? 'until ' : ''}${when}) would be cut short`,
      },
    ],
    'Ask the owner; to replace it all the same, repeat with --force.',
  );
}

function resumed(before: Control, what: Resumable, nowMs: number): Control {
  const { cells, ...rest } = without(before, what, nowMs);
  // Those of single cells end with all others, or when they are named.
  const next = what === 'all' || cells === undefined ? rest : { ...rest, cells };
  const endsCells = what === 'all' && cells !== undefined;
  const ends =
    endsCells ||
    (['pause', 'maintenance'] as const).some(
      (kind) => standing(before[kind], nowMs) !== undefined && next[kind] === undefined,
    );
  if (ends) return next;
  throw new RefusedError(
    [{ rule: 'nothing-to-resume', reason: nothing[what] }],
    stillSet(next, nowMs).join(' ') || undefined,
  );
}

/** What the act did not mean, with the flag that ends it. */
function stillSet({ maintenance, cells = {} }: Control, nowMs: number): readonly string[] {
  const left = standing(maintenance, nowMs);
  const held = Object.entries(cells)
    .filter(([, { pause, maintenance: window }]) => pause !== undefined || window !== undefined)
    .map(([cell]) => cell);
  const window =
    left &&
    `A maintenance window of ${left.owner} from ${new Date(left.fromMs).toISOString()} is set: --maintenance ends it.`;
  const single =
    held.length > 0 &&
    `Single cells are paused or in maintenance: ${named(held)}. --cells ${held[0]} ends what is set for that one, --all ends everything.`;
  return [window, single].filter((text) => typeof text === 'string');
}

const nothing: Readonly<Record<Resumable, string>> = {
  active: 'neither a pause nor a maintenance window is in force',
  pause: 'no pause is set',
  maintenance: 'no maintenance window is set',
  all: 'neither a pause nor a maintenance window is set',
};

/** Removes expired overrides as well, because they no longer have an effect. */
function without({ pause, maintenance, ...rest }: Control, what: Resumable, nowMs: number): Control {
  const keepsPause = what === 'maintenance';
  const keepsMaintenance =
    what === 'pause' || (what === 'active' && maintenance !== undefined && nowMs < maintenance.fromMs);
  const [keptPause, keptWindow] = [standing(pause, nowMs), standing(maintenance, nowMs)];
  return {
    ...rest,
    ...(keepsPause && keptPause !== undefined ? { pause: keptPause } : {}),
    ...(keepsMaintenance && keptWindow !== undefined ? { maintenance: keptWindow } : {}),
  };
}

/** Each part that can be understood by itself. */
function legiblePartOf(item: unknown): Control {
  if (typeof item !== 'object' || item === null) return {};
  const stored = item as Readonly<Record<string, unknown>>;
  const parts = (['mode', 'pause', 'maintenance', 'approval', 'cells'] as const).map((part) => {
    const read = parseControl(stored[part] === undefined ? {} : { [part]: stored[part] });
    return read === 'unreadable' ? {} : read;
  });
  return Object.assign({}, ...parts) as Control;
}
