import type { EndpointId } from './endpoint-items.ts';
import type { EndpointValue } from './endpoint-text.ts';
import type { Position } from './switch.ts';
import { liveVote } from './vote.ts';

/** A value as it is stored. `changedAtMs`: since when, where the item says so. */
export interface StoredValue {
  readonly value: EndpointValue;
  readonly changedAtMs?: number;
}

/** What the tables hold. */
export interface StoredPositions {
  /** The items of the observers, by region. Absent: unread, or no observer has decided yet. */
  readonly votes: ReadonlyMap<string, unknown>;
  /** By group; a switch that was never set has none. Undefined: the switches could not be read. */
  readonly switches: ReadonlyMap<string, StoredSwitchPosition> | undefined;
}

export interface StoredSwitchPosition {
  readonly position: Position;
  readonly atMs?: number;
}

/** What an endpoint should say now. Undefined: that is not known. */
export function storedValueOf(
  { kind, of }: EndpointId,
  { votes, switches }: StoredPositions,
  nowMs: number,
): StoredValue | undefined {
  switch (kind) {
    case 'vote':
      return votes.has(of) ? storedVote(votes.get(of), nowMs) : undefined;
    case 'switch':
      return switches === undefined ? undefined : storedSwitch(switches.get(of));
    default:
      return kind satisfies never;
  }
}

function storedVote(item: unknown, nowMs: number): StoredValue {
  const sinceMs =
    typeof item === 'object' && item !== null && 'voteSinceMs' in item ? item.voteSinceMs : null;
  return { value: liveVote(item, nowMs), ...(typeof sinceMs === 'number' ? { changedAtMs: sinceMs } : {}) };
}

function storedSwitch(stored: StoredSwitchPosition | undefined): StoredValue {
  if (stored === undefined) return { value: 'PRIMARY' };
  const { position, atMs } = stored;
  return { value: position, ...(atMs === undefined ? {} : { changedAtMs: atMs }) };
}
