import { groupsToMove } from '../../lambda/core/cell-quorum.ts';
import { initialDecisionState } from '../../lambda/core/decide.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { afterQuietRounds, WINDOW_ROUNDS } from '../../lambda/core/put-window.ts';
import { observeRound } from '../../lambda/core/round.ts';
import { routingOf } from '../../lib/simulator/routing.ts';
import { realCore } from '../../lib/simulator/run.ts';
import type { SimulatedSystem } from '../../lib/simulator/system.ts';
import type { SimulatedCore } from '../../lib/simulator/types.ts';

// Each breaks one rule on purpose. Whoever mends the simulator proves with them that it still notices.

const ok: ProbeOutcome = { ok: true, latencyMs: 60 };
const fine = { kinesisWrite: [ok, ok, ok], kinesisRead: [ok], reachability: [ok] };

/** A vote, once stored, is served for ever. */
export const staleVotes: SimulatedCore = {
  ...realCore,
  liveVote: (item) => ((item as { readonly vote?: string }).vote === 'EVACUATE' ? 'EVACUATE' : 'HOLD'),
};

/** Anything that is stored is read as an accusation. */
export const anyVote: SimulatedCore = { ...realCore, liveVote: () => 'EVACUATE' };

/** Decides as if the standby were well. */
export const blindToStandby: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => {
    const seen = observeRound(memory, readings, policy);
    const atMs = readings.startedAtMs - policy.tickMs;
    const standby = { puts: { window: afterQuietRounds('', WINDOW_ROUNDS, policy.putsPerRound), atMs } };
    const without = { ...memory, evidence: { ...memory.evidence, standby } };
    const {
      decision,
      memory: decided,
      cells,
    } = observeRound(without, { ...readings, standby: fine }, policy);
    const { gain } = decided.evidence;
    return { decision, cells, memory: { ...decided, evidence: { ...seen.memory.evidence, gain } } };
  },
};

/** One object for each policy: what is derived from a policy is kept by object. */
const hasty = new WeakMap<Policy, Policy>();
function withoutCooldown(policy: Policy): Policy {
  const known = hasty.get(policy) ?? { ...policy, cooldownMs: 0 };
  hasty.set(policy, known);
  return known;
}

const greedy = new WeakMap<Policy, Policy>();
/** Leaves the primary for next to nothing. */
export const anyGain: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => {
    const known = greedy.get(policy) ?? { ...policy, minimumGain: 0.001 };
    greedy.set(policy, known);
    return observeRound(memory, readings, known);
  },
};

export const noCooldown: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => observeRound(memory, readings, withoutCooldown(policy)),
};

/** Takes the switches for set without looking, and so ends its vote on recovery. */
export const trustsTheLatch: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => observeRound(memory, { ...readings, latch: 'latched' }, policy),
};

export const deafToOperators: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => observeRound(memory, { ...readings, control: {} }, policy),
};

/** Votes what it sees at the moment, and remembers no evacuation. */
export const memoryless: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => {
    const forgetful = { ...memory, decision: { ...initialDecisionState, epoch: memory.decision.epoch } };
    return observeRound(forgetful, readings, policy);
  },
};

/** One observer's accusation moves a cell. */
export const oneAccuser: SimulatedCore = {
  ...realCore,
  groupsToMove: (question) => groupsToMove({ ...question, votesToEvacuate: 1 }),
};

const believing = new WeakMap<Policy, Policy>();
/** Lets producers move cells, whatever their owner says. */
export const believesProducers: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => {
    const known = believing.get(policy) ?? { ...policy, beacons: 'move' };
    believing.set(policy, known);
    return observeRound(memory, readings, known);
  },
};

/** A few producers that report failures are a quorum. */
export const anyProducer: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => {
    const { streams } = readings;
    const beacons = streams?.beacons.map((cell) =>
      cell.sight === 'suspicious' ? { ...cell, sight: 'failing' as const } : cell,
    );
    return observeRound(
      memory,
      { ...readings, streams: streams && { ...streams, beacons: beacons ?? [] } },
      policy,
    );
  },
};

/** Lets a quorum of producers move a cell at once, however short what they report. */
export const hastyProducers: SimulatedCore = {
  ...realCore,
  groupsToMove: (question) =>
    groupsToMove({
      ...question,
      counts: ({ refusals }) => refusals.every(({ rule }) => rule === 'hold-time'),
    }),
};

/** Takes the cells' streams in the standby for well. */
export const blindToStandbyStreams: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) => {
    const { streams } = readings;
    const probed = streams?.probed.map((outcomes) => ({ ...outcomes, standby: [ok, ok] }));
    return observeRound(
      memory,
      { ...readings, streams: streams && { ...streams, probed: probed ?? [] } },
      policy,
    );
  },
};

/** Knows no stream but the canary. */
export const blindToStreams: SimulatedCore = {
  ...realCore,
  observeRound: (memory, readings, policy) =>
    observeRound(memory, { ...readings, streams: undefined }, policy),
};

/** One vote is a quorum. */
export function oneVoteTree(system: SimulatedSystem): ReturnType<typeof routingOf> {
  return routingOf({ ...system, policy: { ...system.policy, votesToEvacuate: 1 } });
}

/** The standby's record names a region that is nobody's. */
export function strayTree(system: SimulatedSystem): ReturnType<typeof routingOf> {
  const stray = routingOf({ ...system, regions: { ...system.regions, standby: 'eu-north-1' } });
  return { ...routingOf(system), zone: stray.zone };
}
