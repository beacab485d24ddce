import { z } from 'zod';
import type { Latch } from './lifecycle.ts';
import { standbyMarker } from './names.ts';

/** Keys of a switch in the state table: one partition, so that one query reads them all. */
export const switchKey = (group: string) => ({ pk: 'switch', sk: group });
export const SWITCH_PARTITION = 'switch';

/** The durable position of one group of cells. */
const switchSchema = z.object({ position: z.enum(['PRIMARY', 'STANDBY']) });

/**
 * What the switch endpoint says. A switch that was never set, and one that cannot be read, is in PRIMARY: then the
 * quorum alone decides. A dead or damaged standby must not hold traffic.
 */
export function switchPosition(item: unknown): 'PRIMARY' | 'STANDBY' {
  const parsed = switchSchema.safeParse(item);
  return parsed.success ? parsed.data.position : 'PRIMARY';
}

export const switchText = (position: 'PRIMARY' | 'STANDBY'): string =>
  position === 'STANDBY' ? standbyMarker : 'switch=PRIMARY';

/** Whether the switches hold traffic in the standby. Switches that were never set have no item. */
export function latchOf(items: readonly unknown[] | 'unreadable', groups: number): Latch {
  if (items === 'unreadable') return 'unknown';
  const latched = items.filter((item) => switchPosition(item) === 'STANDBY').length;
  if (latched === 0 || groups === 0) return 'open';
  return latched >= groups ? 'latched' : 'partial';
}
