import type { Ages } from '../consumers/iterator-age.ts';

const MINUTE_MS = 60_000;
/**
 * A batch may wait five minutes for more records (`MaximumBatchingWindowInSeconds`), and only the age of its last record is
 * known: the minutes before the last one count as well.
 */
const LOOK_BACK_MINUTES = 5;

/**
 * What the consumer was given, at least: everything that arrived before this time. In a minute, the slowest shard had come to
 * the beginning of the minute less its highest age. Undefined without any age.
 *
 * A shard whose records were handed over in none of the last minutes with data may be behind this: see `isGapless`.
 */
export function readUntil({ minutes, latest }: Ages): number | undefined {
  if (latest === null) return undefined;
  const sinceMs = latest.atMs - LOOK_BACK_MINUTES * MINUTE_MS;
  const reached = minutes.filter(({ atMs }) => atMs >= sinceMs).map(({ atMs, maxMs }) => atMs - maxMs);
  return Math.floor(Math.min(...reached));
}

/**
 * Whether records were handed over in each of the minutes that count: then nothing of a single shard is behind `readUntil`. Of
 * several shards, one may have stopped earlier while another went on, and the age is of both.
 */
export function isGapless({ minutes, latest }: Ages): boolean {
  if (latest === null) return false;
  const seen = new Set(minutes.map(({ atMs }) => atMs));
  return Array.from({ length: LOOK_BACK_MINUTES + 1 }, (_, n) => latest.atMs - n * MINUTE_MS).every((atMs) =>
    seen.has(atMs),
  );
}

/** The last minute in which everybody who polled the stream was at its tip; undefined when nobody was, or is known to be. */
export function lastAtTip({ minutes }: Ages): number | undefined {
  return minutes.findLast(({ maxMs }) => maxMs === 0)?.atMs;
}
