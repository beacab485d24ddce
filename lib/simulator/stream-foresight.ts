import type { Policy } from '../../lambda/core/policy.ts';
import { addStreams, type StreamsEvidence } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { BaselineFailures } from './baseline.ts';
import { nextStreamFailure, quietStreams, streamsAreIdle } from './idle-streams.ts';
import type { StreamProbeReport } from './stream-probing.ts';

/** A round of rest in which a record for a cell's stream fails for no reason, and which leaves the streams at rest. */
export interface StreamFailure {
  /** Rounds of the rest before this one. */
  readonly after: number;
  /** When the round begins, by the observer's clock. */
  readonly startedAtMs: number;
  readonly report: StreamProbeReport;
  /** What is known of the streams after it. */
  readonly streams: StreamsEvidence;
}

export interface ForesightQuestion {
  readonly streams: StreamsEvidence | undefined;
  readonly cells: readonly WatchedCell[];
  readonly policy: Policy;
  readonly baseline: BaselineFailures;
  /** Number of the first round of the rest, and when it begins by the observer's clock. */
  readonly nextRound: number;
  readonly firstAtMs: number;
  /** What this round of the rest puts into the streams. */
  readonly probe: (after: number) => StreamProbeReport;
  /** Whether this round has ended before the next one, and before a run that takes over, even if it waits for a time-out. */
  readonly endsInTime: (after: number) => boolean;
}

export interface Foreseen {
  readonly rounds: number;
  readonly failures: readonly StreamFailure[];
}

/** Of one rest. Each is worked out when the rest begins, although an event may end the rest before. */
const MOST_FORESEEN = 50;

/**
 * How many of so many rounds of rest leave the streams at rest. A lone failure does, as a rule: the further puts of its
 * round take the test back to zero, and the stream is as well as before. Whether it does is left to the core itself, which
 * adds each such round; the rounds between them are worked out.
 */
export function foreseeStreams(question: ForesightQuestion, limit: number): Foreseen {
  const { cells, baseline, nextRound } = question;
  const failures: StreamFailure[] = [];
  for (;;) {
    const from = (failures.at(-1)?.after ?? -1) + 1;
    const after = nextStreamFailure({ cells, baseline, from: nextRound + from }) - nextRound;
    if (after >= limit) return { rounds: limit, failures };
    const failure = failures.length < MOST_FORESEEN ? failureAt(after, failures.at(-1), question) : undefined;
    if (failure === undefined) return { rounds: after, failures };
    failures.push(failure);
  }
}

/** Undefined: the round has to be computed. */
function failureAt(
  after: number,
  last: StreamFailure | undefined,
  question: ForesightQuestion,
): StreamFailure | undefined {
  const { cells, policy, firstAtMs, probe, endsInTime } = question;
  if (!endsInTime(after)) return undefined;
  const startedAtMs = firstAtMs + after * policy.tickMs;
  const report = probe(after);
  const before = streamsBefore({ after, last, startedAtMs, question });
  const readings = { cells, probed: report.probed, beacons: [], switches: [] };
  const streams = addStreams(before, { readings, atMs: startedAtMs }, policy);
  if (streams === undefined || !streamsAreIdle(streams, { cells, lastRoundAtMs: startedAtMs }))
    return undefined;
  // A stream that is less than well would be spoken of.
  const allWell = report.probed.every(({ cell }) => streams.cells[cell]?.wellAtMs === startedAtMs);
  return allWell ? { after, startedAtMs, report, streams } : undefined;
}

function streamsBefore(at: {
  readonly after: number;
  readonly last: StreamFailure | undefined;
  readonly startedAtMs: number;
  readonly question: Pick<ForesightQuestion, 'streams' | 'cells' | 'policy'>;
}): StreamsEvidence | undefined {
  const { after, last, startedAtMs, question } = at;
  const { cells, policy } = question;
  const known = last?.streams ?? question.streams;
  const rounds = after - ((last?.after ?? -1) + 1);
  if (known === undefined || rounds === 0) return known;
  return quietStreams(known, { rounds, lastAtMs: startedAtMs - policy.tickMs, cells }, policy);
}
