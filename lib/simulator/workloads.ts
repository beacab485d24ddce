import type { CellBeacons } from '../../lambda/core/beacons.ts';
import type { Memory } from '../../lambda/core/memory.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { streamsOfRound } from '../../lambda/core/round.ts';
import { lastTurnOf, type StreamProbe } from '../../lambda/core/stream-plan.ts';
import type { GroupSwitch, StreamReadings } from '../../lambda/core/streams.ts';
import type { WatchedCell } from '../../lambda/core/watched-cells.ts';
import { type Fleets, isCalm } from './fleets.ts';
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

/** What was read of the beacons holds for so long when they cannot be read again [inferred]. */
const BEACONS_HOLD_MS = 60_000;
const unread: readonly CellBeacons[] = [];
const noProbes: readonly StreamProbe[] = [];

/** The cells' own streams as one observer sees them: by its marked records, and by what the producers report. */
export class Workloads {
  readonly #options: WorkloadsOptions;
  readonly #always: number;
  #read: { readonly beacons: readonly CellBeacons[]; readonly atMs: number } | undefined;

  constructor(options: WorkloadsOptions) {
    this.#options = options;
    this.#always = options.cells.filter(({ probe }) => probe === 'always').length;
  }

  look(request: WorkloadRound): WorkloadReport {
    const { cells, probing, policy } = this.#options;
    const { atMs, round, startedAtMs: nowMs, memory, idle, beaconsRead, switches } = request;
    const beacons = this.#beacons(atMs, beaconsRead);
    const calm = beacons.every(isCalm);
    const plan =
      idle && calm && this.#always === 0
        ? noProbes
        : streamsOfRound(memory, { cells, beacons, policy, nowMs });
    const report = probing.probe(plan, { atMs, round });
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

  /** Rounds were skipped in which the beacons were read, and calm; the last began at this time. */
  skipped(lastMs: number): void {
    this.#read = { beacons: this.#look(lastMs), atMs: lastMs };
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
