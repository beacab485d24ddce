import { LIFE_INTERVALS, TROUBLE_INTERVAL_MS } from '../../lambda/core/beacon-item.ts';
import type { CellBeacons } from '../../lambda/core/beacons.ts';
import { levelOf } from '../../lambda/core/evidence.ts';
import type { Memory } from '../../lambda/core/memory.ts';
import { evidenceModels } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { streamsOfRound } from '../../lambda/core/round.ts';
import { isUneasy } from '../../lambda/core/stream-evidence.ts';
import { lastTurnOf, type StreamProbe, streamsDue } from '../../lambda/core/stream-plan.ts';
import { type GroupSwitch, noStreamsSeen, type StreamReadings } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { Fleets } from './fleets.ts';
import type { ProbedRound, StreamProbeReport, StreamProbing } from './stream-probing.ts';

export interface WorkloadsOptions {
  readonly cells: readonly WatchedCell[];
  readonly fleets: Fleets;
  readonly probing: StreamProbing;
  readonly policy: Policy;
  /** DNS has every cell in the primary. */
  readonly allHome: () => boolean;
}

export interface WorkloadRound {
  readonly atMs: number;
  readonly round: number;
  /** By the observer's clock. */
  readonly startedAtMs: number;
  readonly memory: Memory;
  /** The memory is one of rest, so that nothing is probed but what is probed always. */
  readonly idle: boolean;
  /** Whether the table of beacons answered. */
  readonly beaconsRead: boolean;
  readonly switches: readonly GroupSwitch[] | undefined;
}

export interface WorkloadReport {
  readonly readings: StreamReadings;
  readonly tookMs: number;
  /** All records were taken, and nothing follows on what the producers say. */
  readonly isQuiet: boolean;
}

/** What was read of the beacons holds for so long when they cannot be read again: as long as a beacon of trouble. */
const BEACONS_HOLD_MS = LIFE_INTERVALS * TROUBLE_INTERVAL_MS;
const unread: readonly CellBeacons[] = [];

/** Whether neither the canary nor a stream makes the core look closer at any stream: see `streamsOfRound`. */
function nothingFails({ evidence }: Memory, policy: Policy, nowMs: number): boolean {
  const cells = evidence.streams?.cells;
  for (const cell in cells) {
    const known = cells[cell];
    if (known !== undefined && isUneasy(known)) return false;
  }
  const canary = levelOf(evidence.primary.kinesisWrite, evidenceModels(policy).kinesisWrite, nowMs);
  return canary !== 'suspect' && canary !== 'down';
}

/** The cells' own streams as one observer sees them: by its marked records, and by what the producers report. */
export class Workloads {
  readonly #options: WorkloadsOptions;
  /** Of rounds in which nothing is suspected, by the cell whose turn was last. */
  readonly #quietPlans = new Map<string | undefined, readonly StreamProbe[]>();
  #read: { readonly beacons: readonly CellBeacons[]; readonly atMs: number } | undefined;
  /** Of the round before, of the same run: with it, a round is planned. */
  #before: readonly CellBeacons[] = unread;

  constructor(options: WorkloadsOptions) {
    this.#options = options;
  }

  look(request: WorkloadRound): WorkloadReport {
    const { cells, probing, policy } = this.#options;
    const { atMs, round, startedAtMs: nowMs, memory, idle, beaconsRead, switches } = request;
    const beacons = this.#beacons(atMs, beaconsRead);
    const before = this.#before;
    this.#before = beacons;
    const { fleets } = this.#options;
    const calm = fleets.areCalm(beacons) && fleets.areCalm(before);
    const isQuietPlan = fleets.areCalm(before) && (idle || nothingFails(memory, policy, nowMs));
    const plan = isQuietPlan
      ? this.#quietPlan(memory)
      : streamsOfRound(memory, { cells, beacons: before, switches, policy, nowMs });
    const report = probing.probe(plan, { atMs, round });
    const lastTurn = isQuietPlan ? plan.at(-1)?.cell : lastTurnOf(plan);
    return {
      readings: { cells, probed: report.probed, lastTurn, beacons, switches },
      tookMs: report.tookMs,
      isQuiet: calm && beaconsRead && report.isQuiet,
    };
  }

  /** What a round to come puts into the streams, while this memory rests and the producers are calm. */
  foresee(memory: Memory, at: ProbedRound): StreamProbeReport {
    return this.#options.probing.foresee(this.#quietPlan(memory), at);
  }

  #quietPlan(memory: Memory): readonly StreamProbe[] {
    const lastTurn = memory.evidence.streams?.lastTurn;
    const known = this.#quietPlans.get(lastTurn);
    if (known !== undefined) return known;
    const { cells, policy } = this.#options;
    const quiet = { lastTurn, cells: {}, seen: noStreamsSeen, atMs: 0 };
    const made = streamsDue(quiet, { cells, beacons: unread, canaryFails: false, nowMs: 0 }, policy);
    this.#quietPlans.set(lastTurn, made);
    return made;
  }

  /** Another run takes over: it has read nothing yet. */
  beginRun(): void {
    this.#before = unread;
  }

  /** Rounds were skipped in which the beacons were read, and calm; the last began at this time. */
  skipped(lastMs: number): void {
    const beacons = this.#look(lastMs);
    this.#read = { beacons, atMs: lastMs };
    this.#before = beacons;
  }

  #beacons(atMs: number, read: boolean): readonly CellBeacons[] {
    if (read) this.#read = { beacons: this.#look(atMs), atMs };
    const known = this.#read;
    return known !== undefined && atMs - known.atMs <= BEACONS_HOLD_MS ? known.beacons : unread;
  }

  #look(atMs: number): readonly CellBeacons[] {
    return this.#options.fleets.look(atMs, { allHome: this.#options.allHome() });
  }
}
