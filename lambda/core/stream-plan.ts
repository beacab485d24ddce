import type { BeaconSight, CellBeacons } from './beacons.ts';
import type { Policy } from './policy.ts';
import {
  isAlarmed,
  isUneasy,
  nearness,
  noStream,
  STREAM_LIFE_MS,
  type StreamEvidence,
  streamLevel,
} from './stream-evidence.ts';
import type { GroupSwitch, StreamsEvidence } from './streams.ts';
import { sampleOf, type WatchedCell } from './watched-cells.ts';

/** The marked records that a round puts into the two streams of a cell. */
export interface StreamProbe {
  readonly cell: string;
  /** Puts to the stream of the primary in any case, and further ones if one of them fails. */
  readonly firstPuts: number;
  readonly morePuts: number;
  readonly standbyPuts: number;
  readonly why: ProbeReason;
}

/**
 * `suspected`: something fails there. `sampled`: the canary fails, or other streams do, and this one is asked whether it is
 * well. `turn`: nothing is suspected.
 */
export type ProbeReason = 'suspected' | 'sampled' | 'turn';

/** Cells whose streams one round probes, at most: a thousand cells cost an observer no more than six. */
export const STREAMS_PER_ROUND = 6;
/** Of these, how many are kept for cells of which nothing is suspected, so that nobody waits for ever. */
const FAIR_TURNS = 1;
/** Puts to the stream of a cell that has its turn, while none of them fails. */
export const QUIET_PUTS = 2;
/** To one stream of the primary, in one round, at most. */
export const PUTS_PER_STREAM = 6;
const STANDBY_PUTS = 2;
/**
 * Streams that are asked in a round whether they are well, and puts to each: few, because all of them are new connections
 * for a function with a seventh of a processor, in the very round in which the canary is looked at harder.
 */
const SAMPLED_STREAMS = 4;
const SAMPLED_PUTS = 4;
/** An alarm has to be looked at again after so many rounds: it holds for a minute. Where there is room, it is earlier. */
const ALARM_ROUNDS = 8;

export interface PlanInput {
  readonly cells: readonly WatchedCell[];
  readonly beacons: readonly CellBeacons[];
  /** The switches as they were last read. Undefined: not known. */
  readonly switches?: readonly GroupSwitch[] | undefined;
  /** The canary of the primary fails, or is about to. */
  readonly canaryFails: boolean;
  readonly nowMs: number;
}

interface Candidate {
  readonly cell: WatchedCell;
  readonly evidence: StreamEvidence;
  readonly rank: Rank;
}

/** In this order streams get their probes. */
const ranks = {
  tested: 0,
  alarmed: 1,
  reported: 2,
  suspicious: 3,
  alarmedLately: 4,
  /** Asked whether they are well. Those that have begun to answer come first, or none would ever have answered. */
  answering: 5,
  unknown: 6,
  /** Where more fail than can be looked at, the sample comes first: it tells whether this is the region. */
  testedOutside: 7,
  /** Has not been asked for a while. */
  well: 8,
  reportedOutside: 9,
  alarmedOutside: 10,
  wellLately: 11,
  /** Has moved: how its stream is matters for the way back. */
  held: 12,
  crowdedOut: 13,
} as const;
type Rank = (typeof ranks)[keyof typeof ranks];
const isSampled = (rank: Rank): boolean =>
  rank === ranks.answering || rank === ranks.unknown || rank === ranks.well || rank === ranks.wellLately;

function withFewSampled(suspects: readonly Candidate[]): readonly Candidate[] {
  let sampled = 0;
  return suspects.filter(({ rank }) => !isSampled(rank) || sampled++ < SAMPLED_STREAMS);
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
  const uneasy = Object.values(known).filter((each) => isUneasy(each) && each.isHeld !== true).length;
  const sample = input.canaryFails || uneasy > 0 ? new Set(sampleOf(cells)) : undefined;
  const moved = groupsHeld(input.switches);
  const suspects: Candidate[] = [];
  const others: WatchedCell[] = [];
  for (const cell of cells) {
    if (cell.probe === 'never') continue;
    const evidence = known[cell.cell] ?? noStream;
    const rank = rankOf({
      evidence,
      // What producers report of a cell that has moved is over, or of the standby.
      sight: moved.has(cell.group) ? undefined : troubled.get(cell.cell),
      sampled: sample?.has(cell) === true,
      crowded: uneasy > STREAMS_PER_ROUND,
      nowMs,
      policy,
    });
    if (rank !== undefined) suspects.push({ cell, evidence, rank });
    else if (cell.probe === 'always') others.push(cell);
  }
  // What is nearest to an alarm first: turns for all of very many would never bring one of them there.
  suspects.sort(
    (a, b) =>
      a.rank - b.rank || nearness(b.evidence) - nearness(a.evidence) || a.evidence.atMs - b.evidence.atMs,
  );
  const due = withFewSampled(suspects);
  const free = STREAMS_PER_ROUND - Math.min(due.length, STREAMS_PER_ROUND - FAIR_TURNS);
  const turns = inTurn(others, streams?.lastTurn).slice(0, free);
  return [
    ...due.slice(0, STREAMS_PER_ROUND - turns.length).map(({ cell: { cell }, rank }) => probeOf(cell, rank)),
    ...turns.map(({ cell }) => ({ cell, ...quietLook })),
  ];
}

const closeLook = {
  firstPuts: PUTS_PER_STREAM,
  morePuts: 0,
  standbyPuts: STANDBY_PUTS,
  why: 'suspected',
} as const;
const sampledLook = {
  firstPuts: SAMPLED_PUTS,
  morePuts: PUTS_PER_STREAM - SAMPLED_PUTS,
  standbyPuts: 0,
  why: 'sampled',
} as const;
const quietLook = {
  firstPuts: QUIET_PUTS,
  morePuts: PUTS_PER_STREAM - QUIET_PUTS,
  standbyPuts: 0,
  why: 'turn',
} as const;

const probeOf = (cell: string, rank: Rank): StreamProbe => ({
  cell,
  ...(isSampled(rank) ? sampledLook : closeLook),
});

const nobody: ReadonlySet<string> = new Set();
const groupsHeld = (switches: readonly GroupSwitch[] = []): ReadonlySet<string> =>
  switches.length === 0
    ? nobody
    : new Set(switches.flatMap(({ group, position }) => (position === 'STANDBY' ? [group] : [])));

/** Lower first. Undefined: nothing is suspected. */
function rankOf(candidate: {
  readonly evidence: StreamEvidence;
  readonly sight: BeaconSight | undefined;
  readonly sampled: boolean;
  readonly crowded: boolean;
  readonly nowMs: number;
  readonly policy: Policy;
}): Rank | undefined {
  const { evidence, sight, sampled, crowded, nowMs, policy } = candidate;
  const ageMs = Math.abs(nowMs - evidence.atMs);
  const outside = crowded && !sampled;
  if (isUneasy(evidence) && ageMs <= STREAM_LIFE_MS) {
    if (!isAlarmed(evidence)) return outside ? ranks.testedOutside : ranks.tested;
    const isDue = ageMs >= (ALARM_ROUNDS - CADENCE) * policy.tickMs;
    if (evidence.isHeld === true) return isDue ? ranks.held : ranks.crowdedOut;
    if (isDue) return outside ? ranks.alarmedOutside : ranks.alarmed;
    return crowded ? ranks.crowdedOut : ranks.alarmedLately;
  }
  if (sight === 'failing') return outside ? ranks.reportedOutside : ranks.reported;
  if (sight === 'suspicious') return outside ? ranks.reportedOutside : ranks.suspicious;
  if (!sampled) return undefined;
  if (ageMs > STREAM_LIFE_MS) return ranks.unknown;
  if (streamLevel(evidence, policy, nowMs) !== 'well') return ranks.answering;
  // It has answered: others may come first for a while.
  return ageMs >= (ALARM_ROUNDS - CADENCE) * policy.tickMs ? ranks.well : ranks.wellLately;
}
const CADENCE = 0.5;

/** The cells after the one whose turn was last, in the order of the config, round and round. */
function inTurn(cells: readonly WatchedCell[], last: string | undefined): readonly WatchedCell[] {
  const from = cells.findIndex(({ cell }) => cell === last) + 1;
  return [...cells.slice(from), ...cells.slice(0, from)];
}

/** The last cell of a round that had its turn without being suspected. */
export const lastTurnOf = (probes: readonly StreamProbe[]): string | undefined =>
  probes.findLast(({ why }) => why === 'turn')?.cell;
