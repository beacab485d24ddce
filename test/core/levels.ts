import fc from 'fast-check';
import type { SignalLevel } from '../../lambda/core/evidence.ts';
import type { ObserverCondition, RegionLevels } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';

export const policy: Policy = {
  mode: 'auto',
  votesToEvacuate: 2,
  tickMs: 5_000,
  probeTimeoutMs: 2_000,
  putsPerRound: 3,
  slowProbeEveryTicks: 12,
  siblingProbes: [],
  voteTtlMs: 30_000,
  blipMs: 10_000,
  holdMs: 0,
  recoveryMs: 900_000,
  cooldownMs: 1_800_000,
  baselineFailureRate: 0.001,
  impairedFailureRate: 0.3,
  falseAlarmsPerYear: 0.1,
  slowFactor: 4,
  slowFloorMs: 250,
};

export const allUp: RegionLevels = {
  kinesisWrite: 'up',
  kinesisRead: 'up',
  reachability: 'up',
  cloudWatch: 'up',
  controlPlane: 'up',
};

export const levels: readonly SignalLevel[] = ['up', 'suspect', 'down', 'unknown'];
export const conditions: readonly ObserverCondition[] = ['sound', 'clock-suspect', 'self-inflicted-errors'];

const level = fc.constantFrom(...levels);
export const regionLevels: fc.Arbitrary<RegionLevels> = fc.record({
  kinesisWrite: level,
  kinesisRead: level,
  reachability: level,
  cloudWatch: level,
  controlPlane: level,
});
