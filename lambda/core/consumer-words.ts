import type { StoredRecords } from './consumer-facts.ts';

// How findings put times and amounts.

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** From here on in the larger unit: `119 min`, then `2 h`. */
const TWICE = 2;

export function spanText(ms: number): string {
  if (ms < TWICE * MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < TWICE * HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  const hours = Math.round(ms / HOUR_MS);
  return hours < TWICE * DAY_HOURS ? `${hours} h` : `${Math.round(hours / DAY_HOURS)} days`;
}

/** `3,214 records, the oldest 26 h old` */
export function storedText({ records, complete, oldestAtMs }: StoredRecords, nowMs: number): string {
  const count = `${complete ? '' : 'at least '}${records.toLocaleString('en')} record${records === 1 ? '' : 's'}`;
  return oldestAtMs === undefined ? count : `${count}, the oldest ${spanText(nowMs - oldestAtMs)} old`;
}
