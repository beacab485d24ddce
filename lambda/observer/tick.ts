import type { BeaconTable } from '../core/beacon-table.ts';
import type { CellBeacons } from '../core/beacons.ts';
import type { ControlReading } from '../core/control.ts';
import type { Latch, Quorum } from '../core/lifecycle.ts';
import type { Memory } from '../core/memory.ts';
import type { RegionOutcomes } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { Role } from '../core/role.ts';
import { observeRound, putsOfRound, type RoundResult, slowProbesDue, streamsOfRound } from '../core/round.ts';
import type { StreamOutcomes } from '../core/stream-evidence.ts';
import { lastTurnOf } from '../core/stream-plan.ts';
import type { WatchedCell } from '../core/watched-cells.ts';
import type { ProbeRound } from './probes.ts';
import type { SwitchesRead } from './store.ts';
import type { StreamsRequest } from './stream-probes.ts';

export interface Clock {
  /** Epoch milliseconds; may step. */
  nowMs(): number;
  /** Never steps. */
  monotonicMs(): number;
}

export interface TickDependencies {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly probe: (role: Role, round: ProbeRound) => Promise<RegionOutcomes>;
  readonly store: {
    readControl(): Promise<ControlReading>;
    readSwitches(): Promise<SwitchesRead>;
  };
  readonly readQuorum: () => Promise<Quorum>;
  /** The cells whose own streams may be watched. */
  readonly cells: readonly WatchedCell[];
  readonly probeStreams: (request: StreamsRequest) => Promise<readonly StreamOutcomes[]>;
  /** What producers report; never throws, and is empty where nothing is known. */
  readonly readBeacons: () => Promise<readonly CellBeacons[]>;
  /** How this observer stands with the table of beacons. Absent where beacons are off. */
  readonly beaconTable?: (() => BeaconTable) | undefined;
}

export interface TickResult extends RoundResult {
  readonly outcomes: { readonly primary: RegionOutcomes; readonly standby: RegionOutcomes };
  readonly decidedAtMs: number;
  readonly latch: Latch;
  readonly quorum: Quorum;
  /** What producers reported in this round: with it, the next round is planned. */
  readonly beacons: readonly CellBeacons[];
  readonly switches: SwitchesRead['switches'];
  readonly beaconTable?: BeaconTable;
  readonly streams: readonly StreamOutcomes[];
}

export interface TickInput {
  readonly memory: Memory;
  readonly clockStepMs: number;
  /** What producers reported in the round before, and the switches as they were then. */
  readonly before?: Pick<TickResult, 'beacons' | 'switches'> | undefined;
}

/** One round: probe both regions, read what operators said and where DNS points, weigh, decide. Persists nothing. */
export async function tick(
  { memory, clockStepMs, before }: TickInput,
  dependencies: TickDependencies,
): Promise<TickResult> {
  const { policy, clock, store, probe, cells } = dependencies;
  const startedAtMs = clock.nowMs();
  const due = streamsOfRound(memory, {
    cells,
    beacons: before?.beacons ?? [],
    switches: before?.switches,
    policy,
    nowMs: startedAtMs,
  });
  const round = (role: Role): ProbeRound => ({
    timeoutMs: policy.probeTimeoutMs,
    ...putsOfRound(memory, { role, policy, nowMs: startedAtMs }),
    slowDue: slowProbesDue(memory, policy),
    siblings: role === 'primary' ? policy.siblingProbes : [],
    nowMs: startedAtMs,
    firstMetricAtMs: memory.firstMetricAtMs[role],
  });
  const [primary, standby, control, { latch, switches }, quorum, probed, beacons] = await Promise.all([
    probe('primary', round('primary')),
    probe('standby', round('standby')),
    store.readControl(),
    store.readSwitches(),
    dependencies.readQuorum(),
    dependencies.probeStreams({
      due,
      timeoutMs: policy.probeTimeoutMs,
      nowMs: startedAtMs,
      ticks: memory.ticks,
    }),
    dependencies.readBeacons(),
  ]);
  const nowMs = clock.nowMs();
  const streams = { cells, probed, lastTurn: lastTurnOf(due), beacons, switches };
  const readings = { startedAtMs, nowMs, clockStepMs, primary, standby, control, latch, quorum, streams };
  return {
    ...observeRound(memory, readings, policy),
    outcomes: { primary, standby },
    decidedAtMs: nowMs,
    latch,
    quorum,
    beacons,
    switches,
    ...(dependencies.beaconTable === undefined ? {} : { beaconTable: dependencies.beaconTable() }),
    streams: probed,
  };
}
