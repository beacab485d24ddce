import type { StrandedCell } from './document.ts';

/** From this arrival on, and before that one. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Arrival times are approximate and may go back a little. */
const GRACE_MS = 5_000;

/**
 * The window that holds all that is stranded of a cell, as it was counted; or why none can be given. Undefined: nothing
 * is stranded.
 */
export function windowOf(
  cell: StrandedCell,
  atMs: number,
): Window | { readonly problem: string } | undefined {
  const { shards, complete, oldestMs, newestMs } = cell;
  const unread = shards.filter((shard) => !shard.complete && shard.cut === undefined);
  if (unread.length > 0 || (!complete && shards.length === 0))
    return { problem: 'not all of its shards could be read: ask again when the region has recovered' };
  // A shard that was cut for its size was read from its oldest record on.
  if (shards.some(({ cut }) => cut === 'time'))
    return { problem: 'counting took longer than it was given: give it more time with --within' };
  if (oldestMs === null || newestMs === null) return undefined;
  if (oldestMs >= atMs)
    return { problem: 'its records arrive in the future, by the clock of this machine: set the clock' };
  // What comes after the newest is looked for once more when this has been copied.
  return complete
    ? { fromMs: oldestMs, toMs: Math.min(newestMs + 1, atMs) }
    : { fromMs: oldestMs - GRACE_MS, toMs: atMs };
}

/** What is left of a window after others were done, oldest first. */
export function without(window: Window, done: readonly Window[]): readonly Window[] {
  let left: readonly Window[] = [window];
  for (const one of done) {
    left = left.flatMap((part) => [
      { fromMs: part.fromMs, toMs: Math.min(part.toMs, one.fromMs) },
      { fromMs: Math.max(part.fromMs, one.toMs), toMs: part.toMs },
    ]);
    left = left.filter(({ fromMs, toMs }) => fromMs < toMs);
  }
  return left;
}
