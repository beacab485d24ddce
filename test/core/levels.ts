import fc from 'fast-check';
import type { SignalLevel } from '../../lambda/core/evidence.ts';
import { type RegionLevels, signalNames } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { ObserverCondition, RegionsSeen } from '../../lambda/core/regions-seen.ts';
import type { Gain } from '../../lambda/core/severity.ts';
import { noStreamsSeen } from '../../lambda/core/streams.ts';
import { defaultPolicy } from '../../lib/config/defaults.ts';

export const policy: Policy = { ...defaultPolicy, votesToEvacuate: 2 };

export const allUp = Object.fromEntries(signalNames.map((name) => [name, 'up'])) as unknown as RegionLevels;

/** What an observer sees of two regions that are well. */
export const wellSeen: RegionsSeen = {
  primary: allUp,
  standby: allUp,
  gain: 'small',
  severe: false,
  blames: [],
  observer: 'sound',
  streams: noStreamsSeen,
};

export const gains: readonly Gain[] = ['large', 'one-shard', 'small'];
export const levels: readonly SignalLevel[] = ['up', 'suspect', 'down', 'unknown'];
export const conditions: readonly ObserverCondition[] = ['sound', 'clock-suspect', 'self-inflicted-errors'];

const level = fc.constantFrom(...levels);
export const regionLevels = fc.record({
  ...Object.fromEntries(signalNames.map((name) => [name, level])),
  partly: fc.subarray([...signalNames]),
}) as unknown as fc.Arbitrary<RegionLevels>;
