import type { Policy } from '../../lambda/core/policy.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { afterQuietRounds, WINDOW_ROUNDS } from '../../lambda/core/put-window.ts';
import type { StreamEvidence } from '../../lambda/core/stream-evidence.ts';
import { QUIET_PUTS, STREAMS_PER_ROUND } from '../../lambda/core/stream-plan.ts';
import { addStreams, type StreamsEvidence } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { BaselineFailures } from './baseline.ts';
import { SLOTS_PER_STREAM } from './stream-probing.ts';

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
 * Whether what is known of the streams only grows older while nothing fails: nothing fails now, those that are always
 * probed were probed in the last round, and what is known of others, from a suspicion that has passed, is forgotten in
 * time. More streams that are always probed than fit into a round take turns: such an observer never rests.
 */
export function streamsAreIdle(
  streams: StreamsEvidence | undefined,
  { cells, lastRoundAtMs }: { readonly cells: readonly WatchedCell[]; readonly lastRoundAtMs: number | null },
): boolean {
  const names = alwaysProbed(cells);
  if (streams === undefined) return names.length === 0;
  if (names.length > STREAMS_PER_ROUND) return false;
  return (
    names.every((name) => streams.cells[name]?.atMs === lastRoundAtMs) &&
    Object.values(streams.cells).every(isWell)
  );
}

const isWell = ({ test, doubtful }: StreamEvidence): boolean =>
  (test === undefined || (test.score === 0 && !test.alarmed)) && Object.keys(doubtful).length === 0;

/**
 * Idle streams after rounds in which every record was taken: all but the last are worked out, and the last is the
 * core's own, which forgets what is old.
 */
export function quietStreams(
  streams: StreamsEvidence,
  {
    rounds,
    lastAtMs,
    cells,
  }: { readonly rounds: number; readonly lastAtMs: number; readonly cells: readonly WatchedCell[] },
  policy: Policy,
): StreamsEvidence | undefined {
  const names = alwaysProbed(cells);
  if (areSteady(streams, names)) return olderBy(streams, { lastAtMs, rounds });
  const beforeMs = lastAtMs - policy.tickMs;
  const older = { ...streams.cells };
  for (const name of names) {
    const evidence = streams.cells[name];
    if (evidence !== undefined && rounds > 1)
      older[name] = aged(evidence, { rounds: rounds - 1, atMs: beforeMs });
  }
  const before =
    rounds > 1 ? { ...streams, cells: older, atMs: names.length > 0 ? beforeMs : streams.atMs } : streams;
  const probed = names.map((cell) => ({ cell, primary: quietPuts, standby: [] }));
  const readings = { cells, probed, beacons: [], switches: [] };
  return addStreams(before, { readings, atMs: lastAtMs }, policy);
}

const steadyWindow = afterQuietRounds('', WINDOW_ROUNDS, QUIET_PUTS);

/** Nothing is known but that the streams which are always probed take all records: only the times change. */
const areSteady = ({ cells, seen }: StreamsEvidence, names: readonly string[]): boolean =>
  Object.keys(cells).length === names.length &&
  seen.suspect === 0 &&
  seen.impaired === 0 &&
  seen.well === names.length &&
  names.every((name) => cells[name]?.primary?.window === steadyWindow);

function olderBy(
  streams: StreamsEvidence,
  { lastAtMs, rounds }: { readonly lastAtMs: number; readonly rounds: number },
): StreamsEvidence {
  const cells: Record<string, StreamEvidence> = {};
  for (const [cell, evidence] of Object.entries(streams.cells))
    cells[cell] = { ...aged(evidence, { rounds, atMs: lastAtMs }), wellAtMs: lastAtMs };
  return { ...streams, cells, atMs: lastAtMs };
}

const taken: ProbeOutcome = { ok: true, latencyMs: 0 };
const quietPuts: readonly ProbeOutcome[] = Array(QUIET_PUTS).fill(taken);

function aged(
  evidence: StreamEvidence,
  { rounds, atMs }: { readonly rounds: number; readonly atMs: number },
): StreamEvidence {
  const { primary } = evidence;
  return {
    ...evidence,
    atMs,
    primary: primary && {
      window:
        primary.window === steadyWindow ? steadyWindow : afterQuietRounds(primary.window, rounds, QUIET_PUTS),
      atMs,
    },
  };
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
