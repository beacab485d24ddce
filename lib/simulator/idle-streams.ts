import { afterQuietRounds, WINDOW_ROUNDS } from '../../lambda/core/put-window.ts';
import type { StreamEvidence } from '../../lambda/core/stream-evidence.ts';
import { STREAMS_PER_ROUND } from '../../lambda/core/stream-plan.ts';
import type { StreamsEvidence } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { BaselineFailures } from './baseline.ts';
import { SLOTS_PER_STREAM } from './stream-probing.ts';

/** As in lambda/core/stream-plan.ts: puts to a stream of which nothing is suspected. */
const QUIET_PUTS = 2;
const steadyWindow = afterQuietRounds('', WINDOW_ROUNDS, QUIET_PUTS);

const always = new WeakMap<readonly WatchedCell[], readonly string[]>();
/** Cells whose streams are probed in every round, whatever happens. */
function alwaysProbed(cells: readonly WatchedCell[]): readonly string[] {
  const known = always.get(cells);
  if (known !== undefined) return known;
  const names = cells.filter(({ probe }) => probe === 'always').map(({ cell }) => cell);
  always.set(cells, names);
  return names;
}

/**
 * Whether what is known of the streams only grows older while nothing fails. Nothing is known of a stream that is probed
 * on suspicion, and those that are always probed have worked for as long as anybody remembers. More of these than a round
 * probes take turns: such an observer never rests.
 */
export function streamsAreIdle(
  streams: StreamsEvidence | undefined,
  { cells, lastRoundAtMs }: { readonly cells: readonly WatchedCell[]; readonly lastRoundAtMs: number | null },
): boolean {
  const names = alwaysProbed(cells);
  if (streams === undefined || names.length === 0) return streams === undefined && names.length === 0;
  if (names.length > STREAMS_PER_ROUND || streams.atMs !== lastRoundAtMs) return false;
  const known = Object.keys(streams.cells);
  return (
    known.length === names.length &&
    streams.seen.well === streams.seen.watched &&
    names.every((name) => isSteady(streams.cells[name], lastRoundAtMs))
  );
}

const isSteady = (evidence: StreamEvidence | undefined, atMs: number): boolean =>
  evidence?.primary !== undefined &&
  evidence.primary.window === steadyWindow &&
  evidence.atMs === atMs &&
  evidence.test?.score === 0 &&
  !evidence.test.alarmed &&
  Object.keys(evidence.doubtful).length === 0;

/** Idle streams after rounds in which every record was taken; the last began at this time. */
export function quietStreams(streams: StreamsEvidence, lastAtMs: number): StreamsEvidence {
  const cells = Object.entries(streams.cells).map(([cell, evidence]): [string, StreamEvidence] => {
    const { primary, test } = evidence;
    return [
      cell,
      {
        ...evidence,
        atMs: lastAtMs,
        primary: primary && { ...primary, atMs: lastAtMs },
        test: test && { ...test, okAtMs: lastAtMs, sampledAtMs: lastAtMs },
      },
    ];
  });
  return { ...streams, cells: Object.fromEntries(cells), atMs: lastAtMs };
}

/** The next round in which a record for an idle stream fails for no reason; infinite if none ever does. */
export function nextStreamFailure(question: {
  readonly cells: readonly WatchedCell[];
  readonly baseline: BaselineFailures;
  /** From this round on. */
  readonly from: number;
}): number {
  const { cells, baseline, from } = question;
  const probed = alwaysProbed(cells).length;
  if (probed === 0) return Number.POSITIVE_INFINITY;
  for (let n = 0; ; n++) {
    const position = baseline.peek(n);
    if (position === Number.POSITIVE_INFINITY) return position;
    const round = Math.floor(position / baseline.slots);
    const slot = position % baseline.slots;
    const isMade = slot < probed * SLOTS_PER_STREAM && slot % SLOTS_PER_STREAM < QUIET_PUTS;
    if (round >= from && isMade) return round;
  }
}
