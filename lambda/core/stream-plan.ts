import type { BeaconSight, CellBeacons } from './beacons.ts';
import type { Policy } from './policy.ts';
import { isUneasy, noStream, STREAM_LIFE_MS, type StreamEvidence } from './stream-evidence.ts';
import type { StreamsEvidence } from './streams.ts';
import { sampleOf, type WatchedCell } from './watched-cells.ts';

/** The marked records that a round puts into the two streams of a cell. */
export interface StreamProbe {
  readonly cell: string;
  /** Puts to the stream of the primary in any case, and further ones if one of them fails. */
  readonly firstPuts: number;
  readonly morePuts: number;
  readonly standbyPuts: number;
}

/** Cells whose streams one round probes, at most: a thousand cells cost an observer no more than six. */
export const STREAMS_PER_ROUND = 6;
/** Of these, how many are kept for cells of which nothing is suspected, so that nobody waits for ever. */
const FAIR_TURNS = 2;
/** Puts to the stream of a cell that has its turn, while none of them fails. */
export const QUIET_PUTS = 2;
/** To one stream of the primary, in one round, at most. */
export const PUTS_PER_STREAM = 6;
const STANDBY_PUTS = 2;
/** An alarm is looked at again in every third round or so: it holds for a minute. */
const ALARM_ROUNDS = 3;

export interface PlanInput {
  readonly cells: readonly WatchedCell[];
  readonly beacons: readonly CellBeacons[];
  /** The canary of the primary fails, or is about to. */
  readonly canaryFails: boolean;
  readonly nowMs: number;
}

interface Candidate {
  readonly cell: WatchedCell;
  readonly evidence: StreamEvidence;
  readonly rank: number;
}

/** Which streams the next round probes: those that are being tested, then suspects, then the others in turn. */
export function streamsDue(
  streams: StreamsEvidence | undefined,
  input: PlanInput,
  policy: Policy,
): readonly StreamProbe[] {
  const { cells, beacons, nowMs } = input;
  const known = streams?.cells ?? {};
  const troubled = new Map(beacons.map(({ cell, sight }) => [cell, sight]));
  const anyUneasy = input.canaryFails || Object.values(known).some(isUneasy);
  const sample = anyUneasy ? new Set(sampleOf(cells)) : undefined;
  const suspects: Candidate[] = [];
  const others: WatchedCell[] = [];
  for (const cell of cells) {
    if (cell.probe === 'never') continue;
    const evidence = known[cell.cell] ?? noStream;
    const rank = rankOf({
      evidence,
      sight: troubled.get(cell.cell),
      sampled: sample?.has(cell) === true,
      nowMs,
      policy,
    });
    if (rank !== undefined) suspects.push({ cell, evidence, rank });
    else if (cell.probe === 'always') others.push(cell);
  }
  suspects.sort((a, b) => a.rank - b.rank || a.evidence.atMs - b.evidence.atMs);
  const free = STREAMS_PER_ROUND - Math.min(suspects.length, STREAMS_PER_ROUND - FAIR_TURNS);
  const turns = inTurn(others, streams?.lastTurn).slice(0, free);
  return [
    ...suspects.slice(0, STREAMS_PER_ROUND - turns.length).map(({ cell: { cell } }) => suspecting(cell)),
    ...turns.map(({ cell }) => ({
      cell,
      firstPuts: QUIET_PUTS,
      morePuts: PUTS_PER_STREAM - QUIET_PUTS,
      standbyPuts: 0,
    })),
  ];
}

const suspecting = (cell: string): StreamProbe => ({
  cell,
  firstPuts: PUTS_PER_STREAM,
  morePuts: 0,
  standbyPuts: STANDBY_PUTS,
});

/** Lower first. Undefined: nothing is suspected. */
function rankOf(candidate: {
  readonly evidence: StreamEvidence;
  readonly sight: BeaconSight | undefined;
  readonly sampled: boolean;
  readonly nowMs: number;
  readonly policy: Policy;
}): number | undefined {
  const { evidence, sight, sampled, nowMs, policy } = candidate;
  const ageMs = Math.abs(nowMs - evidence.atMs);
  if (isUneasy(evidence) && ageMs <= STREAM_LIFE_MS) {
    if (!evidence.test?.alarmed) return 0;
    return ageMs >= (ALARM_ROUNDS - CADENCE) * policy.tickMs ? 1 : 4;
  }
  if (sight === 'failing') return 2;
  if (sight === 'suspicious' || sampled) return 3;
  return undefined;
}
const CADENCE = 0.5;

/** The cells after the one whose turn was last, in the order of the config, round and round. */
function inTurn(cells: readonly WatchedCell[], last: string | undefined): readonly WatchedCell[] {
  const from = cells.findIndex(({ cell }) => cell === last) + 1;
  return [...cells.slice(from), ...cells.slice(0, from)];
}

/** The last cell of a round that had its turn without being suspected. */
export const lastTurnOf = (probes: readonly StreamProbe[]): string | undefined =>
  probes.findLast(({ standbyPuts }) => standbyPuts === 0)?.cell;
