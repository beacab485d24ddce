import type { ControlReading } from '../core/control.ts';
import type { Latch, Quorum } from '../core/lifecycle.ts';
import type { Memory } from '../core/memory.ts';
import type { RegionOutcomes } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { Role } from '../core/role.ts';
import { observeRound, putsOfRound, type RoundResult, slowProbesDue } from '../core/round.ts';
import type { ProbeRound } from './probes.ts';

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
    readLatch(): Promise<Latch>;
  };
  readonly readQuorum: () => Promise<Quorum>;
}

export interface TickResult extends RoundResult {
  readonly outcomes: { readonly primary: RegionOutcomes; readonly standby: RegionOutcomes };
  readonly decidedAtMs: number;
  readonly latch: Latch;
  readonly quorum: Quorum;
}

/** One round: probe both regions, read what operators said and where DNS points, weigh, decide. Persists nothing. */
export async function tick(
  memory: Memory,
  clockStepMs: number,
  dependencies: TickDependencies,
): Promise<TickResult> {
  const { policy, clock, store, probe } = dependencies;
  const startedAtMs = clock.nowMs();
  const round = (role: Role): ProbeRound => ({
    timeoutMs: policy.probeTimeoutMs,
    ...putsOfRound(memory, { role, policy, nowMs: startedAtMs }),
    slowDue: slowProbesDue(memory, policy),
    siblings: role === 'primary' ? policy.siblingProbes : [],
    nowMs: startedAtMs,
    firstMetricAtMs: memory.firstMetricAtMs[role],
  });
  const [primary, standby, control, latch, quorum] = await Promise.all([
    probe('primary', round('primary')),
    probe('standby', round('standby')),
    store.readControl(),
    store.readLatch(),
    dependencies.readQuorum(),
  ]);
  const nowMs = clock.nowMs();
  const readings = { startedAtMs, nowMs, clockStepMs, primary, standby, control, latch, quorum };
  return {
    ...observeRound(memory, readings, policy),
    outcomes: { primary, standby },
    decidedAtMs: nowMs,
    latch,
    quorum,
  };
}
