import { LIFE_INTERVALS, TROUBLE_INTERVAL_MS } from '../../lambda/core/beacon-item.ts';
import type { CellBeacons } from '../../lambda/core/beacons.ts';
import type { Memory } from '../../lambda/core/memory.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { streamsOfRound } from '../../lambda/core/round.ts';
import { lastTurnOf, type StreamProbe } from '../../lambda/core/stream-plan.ts';
import type { GroupSwitch, StreamReadings } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import type { Fleets } from './fleets.ts';
import type { StreamProbing } from './stream-probing.ts';

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
  /** Rounds of this observer before this one. */
  readonly ticks: number;
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

/** The cells' own streams as one observer sees them: by its marked records, and by what the producers report. */
export class Workloads {
  readonly #options: WorkloadsOptions;
  /** Of a round in which nothing is suspected. An idle observer has no more streams to probe than fit into one. */
  #idlePlan: readonly StreamProbe[] | undefined;
  #read: { readonly beacons: readonly CellBeacons[]; readonly atMs: number } | undefined;
  /** Of the round before, of the same run: with it, a round is planned. */
  #before: readonly CellBeacons[] = unread;

  constructor(options: WorkloadsOptions) {
    this.#options = options;
  }

  look(request: WorkloadRound): WorkloadReport {
    const { cells, probing, policy } = this.#options;
    const { atMs, round, startedAtMs: nowMs, memory, ticks, idle, beaconsRead, switches } = request;
    const beacons = this.#beacons(atMs, beaconsRead);
    const before = this.#before;
    this.#before = beacons;
    const { fleets } = this.#options;
    const calm = fleets.areCalm(beacons) && fleets.areCalm(before);
    const planned = (): readonly StreamProbe[] =>
      streamsOfRound(memory, { cells, beacons: before, switches, policy, nowMs });
    if (idle && calm) this.#idlePlan ??= planned();
    const plan = (idle && calm ? this.#idlePlan : undefined) ?? planned();
    const report = probing.probe(plan, { atMs, round, ticks });
    const lastTurn = lastTurnOf(plan);
    return {
      readings: {
        cells,
        probed: report.probed,
        ...(lastTurn === undefined ? {} : { lastTurn }),
        beacons,
        switches,
      },
      tookMs: report.tookMs,
      isQuiet: calm && beaconsRead && report.isQuiet,
    };
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
