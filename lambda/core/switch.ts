import { z } from 'zod';
import type { Latch } from './lifecycle.ts';

/** Keys of a switch in the state table: one partition, so that one query reads them all. */
export const switchKey = (group: string) => ({ pk: 'switch', sk: group });
export const SWITCH_PARTITION = 'switch';

/** The positions of a switch. In PRIMARY, cells stay in the primary only as long as the quorum agrees. */
export const positions = ['PRIMARY', 'STANDBY'] as const;
export type Position = (typeof positions)[number];

const switchSchema = z.object({ position: z.enum(positions) });

/**
 * The position of a stored switch. One that was never set, or is damaged, is in PRIMARY: the quorum alone
 * then decides.
 */
export function switchPosition(item: unknown): Position {
  const parsed = switchSchema.safeParse(item);
  return parsed.success ? parsed.data.position : 'PRIMARY';
}

/** Longest wait for a read of the switches. A checker waits 2 s for the status. */
export const READ_TIMEOUT_MS = 1_000;
/**
 * Longest wait for an answer when an earlier position is known: a healthy table answers in a tenth of this.
 */
export const POSITION_WAIT_MS = 250;
/** Least time between the starts of two reads by one instance. */
export const READ_RETRY_MS = 1_000;
const REFRESH_PER_GROUP_MS = 5;
const MAX_REFRESH_MS = 5_000;

/**
 * How long a read position may be repeated. All switches are in one partition of the table, which serves
 * 3,000 read units a second, and each instance reads all of them: with many groups, reads have to be rarer.
 */
export const refreshEveryMs = (groups: number): number =>
  Math.min(MAX_REFRESH_MS, Math.max(READ_RETRY_MS, groups * REFRESH_PER_GROUP_MS));

/** A position as it was last read. `readAtMs` is from any clock that does not step. */
export interface RememberedPosition {
  readonly position: 'PRIMARY' | 'STANDBY';
  readonly readAtMs: number;
}

/** How long the endpoint repeats the last position while the table does not answer. */
export const POSITION_REMEMBERED_MS = 5 * 60_000;

/**
 * The endpoint's answer while it cannot read: for some minutes the last position, so that a short failure of
 * the table does not drop a latch; then PRIMARY, so that a dead standby does not hold traffic.
 */
export function positionUnread(last: RememberedPosition | undefined, nowMs: number): Position {
  if (last === undefined) return 'PRIMARY';
  const ageMs = nowMs - last.readAtMs;
  return ageMs >= 0 && ageMs <= POSITION_REMEMBERED_MS ? last.position : 'PRIMARY';
}

/** Whether the switches hold traffic in the standby. Switches that were never set have no item. */
export function latchOf(items: readonly unknown[] | 'unreadable', groups: number): Latch {
  if (items === 'unreadable') return 'unknown';
  const latched = items.filter((item) => switchPosition(item) === 'STANDBY').length;
  if (latched === 0 || groups === 0) return 'open';
  return latched >= groups ? 'latched' : 'partial';
}
