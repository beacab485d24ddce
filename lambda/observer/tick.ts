import { type Decision, decide } from '../core/decide.ts';
import type { Memory } from '../core/memory.ts';
import { addTick, levelsOf, observerCondition, type RegionOutcomes } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { ProbeRound } from './probes.ts';
import type { ObserverStore } from './store.ts';

export interface Clock {
  /** Epoch milliseconds; may step. */
  nowMs(): number;
  /** Never steps. */
  monotonicMs(): number;
}

export interface TickDependencies {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly store: Pick<ObserverStore, 'readControl' | 'readLatch'>;
  readonly probe: (role: 'primary' | 'standby', round: ProbeRound) => Promise<RegionOutcomes>;
}

export interface TickResult {
  readonly memory: Memory;
  readonly decision: Decision;
  readonly outcomes: { readonly primary: RegionOutcomes; readonly standby: RegionOutcomes };
  readonly decidedAtMs: number;
}

/** One round: probe both regions, read what operators said, weigh, decide. Persists nothing. */
export async function tick(
  memory: Memory,
  clockStepMs: number,
  dependencies: TickDependencies,
): Promise<TickResult> {
  const { policy, clock, store, probe } = dependencies;
  const slowDue = memory.ticks % policy.slowProbeEveryTicks === 0;
  const startedAtMs = clock.nowMs();
  const round = (role: 'primary' | 'standby'): ProbeRound => ({
    timeoutMs: policy.probeTimeoutMs,
    slowDue,
    nowMs: startedAtMs,
    firstMetricAtMs: memory.firstMetricAtMs[role],
  });
  const [primary, standby, control, latch] = await Promise.all([
    probe('primary', round('primary')),
    probe('standby', round('standby')),
    store.readControl(),
    memory.decision.vote === 'EVACUATE' ? store.readLatch() : ('open' as const),
  ]);
  const nowMs = clock.nowMs();
  const evidence = addTick(memory.evidence, { atMs: nowMs, primary, standby, clockStepMs }, policy);
  const decision = decide({
    observation: {
      primary: levelsOf(evidence.primary, policy, nowMs),
      standby: levelsOf(evidence.standby, policy, nowMs),
      observer: observerCondition(evidence.observer, nowMs),
      control,
      latch,
    },
    state: memory.decision,
    policy,
    nowMs,
  });
  return {
    memory: {
      evidence,
      decision: decision.state,
      ticks: memory.ticks + 1,
      firstMetricAtMs: {
        primary: firstMetric(memory.firstMetricAtMs.primary, primary, nowMs),
        standby: firstMetric(memory.firstMetricAtMs.standby, standby, nowMs),
      },
    },
    decision,
    outcomes: { primary, standby },
    decidedAtMs: nowMs,
  };
}

function firstMetric(before: number | null, outcomes: RegionOutcomes, nowMs: number): number | null {
  return before ?? (outcomes.cloudWatch?.ok === true ? nowMs : null);
}
