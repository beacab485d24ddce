import type { CellBeacons } from './beacons.ts';
import type { Policy } from './policy.ts';
import {
  addStreamRound,
  isUneasy,
  noStream,
  type SpeakingContext,
  STREAM_LIFE_MS,
  type StreamEvidence,
  type StreamLevel,
  type StreamOutcomes,
  speaksForPrimary,
  streamLevel,
} from './stream-evidence.ts';
import type { Position } from './switch.ts';
import { sampleOf, type WatchedCell } from './watched-cells.ts';

/** A switch as an observer reads it. */
export interface GroupSwitch {
  readonly group: string;
  readonly position: Position;
  /** When the switch was last set; absent: never, or not known. */
  readonly setAtMs?: number | undefined;
}

/** What a round brought in about the cells' own streams. */
export interface StreamReadings {
  readonly cells: readonly WatchedCell[];
  readonly probed: readonly StreamOutcomes[];
  /** The last of these cells that had its turn without being suspected (`lastTurnOf`). */
  readonly lastTurn?: string | undefined;
  /** What the producers report. A cell without an entry: nothing is known. */
  readonly beacons: readonly CellBeacons[];
  /** Undefined when the switches cannot be read. */
  readonly switches: readonly GroupSwitch[] | undefined;
}

/** How the streams that stand for the region are, together. */
export interface StreamsSeen {
  /** All cells, or as many as the sample of those that may be probed stands for. */
  readonly watched: number;
  /** Those that speak for the primary, and those that are known to fail. */
  readonly well: number;
  readonly impaired: number;
  readonly suspect: number;
}

export const noStreamsSeen: StreamsSeen = { watched: 0, well: 0, impaired: 0, suspect: 0 };

export interface StreamsEvidence {
  readonly cells: Readonly<Record<string, StreamEvidence>>;
  readonly lastTurn?: string | undefined;
  readonly seen: StreamsSeen;
  /** When `seen` was seen. */
  readonly atMs: number;
}

/** Streams that are remembered, at most: those that were probed within a minute, and those that are accused. */
export const MOST_STREAMS = 100;

export interface StreamsRound {
  readonly readings: StreamReadings;
  readonly atMs: number;
  /** Since when the canary of the primary has failed without a break; undefined: it does not. */
  readonly canaryFailsSinceMs?: number | undefined;
}

/** Adds a round. What is remembered of a cell ends a minute after it was last probed. */
export function addStreams(
  before: StreamsEvidence | undefined,
  { readings, atMs, canaryFailsSinceMs }: StreamsRound,
  policy: Policy,
): StreamsEvidence | undefined {
  if (before === undefined && readings.probed.length === 0) return undefined;
  const names = namesOf(readings.cells);
  const cells: Record<string, StreamEvidence> = {};
  const known = before?.cells ?? {};
  for (const cell of Object.keys(known)) {
    const evidence = known[cell];
    if (evidence !== undefined && names.has(cell) && Math.abs(atMs - evidence.atMs) <= STREAM_LIFE_MS)
      cells[cell] = evidence;
  }
  for (const outcomes of readings.probed) {
    const { cell } = outcomes;
    if (!names.has(cell)) continue;
    cells[cell] = addStreamRound(cells[cell] ?? noStream, { outcomes, atMs }, policy);
  }
  const kept = leastNeededDropped(withSwitches(cells, readings));
  if (Object.keys(kept).length === 0) return undefined;
  const lastTurn = readings.lastTurn ?? before?.lastTurn;
  return {
    cells: kept,
    ...(lastTurn === undefined ? {} : { lastTurn }),
    seen: seenIn(kept, { cells: readings.cells, policy, nowMs: atMs, canaryFailsSinceMs }),
    atMs,
  };
}

/** Notes which cells have moved: nothing is left to be found out of them in a hurry. */
function withSwitches(
  cells: Record<string, StreamEvidence>,
  { cells: watched, switches }: StreamReadings,
): Record<string, StreamEvidence> {
  // Switches that were never set have no item: in health there is nothing to look for.
  if (switches === undefined || switches.length === 0) return cells;
  const held = new Set(switches.flatMap(({ group, position }) => (position === 'STANDBY' ? [group] : [])));
  for (const { cell, group } of watched) {
    const evidence = cells[cell];
    if (evidence === undefined || (evidence.isHeld ?? false) === held.has(group)) continue;
    cells[cell] = { ...evidence, isHeld: held.has(group) };
  }
  return cells;
}

const nameSets = new WeakMap<readonly WatchedCell[], ReadonlySet<string>>();
/** The same cells in every round of an observer. */
function namesOf(cells: readonly WatchedCell[]): ReadonlySet<string> {
  const known = nameSets.get(cells);
  if (known !== undefined) return known;
  const names = new Set(cells.map(({ cell }) => cell));
  nameSets.set(cells, names);
  return names;
}

function leastNeededDropped(
  cells: Readonly<Record<string, StreamEvidence>>,
): Readonly<Record<string, StreamEvidence>> {
  if (Object.keys(cells).length <= MOST_STREAMS) return cells;
  const entries = Object.entries(cells);
  const need = (evidence: StreamEvidence): number => (isUneasy(evidence) ? 1 : 0);
  return Object.fromEntries(
    entries.toSorted(([, a], [, b]) => need(b) - need(a) || b.atMs - a.atMs).slice(0, MOST_STREAMS),
  );
}

function seenIn(
  known: Readonly<Record<string, StreamEvidence>>,
  context: SpeakingContext & { readonly cells: readonly WatchedCell[] },
): StreamsSeen {
  const sample = sampleOf(context.cells);
  const levels = { impaired: 0, suspect: 0, well: 0, refused: 0, unknown: 0 } satisfies Record<
    StreamLevel,
    number
  >;
  for (const { cell } of sample) {
    const evidence = known[cell];
    if (evidence !== undefined && speaksForPrimary(evidence, context)) {
      levels.well++;
      continue;
    }
    levels[evidence === undefined ? 'unknown' : streamLevel(evidence, context.policy, context.nowMs)]++;
  }
  const { well, impaired, suspect } = levels;
  // Cells that may not be probed are cells all the same: a few that may, and fail, are not half of them.
  let probed = 0;
  for (const { probe } of context.cells) if (probe !== 'never') probed++;
  const watched = probed === 0 ? 0 : Math.round((sample.length * context.cells.length) / probed);
  return { watched, well, impaired, suspect };
}

/** What was last seen of the streams, as long as it holds. */
export const streamsSeen = (streams: StreamsEvidence | undefined, nowMs: number): StreamsSeen =>
  streams === undefined || Math.abs(nowMs - streams.atMs) > STREAM_LIFE_MS ? noStreamsSeen : streams.seen;

/** Whether enough streams fail for the region to be left: half of them, and more than one. */
export const regionsStreamsFail = ({ watched, impaired }: StreamsSeen): boolean =>
  impaired >= 2 && 2 * impaired >= watched;

/**
 * Whether workloads demonstrably write to the primary: at least as many of their streams are known to be well as to fail. A
 * stream that fails beside them moves alone.
 */
export const streamsTakeRecords = (seen: StreamsSeen): boolean =>
  seen.well > 0 && seen.well >= seen.impaired + seen.suspect && !regionsStreamsFail(seen);
